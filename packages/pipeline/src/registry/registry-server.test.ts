import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { get } from "node:https";
import { join } from "node:path";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { certificateOfFactory } from "./certificate.ts";
import { adaLines, adaPassword, registryScene } from "./registry.fixture.ts";
import { mintRegistryToken } from "./registry-token.ts";

const refusal = (code: string) => expect.objectContaining({ code }) as object;
let scene: Awaited<ReturnType<typeof registryScene>>;
afterEach(() => scene.dispose());

const basic = `Basic ${Buffer.from(`ada:${adaPassword}`).toString("base64")}`;
const lines = (): Record<string, unknown>[] =>
  readFileSync(scene.audit, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("G1: a registry is put together from a home, follows its configuration, and is taken apart", async () => {
  scene = await registryScene(`${await adaLines('{ "team/**": [pull, push] }')}uploads: { blob: 100B }\n`);
  const server = await scene.serve();
  const ask = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
  const challenged = await ask("/v2/");
  expect(challenged.headers.get("www-authenticate")).toBe(
    `Bearer realm="${server.url}/v2/token",service="touchmark-registry"`,
  );
  const headers = { authorization: basic };
  expect((await ask("/v2/", { headers })).status).toBe(200);
  const upload = (bytes: number) =>
    ask(`/v2/team/app/blobs/uploads/?digest=sha256:${"0".repeat(64)}`, {
      method: "POST",
      headers,
      body: Buffer.alloc(bytes),
    });
  expect((await upload(101)).status).toBe(413);
  expect((await upload(100)).status).toBe(400);
  expect((await ask("/v2/other/tags/list", { headers })).status).toBe(403);
  expect((await ask("/v2/public/app/tags/list")).status).toBe(401);
  scene.configure("anonymous: [public/**]\n");
  await expect.poll(async () => (await ask("/v2/public/app/tags/list")).status, { timeout: 10_000 }).toBe(404);
  expect((await ask("/v2/", { headers })).status).toBe(401);
  await server.close();
  await expect(ask("/v2/")).rejects.toThrow();
  expect(lines().some(({ caller, status }) => caller === "ada" && status === 403)).toBe(true);
  expect(readFileSync(scene.audit, "utf8")).not.toContain(basic.slice(6));
});

test("G1: what cannot be put together leaves nothing open", async () => {
  scene = await registryScene("");
  const { url = "" } = await scene.serve();
  await expect(scene.serve({ listen: new URL(url).host })).rejects.toThrow(refusal("REGISTRY_LISTEN_FAILED"));
  await expect(scene.serve({ configuration: join(scene.directory, "none.yaml") })).rejects.toThrow(
    refusal("REGISTRY_CONFIG_UNREADABLE"),
  );
  scene.configure("anonymus: read\n");
  await expect(scene.serve()).rejects.toThrow(refusal("REGISTRY_CONFIG_KEY_UNKNOWN"));
});

test("G2: beyond this host there is TLS, or somebody said not, and that is recorded", async () => {
  scene = await registryScene("");
  for (const listen of ["0.0.0.0:0", "[::]:0"]) {
    await expect(scene.serve({ listen })).rejects.toThrow(refusal("REGISTRY_CONFIG_PLAIN_HTTP"));
  }
  const open = await scene.serve({ listen: "0.0.0.0:0", insecurePlainHttp: true, insecureAnonymousWrite: true });
  expect(open.insecure).toEqual(["anonymous-write", "plain-http"]);
  // No address for clients is known, and everybody may do everything.
  expect(open.url).toBeUndefined();
  const port = open.address.slice(open.address.lastIndexOf(":") + 1);
  expect((await fetch(`http://127.0.0.1:${port}/v2/`)).status).toBe(200);
  await open.close();
  expect(lines().find(({ action }) => action === "serve")).toMatchObject({ insecure: open.insecure });
});

test("G2: a socket of its owner alone needs no TLS", async () => {
  scene = await registryScene("anonymous: read\n");
  const path = join(scene.directory, "r.sock");
  const server = await scene.serve({ listen: `unix:${path}` });
  expect([server.url, server.insecure, statSync(path).mode & 0o077]).toEqual([undefined, [], 0]);
  const status = await new Promise<string | undefined>((resolve) => {
    request({ socketPath: path, path: "/v2/", headers: { host: "registry" } }, (response) => {
      resolve(response.headers["www-authenticate"]);
      response.resume();
    }).end();
  });
  expect(status).toBe('Basic realm="touchmark-registry", charset="UTF-8"');
});

test("G3: the factory's authority certifies what was asked for and the host, and clients that trust its root agree", async () => {
  scene = await registryScene("anonymous: read\n");
  const server = await scene.serve({ tls: { names: ["localhost", "Registry.internal"] } });
  expect(server.url).toMatch(/^https:\/\/localhost:\d+$/);
  const port = Number(server.address.split(":").at(-1));
  const ca = readFileSync(server.authorityFile ?? "", "utf8");
  const shown = (servername: string, trusted: string | undefined = ca) =>
    new Promise<PeerCertificate>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, servername, ...(trusted === undefined ? {} : { ca: trusted }) };
      const socket: TLSSocket = connect(options, () => {
        resolve(socket.getPeerCertificate());
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const certificate = await shown("registry.internal");
  const { trustDomain } = await scene.factory.identity();
  expect(certificate.subjectaltname).toBe(
    `URI:spiffe://${trustDomain}/registry, DNS:localhost, DNS:registry.internal, IP Address:127.0.0.1`,
  );
  expect(Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from)).toBe(600_000);
  await expect(shown("other.internal")).rejects.toThrow(/altnames/);
  await expect(
    new Promise((resolve, reject) => get(`https://localhost:${port}/v2/`, resolve).on("error", reject)),
  ).rejects.toThrow(/certificate/);
});

test("G3: without a factory no name is certified, and a key that everybody can read is not used", async () => {
  scene = await registryScene("");
  const bare = { home: scene.factory.home, listen: "127.0.0.1:0", tls: { names: ["a.internal"] } };
  const { openRegistryServer } = await import("./registry-server.ts");
  await expect(openRegistryServer(bare)).rejects.toThrow(refusal("REGISTRY_CONFIG_TLS_UNAVAILABLE"));
  await expect(scene.serve({ tls: { names: ["a b"] } })).rejects.toThrow(refusal("LEAF_HOST_INVALID"));
  const pair = certificateOfFactory(await scene.factory.identity(), ["localhost"]);
  const files = { certificate: join(scene.directory, "c.pem"), key: join(scene.directory, "k.pem") };
  await expect(scene.serve({ tls: files })).rejects.toThrow(refusal("REGISTRY_CONFIG_UNREADABLE"));
  writeFileSync(files.certificate, pair.certificate);
  writeFileSync(files.key, pair.key);
  chmodSync(files.key, 0o644);
  await expect(scene.serve({ tls: files })).rejects.toThrow(refusal("REGISTRY_CONFIG_KEY_EXPOSED"));
  chmodSync(files.key, 0o640);
  expect((await scene.serve({ tls: files })).url).toMatch(/^https:/);
  writeFileSync(files.key, "no key");
  await expect(scene.serve({ tls: files })).rejects.toThrow(refusal("REGISTRY_LISTEN_FAILED"));
});

test("G3: a running registry shows a renewed certificate to the next connection", async () => {
  scene = await registryScene("");
  const identity = await scene.factory.identity();
  const { startRegistry, memoryRegistryBackend, openAuthority } = await import("@touchmark/registry");
  const fresh = () => certificateOfFactory(identity, ["localhost"]);
  const settings = { backend: memoryRegistryBackend(), authority: openAuthority(), tls: fresh() };
  const running = await startRegistry({ ...settings, listen: { host: "127.0.0.1", port: 0 } });
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const port = Number(running.address.split(":").at(-1));
      const socket: TLSSocket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const first = await serial();
  expect(await serial()).toBe(first);
  running.renew(fresh());
  expect(await serial()).not.toBe(first);
  expect(() => running.renew({ certificate: "x", key: "y" })).toThrow(refusal("REGISTRY_LISTEN_FAILED"));
  await running.close();
});

test("G4: a token speaks for an identity that the factory may have, for single repositories, and minutes", async () => {
  scene = await registryScene("tokens: { service: here }\n");
  const identity = await scene.factory.identity();
  const request = {
    home: scene.factory.home,
    identity,
    spiffeId: `spiffe://${identity.trustDomain}/project/p/pipeline/l/step/publish`,
    repositories: ["team/app"],
    actions: ["pull", "catalog"] as const,
  };
  const minted = await mintRegistryToken(request);
  expect(minted).toMatchObject({ service: "here", subject: request.spiffeId });
  const server = await scene.serve();
  const ask = (path: string, token = minted.token) =>
    fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
  expect([await ask("/v2/team/app/tags/list"), await ask("/v2/team/b/tags/list"), await ask("/v2/_catalog")]).toEqual([
    404, 403, 200,
  ]);
  for (const [change, code] of [
    [{ spiffeId: "spiffe://other.internal/builder" }, "IDENTITY_FOREIGN"],
    [{ spiffeId: `spiffe://${identity.trustDomain}/admin` }, "IDENTITY_NOT_PERMITTED"],
    [{ repositories: ["team/**"] }, "REGISTRY_TOKEN_SCOPE_INVALID"],
    [{ lifetimeSeconds: 3601 }, "REGISTRY_TOKEN_LIFETIME_INVALID"],
  ] as const) {
    await expect(mintRegistryToken({ ...request, ...change })).rejects.toThrow(refusal(code));
  }
  rmSync(join(scene.factory.home.paths.registry, "token-key.json"));
  await expect.poll(() => ask("/v2/_catalog"), { timeout: 10_000 }).toBe(401);
});
