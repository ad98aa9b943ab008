import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { putImage } from "./images.fixture.ts";
import { follow } from "./redirects.ts";
import { closeScripted, listening, repositoryAt, type ScriptedRegistry, scriptedRegistry } from "./scripted.fixture.ts";
import type { Transport } from "./transport.ts";

afterEach(closeScripted);
const refused = (code: string) => expect.objectContaining({ code });

/** A registry whose manifests are elsewhere. */
const sending = (to: (path: string) => string, status = 307): Promise<ScriptedRegistry> =>
  scriptedRegistry((request, response, path) => {
    if (!path.includes("/manifests/")) return false;
    response.writeHead(status, { location: to(path), "content-length": 0 }).end();
    return request.method !== "";
  });

test("C6: a redirect is followed, and credentials stay with the host that asked for them", async () => {
  const far = await scriptedRegistry();
  const { digest } = await putImage(repositoryAt(far.host), { tag: "v1" });
  const near = await scriptedRegistry((request, response, path) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"', "content-length": 0 }).end();
    } else response.writeHead(302, { location: `http://${far.host}${path}`, "content-length": 0 }).end();
    return true;
  });
  const credentials = async () => ({ kind: "password", user: "u", password: "secret" }) as const;
  const before = far.requests.length;
  expect((await repositoryAt(near.host, { credentials }).manifest(digest)).descriptor.digest).toBe(digest);
  expect(far.requests.slice(before).map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

test.each([
  ["ftp://files.example/x"],
  ["http://user:secret@127.0.0.1/x"],
  ["http://"],
  ["http://a b/"],
  [`http://127.0.0.1/${"a".repeat(9000)}`],
])("C6: a redirect to %s is refused", async (location) => {
  const registry = await sending(() => location);
  await expect(repositoryAt(registry.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_REDIRECT_MALFORMED"));
});

test("C6: redirects end, in a circle at once, else after five", async () => {
  const circle = await sending((path) => path);
  await expect(repositoryAt(circle.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_REDIRECT_LIMIT"));
  expect(circle.log.filter((line) => line.includes("manifests"))).toHaveLength(1);
  const endless = await sending((path) => `${path}x`);
  await expect(repositoryAt(endless.host).manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_REDIRECT_LIMIT"));
  expect(endless.log.filter((line) => line.includes("manifests"))).toHaveLength(6);
});

test("C6: what changes something is not sent elsewhere", async () => {
  const far = await scriptedRegistry();
  const registry = await scriptedRegistry((request, response, path) => {
    if (request.method !== "POST") return false;
    response.writeHead(307, { location: `http://${far.host}${path}`, "content-length": 0 }).end();
    return true;
  });
  await expect(putImage(repositoryAt(registry.host))).rejects.toThrow(refused("OCI_CLIENT_REDIRECT_METHOD"));
  expect(far.log).toEqual([]);
});

test("C6: https does not become http", async () => {
  const asked: string[] = [];
  const transport: Transport = {
    ask: async ({ url }) => {
      asked.push(url.href);
      const message = Object.assign(new PassThrough(), { headers: {} }) as unknown as IncomingMessage;
      return { status: 302, headers: { location: "http://registry.example/x" }, message, remote: undefined };
    },
    close: () => {},
  };
  const question = { method: "GET", url: new URL("https://registry.example/v2/"), headers: {}, allowPrivate: true };
  await expect(follow(transport, question)).rejects.toThrow(refused("OCI_CLIENT_REDIRECT_DOWNGRADE"));
  expect(asked).toEqual(["https://registry.example/v2/"]);
});

test("C6: a public registry does not lead to a private address", async () => {
  const inside = await scriptedRegistry();
  // The user's proxy reaches the public registry; who is asked is judged by name.
  const proxy = await listening((_request, response) => {
    response.writeHead(307, { location: `http://${inside.host}/v2/a/b/manifests/v1`, "content-length": 0 }).end();
  });
  const environment = { http_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const repository = repositoryAt("registry.example", { environment, insecurePlainHttp: ["registry.example"] });
  await expect(repository.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_PRIVATE_ADDRESS"));
  expect(inside.log).toEqual([]);
});
