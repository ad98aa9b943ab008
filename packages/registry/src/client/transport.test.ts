import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, afterEach, expect, test } from "vitest";
import { putImage } from "./images.fixture.ts";
import {
  closeScripted,
  json,
  listening,
  quietClient,
  repositoryAt,
  type Script,
  scriptedRegistry,
} from "./scripted.fixture.ts";

afterEach(closeScripted);
const directory = mkdtempSync(join(tmpdir(), "touchmark-transport-"));
afterAll(() => rmSync(directory, { recursive: true }));
const openssl = findProgram("openssl");

const refused = (code: string) => expect.objectContaining({ code });
const digest = `sha256:${"0".repeat(64)}`;
const afterProbe =
  (script: Script): Script =>
  (request, response, path) =>
    path === "/v2/" ? false : script(request, response, path);

test.skipIf(openssl === undefined)(
  "C4: https is spoken with who has a certificate of a trusted authority for the host, alone",
  async () => {
    const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const names = ["-subj", "/CN=registry", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync(openssl ?? "", [...words, "-keyout", key, "-out", certificate, ...names], { stdio: "ignore" });
    const honest = await scriptedRegistry();
    const server = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (request, response) => {
        const [hostname, port] = honest.host.split(":");
        const { method, url: path, headers } = request;
        const onward = ask({ hostname, port, method, path, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        });
        request.pipe(onward);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const trusting = { authorities: [certificate] };
      const { digest: found } = await putImage(repositoryAt(`localhost:${port}`, trusting), { tag: "v1" });
      const environment = { SSL_CERT_FILE: certificate };
      expect((await repositoryAt(`localhost:${port}`, { environment }).manifest("v1")).descriptor.digest).toBe(found);
      await expect(repositoryAt(`localhost:${port}`).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_TLS"));
      await expect(repositoryAt(`127.0.0.1:${port}`, trusting).manifest("v1")).rejects.toThrow(
        refused("OCI_CLIENT_TLS"),
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);

test("C4: plain http is spoken with this host, and elsewhere only where an insecure option says so", async () => {
  const proxied: string[] = [];
  const proxy = await listening((request, response) => {
    proxied.push(`${request.method} ${request.url}`);
    json(response, 404, {});
  });
  const tunnels: string[] = [];
  proxy.on("connect", (request, socket) => {
    tunnels.push(String(request.url));
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  const environment = { http_proxy: `127.0.0.1:${(proxy.address() as AddressInfo).port}`, no_proxy: "" };
  const both = { ...environment, https_proxy: environment.http_proxy };
  const plain = repositoryAt("registry.example", { environment: both, insecurePlainHttp: ["registry.example"] });
  await expect(plain.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_NOT_FOUND"));
  expect(proxied).toEqual(["GET http://registry.example/v2/a/b/manifests/v1"]);
  const secure = repositoryAt("registry.example", { environment: both });
  await expect(secure.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_UNREACHABLE"));
  expect(new Set(tunnels)).toEqual(new Set(["registry.example:443"]));
  const own = await scriptedRegistry();
  expect(await repositoryAt(own.host, { environment: both }).hasBlob(digest as never)).toBe(false);
  expect(proxied).toHaveLength(1);
});

test("C4: a registry that is not there is unreachable, after some attempts", async () => {
  const registry = await scriptedRegistry();
  await registry.close();
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_UNREACHABLE"));
});

test("C4: a registry that does not answer in time is given up, one that does at a later attempt is not", async () => {
  let held = 0;
  const registry = await scriptedRegistry(afterProbe(() => held++ >= 0));
  const patience = { headMs: 1500, attempts: 2 };
  await expect(repositoryAt(registry.host, { patience }).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_SLOW"));
  expect(held).toBe(2);
  registry.script = (_request, response, path) =>
    path !== "/v2/" && held++ < 4 && json(response, 503, {}, { "retry-after": "0" });
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_NOT_FOUND"));
});

test("C4: an answer that stands still is given up, and its connection with it", async () => {
  const registry = await scriptedRegistry(
    afterProbe((_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{");
      return true;
    }),
  );
  const patience = { idleMs: 300, attempts: 1 };
  await expect(repositoryAt(registry.host, { patience }).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_SLOW"));
});

test("C4: a registry that fails again and again, or asks for a long wait, is given up", async () => {
  const registry = await scriptedRegistry(afterProbe((_request, response) => json(response, 500, {})));
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_SERVER_FAILED"));
  expect(registry.log).toHaveLength(4);
  registry.script = afterProbe((_request, response) => json(response, 429, {}, { "retry-after": "3600" }));
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_SERVER_FAILED"));
  expect(registry.log).toHaveLength(6);
});

test.each([
  ["packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"],
  ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
  ["an upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
  ["many headers", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(200)}Content-Length: 0\r\n\r\n`],
  ["long headers", `HTTP/1.1 200 OK\r\na: ${"b".repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
])("C4: an answer that is %s is refused", async (_what, answer) => {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => {
      socket.end(String(data).startsWith("GET /v2/ ") ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(repositoryAt(host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_PROTOCOL"));
  server.close();
});

test("C4: settings that cannot be read are refused, without showing a proxy's password", () => {
  const empty = join(directory, "empty.pem");
  writeFileSync(empty, "nothing\n");
  const client = (options: Parameters<typeof quietClient>[0]) => () =>
    quietClient(options).repository({ registry: "r.example", repository: "a" });
  for (const options of [
    { environment: { https_proxy: "socks5://u:secret@p.example" } },
    { insecurePlainHttp: ["http://r.example"] },
    { mirrors: { "r.example": ["m.example:x/y"] } },
    { mirrors: { "": ["m.example"] } },
  ]) {
    expect(client(options)).toThrow(refused("OCI_CLIENT_SETTINGS_INVALID"));
  }
  expect(client({ environment: { https_proxy: "socks5://u:secret@p.example" } })).not.toThrow(/secret/);
});

test("C4: a file of authorities that holds none is refused", async () => {
  const empty = join(directory, "none.pem");
  writeFileSync(empty, "nothing\n");
  const repository = repositoryAt("r.example", { authorities: [empty] });
  await expect(async () => repository.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_SETTINGS_INVALID"));
});

test("C4: a status that has no place is named", async () => {
  const registry = await scriptedRegistry(afterProbe((_request, response) => json(response, 304, {})));
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_STATUS"));
  registry.script = afterProbe((_request, response) => json(response, 204, {}));
  await expect(repositoryAt(registry.host).hasBlob(digest as never)).rejects.toThrow(refused("OCI_CLIENT_STATUS"));
});
