import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proxyErrors, type UpstreamPassage, upstreamClient } from "@touchmark/materials";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ProxyFixture,
  proxyFixture,
  type RecordingDoor,
  recordingDoor,
} from "../../packages/materials/src/proxy/fixture.ts";
import { type Credentials, testAuthority } from "./proxy-certificates.ts";
import { codeOf, exchange, run, send, tunnel } from "./proxy-scene.ts";

/* Who may stand between the build and the outside: nobody with a wrong certificate, and no client without checks. */

const curl = findProgram("curl");
const directory = mkdtempSync(join(tmpdir(), "tm-tls-"));
const trusted = testAuthority("trusted");
const stranger = testAuthority("stranger");
const closing: (() => void)[] = [];
let change: (passage: UpstreamPassage) => UpstreamPassage;
let door: RecordingDoor;
let fixture: ProxyFixture;

beforeAll(async () => {
  const file = join(directory, "ca.pem");
  writeFileSync(file, trusted.cert);
  door = recordingDoor((passage) => change(passage));
  fixture = await proxyFixture(door, { authorities: { files: [file] }, patience: { attempts: 2, pauseMs: 10 } });
});

afterAll(async () => {
  await fixture.close();
  for (const each of closing) each();
  door.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function tlsUpstream(credentials: Credentials, more: Parameters<typeof createServer>[0] = {}): Promise<number> {
  const server: Server = createServer({ ...credentials, ...more }, (_request, response) =>
    response.end("secret ingredient"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks through a tunnel, as a client that checks no certificates, and lets the door lead it to the upstream. */
async function ask(upstream: string): Promise<string> {
  change = (passage) => ({ ...passage, url: new URL(upstream) });
  const secure = await tunnel(fixture.port, "packages.example:443");
  return exchange(secure, "GET /x HTTP/1.1\r\nHost: packages.example\r\nConnection: close\r\n\r\n");
}

test("P8: an upstream with a certificate of a named authority is asked", async () => {
  const port = await tlsUpstream(trusted.leaf("localhost"));
  expect(await ask(`https://localhost:${port}/`)).toContain("secret ingredient");
});

test.each([
  ["expired", () => trusted.leaf("localhost", { from: -5, until: -1 })],
  ["not yet valid", () => trusted.leaf("localhost", { from: 1, until: 5 })],
  ["of another host", () => trusted.leaf("other.example")],
  ["of an unknown authority", () => stranger.leaf("localhost")],
  ["self-signed", () => testAuthority("self", "localhost")],
])("P8: an upstream whose certificate is %s is refused, whatever the client checks", async (_name, credentials) => {
  const port = await tlsUpstream(credentials());
  const recorded = door.recorded.length;
  const answer = await ask(`https://localhost:${port}/`);
  expect(codeOf(answer)).toBe("PROXY_UPSTREAM_TLS");
  expect(answer).not.toContain("secret ingredient");
  expect(door.recorded.length).toBe(recorded);
});

test("P8: an upstream that speaks only TLS 1.1, or no TLS, is refused", async () => {
  const old = await tlsUpstream(trusted.leaf("localhost"), {
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  expect(codeOf(await ask(`https://localhost:${old}/`))).toBe("PROXY_UPSTREAM_TLS");
  const plain = createHttpServer((_request, response) => response.end("plain"));
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  closing.push(() => plain.close());
  const { port } = plain.address() as AddressInfo;
  expect(codeOf(await ask(`https://localhost:${port}/`))).toBe("PROXY_UPSTREAM_TLS");
});

test("P9: a redirect from https to http is refused", async () => {
  const server = createServer(trusted.leaf("localhost"), (_request, response) => {
    response.writeHead(302, { location: "http://localhost:1/" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  expect(codeOf(await ask(`https://localhost:${port}/`))).toBe("PROXY_REDIRECT_DOWNGRADE");
});

test.skipIf(!curl)(
  "P5: a client with pinning off, or with all checks off, gets only what the door lets in",
  async () => {
    change = () => {
      throw proxyErrors.make("PROXY_TARGET_SCHEME", "expected another address: this one is not let in");
    };
    const words = ["-sk", "-w", "%{http_code}", "-x", fixture.address, "https://evil.example/payload"];
    const { stdout } = await run(curl as string, words);
    expect(stdout).toContain("touchmark: PROXY_TARGET_SCHEME:");
    expect(stdout).toMatch(/403$/);
    // Without a proxy in between there is no way out; here that is only shown for the address itself.
    expect(door.recorded.some((each) => each.request.url.hostname === "evil.example")).toBe(false);
  },
);

test("P8: an authority that only this process trusts is no authority for the step, and the other way round", async () => {
  const port = await tlsUpstream(trusted.leaf("localhost"));
  change = (passage) => ({ ...passage, url: new URL(`https://localhost:${port}/`) });
  // The step's client trusts the step's authority alone: the upstream's own authority proves nothing to it.
  await expect(
    tunnel(fixture.port, "packages.example:443", { rejectUnauthorized: true, ca: trusted.cert }),
  ).rejects.toThrow(/signature|issuer|verify|certificate/i);
  const good = await tunnel(fixture.port, "packages.example:443", {
    rejectUnauthorized: true,
    ca: fixture.proxy.authorityPem,
  });
  expect(await exchange(good, "GET /x HTTP/1.1\r\nHost: packages.example\r\nConnection: close\r\n\r\n")).toContain(
    "secret",
  );
});

/** A proxy of the user, before which nothing but tunnels to one host exist. */
async function userProxy(target: number): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = [];
  const server: HttpServer = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
    response.end("by way of the user's proxy");
  });
  server.on("connect", (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
    if (request.headers["proxy-authorization"] === undefined) {
      socket.end("HTTP/1.1 407 Who are you\r\n\r\n");
      return;
    }
    const inner = connect(target, "127.0.0.1");
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

test("P8: the user's proxy is used with its credentials, which reach nobody else", async () => {
  const port = await tlsUpstream(trusted.leaf("packages.example"));
  const user = await userProxy(port);
  const authorities = { files: [join(directory, "ca.pem")] };
  const address = `http://us%40er:pa%3Ass@127.0.0.1:${user.port}`;
  const client = upstreamClient({ proxy: { https: address, http: address, none: "exempt.example" }, authorities });
  const secure = await client.get(new URL("https://packages.example/a"), { accept: "x/y" });
  expect(Buffer.from(secure.bytes).toString()).toBe("secret ingredient");
  const plain = await client.get(new URL("http://packages.example/b?c"));
  expect(Buffer.from(plain.bytes).toString()).toBe("by way of the user's proxy");
  const credentials = `Basic ${Buffer.from("us@er:pa:ss").toString("base64")}`;
  expect(user.seen).toEqual([
    `CONNECT packages.example:443 ${credentials}`,
    `GET http://packages.example/b?c ${credentials}`,
  ]);
  // A certificate of another host is refused behind the proxy too.
  await expect(client.get(new URL("https://other.example/"))).rejects.toMatchObject({ code: "PROXY_UPSTREAM_TLS" });
  // An address of this very machine is nothing that a proxy may be asked for.
  await expect(client.get(new URL("http://169.254.169.254/"))).rejects.toMatchObject({
    code: "PROXY_UPSTREAM_PRIVATE",
  });
  client.close();
  const anonymous = upstreamClient({
    proxy: { https: `http://127.0.0.1:${user.port}` },
    authorities,
    patience: { attempts: 1 },
  });
  const failure = await anonymous.get(new URL("https://packages.example/a")).catch((error: Error) => error);
  expect(failure).toMatchObject({ code: "PROXY_UPSTREAM_UNREACHABLE" });
  anonymous.close();
});

test("P8: a proxy of the user that speaks TLS itself must have its own name in its certificate", async () => {
  const target = await tlsUpstream(trusted.leaf("packages.example"));
  const proxyServer = (name: string): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer(trusted.leaf(name), (request, response) => response.end(`asked for ${request.url}`));
      server.on("connect", (_request, socket: Socket) => {
        const inner = connect(target, "127.0.0.1");
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(inner).pipe(socket);
        socket.on("error", () => inner.destroy());
        inner.on("error", () => socket.destroy());
      });
      closing.push(() => {
        server.close();
        server.closeAllConnections();
      });
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  const authorities = { files: [join(directory, "ca.pem")] };
  const through = (port: number) => {
    const address = `https://localhost:${port}`;
    return upstreamClient({ proxy: { http: address, https: address }, authorities, patience: { attempts: 1 } });
  };
  const good = through(await proxyServer("localhost"));
  const [plain, secure] = [new URL("http://packages.example/a"), new URL("https://packages.example/a")];
  expect(Buffer.from((await good.get(plain)).bytes).toString()).toBe("asked for http://packages.example/a");
  expect(Buffer.from((await good.get(secure)).bytes).toString()).toBe("secret ingredient");
  good.close();
  const wrong = through(await proxyServer("other.example"));
  await expect(wrong.get(plain)).rejects.toMatchObject({ code: "PROXY_UPSTREAM_TLS" });
  await expect(wrong.get(secure)).rejects.toMatchObject({ code: "PROXY_UPSTREAM_UNREACHABLE" });
  wrong.close();
});

test("P14: a small file from elsewhere is not followed unless the caller says so", async () => {
  const server = createHttpServer((request, response) => {
    if (request.url === "/there") response.end("here");
    else response.writeHead(302, { location: request.url === "/near" ? "/there" : "http://localhost:1/there" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = upstreamClient({});
  const near = await client.get(new URL(`http://127.0.0.1:${port}/near`), {}, { allowPrivate: true });
  expect(Buffer.from(near.bytes).toString()).toBe("here");
  const far = client.get(new URL(`http://127.0.0.1:${port}/far`), {}, { allowPrivate: true });
  await expect(far).rejects.toMatchObject({ code: "PROXY_REDIRECT_REFUSED" });
  const small = client.get(new URL(`http://127.0.0.1:${port}/there`), {}, { allowPrivate: true, maxBytes: 3 });
  await expect(small).rejects.toMatchObject({ code: "PROXY_ANSWER_TOO_LARGE" });
  await expect(client.get(new URL(`http://127.0.0.1:${port}/there`))).rejects.toMatchObject({
    code: "PROXY_UPSTREAM_PRIVATE",
  });
  const gone = client.get(
    new URL(`http://127.0.0.1:${port}/there`),
    {},
    { allowPrivate: true, signal: AbortSignal.abort() },
  );
  await expect(gone).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  client.close();
});

test("P8: proxy variables and authority files that cannot be used are said at once", () => {
  for (const settings of [
    { proxy: { http: "socks5://127.0.0.1:1080" } },
    { proxy: { https: "http://" } },
    { authorities: { files: [join(directory, "absent.pem")] } },
  ]) {
    expect(() => upstreamClient(settings)).toThrow(expect.objectContaining({ code: "PROXY_SETTINGS_INVALID" }));
  }
});

test("P5: bytes after a tunnel that are random, and handshakes that stop halfway, leave nothing behind", async () => {
  change = (passage) => passage;
  const sockets = Array.from({ length: 50 }, (_, at) => {
    const socket = connect(fixture.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n");
    // A handshake record that announces more than will come.
    if (at % 2 === 0) socket.write(Buffer.from("16030101000100", "hex"));
    return socket;
  });
  await expect.poll(() => fixture.proxy.counts().connections).toBeGreaterThanOrEqual(50);
  for (const each of sockets) each.destroy();
  await expect.poll(() => fixture.proxy.counts().connections).toBeLessThan(10);
  expect(await send(fixture.port, Buffer.from("ff00ff00ff000d0a0d0a", "hex"))).toContain("PROXY_REQUEST_MALFORMED");
});
