import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { request as requestTls } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { expect, onTestFinished, test } from "vitest";
import { memoryRegistryBackend } from "../backends/memory.ts";
import { openAuthority } from "./open-authority.ts";
import { registryScene } from "./scene.fixture.ts";
import { startRegistry } from "./serve.ts";

const parts = () => ({ backend: memoryRegistryBackend(), authority: openAuthority() });

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "registry-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Sends bytes as they are, answers all that comes back until the connection ends. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

test.each([
  ["two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"],
  ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["an unknown coding before chunks", "Transfer-Encoding: identity, chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"],
  ["a length that is no number", "Content-Length: +4\r\n\r\nabcd"],
  ["a space before the colon", "Content-Length : 4\r\n\r\nabcd"],
  ["a folded header", "X: a\r\n b\r\nContent-Length: 4\r\n\r\nabcd"],
  ["a bare line feed", "X: a\nContent-Length: 4\r\n\r\nabcd"],
])("D9: a request with %s is refused, and the connection ends", async (_, rest) => {
  const { port } = await registryScene();
  const smuggled = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
  const answer = await raw(port, `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n${rest}${smuggled}`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain("REGISTRY_REQUEST_MALFORMED");
  expect(answer.match(/HTTP\/1\.1 [0-9]/g)).toHaveLength(1);
});

test("D9: a header that is too large is 431, and one that says no host 400", async () => {
  const { port } = await registryScene();
  const large = await raw(port, `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`);
  expect(large).toMatch(/^HTTP\/1\.1 431 /);
  expect(await raw(port, "GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
});

test("D9: other protocols are not spoken", async () => {
  const { port } = await registryScene();
  expect(await raw(port, "CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("");
  const upgrade = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  expect(await raw(port, upgrade)).toBe("");
});

test("D9: a body that stands still is 408, also for a manifest, and what came of a blob is kept", async () => {
  const { port, call, audit } = await registryScene({ limits: { idleSeconds: 0.2 } });
  const location = String((await call("POST", "/v2/a/blobs/uploads/")).headers.location);
  const slow = (method: string, path: string) =>
    raw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`);
  for (const answer of [await slow("PATCH", location), await slow("PUT", "/v2/a/manifests/v1")]) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("REGISTRY_BODY_SLOW");
  }
  expect((await call("GET", location)).headers.range).toBe("0-2");
  expect(audit.filter(({ code }) => code === "REGISTRY_BODY_SLOW")).toHaveLength(2);
});

test("D9: a manifest that drips is cut off", async () => {
  const { port } = await registryScene({ limits: { manifestSeconds: 0.2 } });
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString();
  });
  socket.write("PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  const drip = setInterval(() => socket.write("x"), 20);
  await new Promise((resolve) => socket.on("close", resolve).on("error", resolve));
  clearInterval(drip);
  expect(answer).toContain("REGISTRY_BODY_SLOW");
});

test("D9: a reader that stands still is cut off, and nothing is made for it in advance", async () => {
  const { port, image, audit, blob } = await registryScene({ limits: { idleSeconds: 0.2 } });
  await image("a", "v1", { annotations: { a: "x".repeat(4_000_000) } });
  const digest = await blob("a", Buffer.alloc(16_000_000));
  for (const path of ["manifests/v1", `blobs/${digest}`]) {
    audit.length = 0;
    const socket = connect(port, "127.0.0.1").pause();
    const broken = new Promise((resolve) => socket.on("error", resolve));
    socket.write(`GET /v2/a/${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(40));
    // Who does not read learns of the end by writing.
    const poke = setInterval(() => socket.write("\r\n"), 50);
    await broken;
    clearInterval(poke);
    // Buffers of the kernel hold some megabytes.
    expect(audit.length).toBeLessThan(10);
  }
  expect(audit).toMatchObject([{ code: "REGISTRY_BODY_SLOW" }]);
});

test("D9: a body that ends early is noted, and the registry goes on", async () => {
  const { port, call, audit } = await registryScene();
  const socket = connect(port, "127.0.0.1");
  socket.write("PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  setTimeout(() => socket.destroy(), 50);
  while (audit.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(audit).toMatchObject([{ code: "REGISTRY_BODY_BROKEN", bytes: 3 }]);
  expect((await call("GET", "/v2/")).status).toBe(200);
});

test("D11: who waits for 100 Continue is told to go on only when the body is wanted", async () => {
  const { port } = await registryScene({ limits: { blobBytes: 10 } });
  const ask = (length: number, body: string): Promise<{ status: number; continued: boolean }> =>
    new Promise((resolve, reject) => {
      const path = `/v2/a/blobs/uploads/?digest=${sha256(body)}`;
      const headers = { Expect: "100-continue", "Content-Length": length };
      const sent = request({ port, host: "127.0.0.1", method: "POST", path, headers });
      let continued = false;
      sent.on("continue", () => {
        continued = true;
        sent.end(body);
      });
      sent.on("response", (reply) => resolve({ status: reply.statusCode ?? 0, continued }));
      sent.on("error", reject);
      sent.flushHeaders();
    });
  expect(await ask(5, "12345")).toEqual({ status: 201, continued: true });
  expect(await ask(11, "12345678901")).toEqual({ status: 413, continued: false });
});

test("D11: a large body that is refused early does not keep the client from hearing why", async () => {
  const { call } = await registryScene({ limits: { blobBytes: 10 } });
  const body = Buffer.alloc(4_000_000);
  const reply = await call("POST", `/v2/a/blobs/uploads/?digest=${sha256(body)}`, {}, body);
  expect(reply.status).toBe(413);
});

test("D11: a socket is its owner's alone, and a stale one is taken away", async () => {
  const path = join(directory(), "registry.sock");
  const registry = await startRegistry({ ...parts(), listen: { socket: path } });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(registry).toMatchObject({ address: path, url: `http+unix:${path}` });
  await expect(startRegistry({ ...parts(), listen: { socket: path } })).rejects.toMatchObject({
    code: "REGISTRY_LISTEN_FAILED",
  });
  const status = await new Promise((resolve, reject) => {
    request({ socketPath: path, path: "/v2/" }, (reply) => resolve(reply.statusCode))
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
  await registry.close();
  const listener = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  spawnSync(process.execPath, ["-e", listener, path]);
  expect(statSync(path).isSocket()).toBe(true);
  await (await startRegistry({ ...parts(), listen: { socket: path } })).close();
});

test("D11: what is no socket stays where it is, and a taken port is refused", async () => {
  const path = join(directory(), "file");
  writeFileSync(path, "mine");
  const refused = { code: "REGISTRY_LISTEN_FAILED" };
  await expect(startRegistry({ ...parts(), listen: { socket: path } })).rejects.toMatchObject(refused);
  expect(readFileSync(path, "utf8")).toBe("mine");
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.on("listening", resolve));
  const { port } = taken.address() as { port: number };
  const listen = { host: "127.0.0.1", port };
  await expect(startRegistry({ ...parts(), listen })).rejects.toMatchObject(refused);
  const tls = { certificate: "no PEM", key: "no PEM" };
  const broken = startRegistry({ ...parts(), listen: { host: "127.0.0.1", port: 0 }, tls });
  await expect(broken).rejects.toMatchObject(refused);
});

const openssl = findProgram("openssl");
test.skipIf(!openssl)("D11: the registry speaks TLS, of version 1.2 at least", async () => {
  const at = directory();
  const [key, certificate] = [join(at, "key.pem"), join(at, "certificate.pem")];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  spawnSync(openssl ?? "", [...words, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate]);
  const pem = { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  const listen = { host: "127.0.0.1", port: 0 };
  const registry = await startRegistry({ ...parts(), listen, tls: pem });
  onTestFinished(() => registry.close());
  expect(registry.url).toBe(`https://${registry.address}`);
  const options = { host: "127.0.0.1", port: Number(registry.address.split(":")[1]), path: "/v2/" };
  const ask = (more: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      requestTls({ ...options, ca: pem.certificate, servername: "localhost", ...more }, (reply) =>
        resolve(reply.statusCode),
      )
        .on("error", reject)
        .end();
    });
  expect(await ask({})).toBe(200);
  await expect(ask({ maxVersion: "TLSv1.1", minVersion: "TLSv1" })).rejects.toThrow();
});

test("D11: closing lets a request under way end, and does not wait for ever", async () => {
  const { registry, port } = await registryScene({ closeSeconds: 0.2 });
  const socket = connect(port, "127.0.0.1");
  const ended = new Promise((resolve) =>
    socket
      .resume()
      .on("close", resolve)
      .on("error", () => {}),
  );
  socket.write("POST /v2/a/blobs/uploads/?digest=x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await registry.close();
  await ended;
});

test("D11: with an address for clients, locations are absolute", async () => {
  const { call, registry } = await registryScene({ url: "https://registry.test/" });
  expect(registry.url).toBe("https://registry.test/");
  const reply = await call("POST", "/v2/a/blobs/uploads/");
  expect(reply.headers.location).toMatch(/^https:\/\/registry\.test\/v2\/a\/blobs\/uploads\/[0-9a-f]{32}$/);
});
