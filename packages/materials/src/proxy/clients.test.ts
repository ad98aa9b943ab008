import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProxyFixture, proxyFixture, type RecordingDoor, recordingDoor } from "./fixture.ts";

/* Real clients: each asks https://packages.example through the proxy; the door leads to a directory served on loopback. */

const directory = mkdtempSync(join(tmpdir(), "tm-clients-"));
const served = join(directory, "served");
const [curl, git, python, openssl] = ["curl", "git", "python3", "openssl"].map(findProgram);
let upstream: Server;
let door: RecordingDoor;
let fixture: ProxyFixture;

beforeAll(async () => {
  mkdirSync(served);
  writeFileSync(join(served, "hello"), "hello, client");
  upstream = createServer((request, response) => {
    const path = join(served, new URL(request.url ?? "/", "http://x").pathname);
    try {
      if (!statSync(path).isFile()) throw new Error("no file");
      if (request.method === "POST") request.pipe(response);
      else response.writeHead(200, { etag: '"1"', "content-length": statSync(path).size }).end(readFileSync(path));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  door = recordingDoor((passage) => ({ ...passage, url: new URL(passage.url.pathname, `http://127.0.0.1:${port}`) }));
  fixture = await proxyFixture(door, {});
});

afterAll(async () => {
  await fixture.close();
  upstream.close();
  upstream.closeAllConnections();
  door.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a client that finds proxy and authority in its environment alone. */
function client(program: string, words: readonly string[], input = ""): Promise<string> {
  const { authorityFile: file, address } = fixture;
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        https_proxy: address,
        http_proxy: address,
        HTTPS_PROXY: address,
        SSL_CERT_FILE: file,
        CURL_CA_BUNDLE: file,
        GIT_SSL_CAINFO: file,
        NODE_EXTRA_CA_CERTS: file,
        NODE_USE_ENV_PROXY: "1",
        GIT_CONFIG_NOSYSTEM: "1",
      },
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", () => resolve(text));
    // Who reads no input may be gone before it is written.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

test.skipIf(!curl)(
  "P17: curl over HTTP/1.1 and HTTP/2, several on one connection, ranges, resumption and POST",
  async () => {
    const address = "https://packages.example/hello";
    for (const version of ["--http1.1", "--http2"]) {
      const words = [
        "-sS",
        version,
        "-w",
        "|%{http_version}|%{num_connects}\n",
        address,
        "-w",
        "|%{http_version}|%{num_connects}\n",
        address,
      ];
      const text = await client(curl as string, words);
      const number = version === "--http2" ? "2" : "1.1";
      expect(text).toBe(`hello, client|${number}|1\nhello, client|${number}|0\n`);
      expect(await client(curl as string, ["-sS", version, "-r", "7-12", address])).toBe("client");
      expect(await client(curl as string, ["-sS", version, "-I", address])).toMatch(/content-length: 13/i);
      const posted = await client(
        curl as string,
        ["-sS", version, "-H", "Expect: 100-continue", "--data-binary", "@-", address],
        "a body",
      );
      expect(posted).toBe("a body");
    }
    writeFileSync(join(directory, "part"), "hello");
    await client(curl as string, ["-sS", "-C", "-", "-o", "part", address]);
    expect(readFileSync(join(directory, "part"), "utf8")).toBe("hello, client");
    expect(await client(curl as string, ["-sS", "http://packages.example/hello"])).toBe("hello, client");
  },
);

test.skipIf(!git)("P17: git clones and checks out", async () => {
  await client(git as string, ["init", "-q", "-b", "main", "work"]);
  writeFileSync(join(directory, "work/file"), "content");
  const work = ["-C", "work", "-c", "user.name=T", "-c", "user.email=t@t.example"];
  await client(git as string, [...work, "add", "file"]);
  await client(git as string, [...work, "commit", "-qm", "one"]);
  await client(git as string, ["clone", "-q", "--bare", "work", "served/repository.git"]);
  await client(git as string, ["-C", "served/repository.git", "update-server-info"]);
  expect(await client(git as string, ["clone", "-q", "https://packages.example/repository.git", "clone"])).toBe("");
  expect(readFileSync(join(directory, "clone/file"), "utf8")).toBe("content");
});

test.skipIf(!python)("P17: Python's own client", async () => {
  const program = "import urllib.request as u; print(u.urlopen('https://packages.example/hello').read().decode())";
  expect(await client(python as string, ["-c", program])).toBe("hello, client\n");
});

test("P17: Node's fetch", async () => {
  const program = "fetch('https://packages.example/hello').then((a) => a.text()).then(console.log)";
  expect(await client(process.execPath, ["-e", program])).toBe("hello, client\n");
});

test.skipIf(!openssl)("P17: openssl sees one certificate, of the host, and both protocols offered", async () => {
  const words = [
    "s_client",
    "-proxy",
    fixture.address.slice(7),
    "-connect",
    "packages.example:443",
    "-servername",
    "packages.example",
  ];
  const more = [
    "-verify_return_error",
    "-verify_hostname",
    "packages.example",
    "-CAfile",
    fixture.authorityFile,
    "-alpn",
    "h2",
  ];
  const text = await client(openssl as string, [...words, ...more]);
  expect(text).toContain("Verify return code: 0 (ok)");
  expect(text).toContain("ALPN protocol: h2");
  expect(text).toContain("DNS:packages.example".slice(4));
});

test("P17: fifty requests at once on one HTTP/2 connection", async () => {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write("CONNECT packages.example:443 HTTP/1.1\r\nHost: packages.example:443\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  const session = connectHttp2("https://packages.example", {
    createConnection: () =>
      connectTls({ socket, servername: "packages.example", ca: fixture.proxy.authorityPem, ALPNProtocols: ["h2"] }),
  });
  const bodies = await Promise.all(
    Array.from(
      { length: 50 },
      () =>
        new Promise<string>((resolve, reject) => {
          const stream = session.request({ ":path": "/hello" });
          let body = "";
          stream.on("data", (chunk: Buffer) => {
            body += chunk.toString();
          });
          stream.on("end", () => resolve(body)).on("error", reject);
          stream.end();
        }),
    ),
  );
  expect(new Set(bodies)).toEqual(new Set(["hello, client"]));
  session.destroy();
});
