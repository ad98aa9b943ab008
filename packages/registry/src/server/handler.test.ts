import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { registryAuthorityErrors } from "../authority/errors.ts";
import { retryLater } from "../authority/retry-later.ts";
import type { RegistryAuthority } from "../authority.ts";
import { routeOf } from "./route.ts";
import { codesOf, registryScene } from "./scene.fixture.ts";

test("D1: the version check answers, to GET and HEAD", async () => {
  const { call } = await registryScene();
  for (const path of ["/v2/", "/v2"]) {
    expect(await call("GET", path)).toMatchObject({
      status: 200,
      headers: { "docker-distribution-api-version": "registry/2.0" },
    });
  }
  expect((await call("HEAD", "/v2/")).body).toHaveLength(0);
});

test.each([
  ["/v2/a/manifests/v1", "manifest", "a", "v1"],
  ["/v2/a/blobs/uploads/manifests/v1", "manifest", "a/blobs/uploads", "v1"],
  ["/v2/manifests/manifests/tags/list", "tags", "manifests/manifests", ""],
  ["/v2/tags/list/tags/list", "tags", "tags/list", ""],
  ["/v2/a/blobs/uploads/", "uploads", "a", ""],
  ["/v2/a/blobs/uploads", "uploads", "a", ""],
  ["/v2/a/blobs/blobs/uploads/x", "upload", "a/blobs", "x"],
  ["/v2/blobs/blobs/uploads/", "uploads", "blobs", ""],
  ["/v2/a/referrers/referrers/x", "referrers", "a/referrers", "x"],
  ["/v2/_catalog", "catalog", "", ""],
])("D1: %s is read from its end", (path, kind, repository, reference) => {
  expect(routeOf(path)).toEqual({ kind, repository, reference });
});

test("D1: a path of no endpoint is 404, a method that a path does not have 405", async () => {
  const { call } = await registryScene();
  for (const path of ["/", "/v1/", "/v2/a", "/v2/a/b", "/v2/a/tags", "/v2/a/uploads/x", "/v2/../v2/", "/v2/x/tags/x"]) {
    expect(codesOf(await call("GET", path))).toBe("404 UNSUPPORTED REGISTRY_PATH_UNKNOWN");
  }
  const reply = await call("POST", "/v2/a/manifests/v1");
  expect(codesOf(reply)).toBe("405 UNSUPPORTED REGISTRY_METHOD_UNSUPPORTED");
  expect(reply.headers.allow).toBe("GET, HEAD, PUT, DELETE");
  expect((await call("PATCH", "/v2/a/blobs/uploads/")).headers.allow).toBe("POST");
});

test.each([
  ["OCI_NAME_EMPTY", "/v2//manifests/v1"],
  ["OCI_NAME_EMPTY", "/v2/manifests/v1"],
  ["OCI_NAME_EMPTY", "/v2/a//b/manifests/v1"],
  ["OCI_NAME_TRAVERSAL", "/v2/a/../b/manifests/v1"],
  ["OCI_NAME_UPPERCASE", "/v2/A/manifests/v1"],
  ["OCI_NAME_CHARACTER", "/v2/a:b/manifests/v1"],
  ["OCI_NAME_SEPARATOR", "/v2/-a/blobs/uploads/"],
  ["OCI_NAME_TOO_LONG", `/v2/${"a".repeat(256)}/tags/list`],
])("D2: an illegal repository name is refused by its kind (%s)", async (code, path) => {
  const { call } = await registryScene();
  expect(codesOf(await call("GET", path))).toBe(`400 NAME_INVALID ${code}`);
});

test("D2: what fails inside is told to the operator, and not to the client", async () => {
  const failures: unknown[] = [];
  const secret = new Error("the password is hunter2");
  const authority: RegistryAuthority = { identify: () => Promise.reject(secret) };
  const { call } = await registryScene({ authority, failed: (error) => failures.push(error) });
  const reply = await call("GET", "/v2/");
  expect(codesOf(reply)).toBe("500 UNKNOWN REGISTRY_INTERNAL");
  expect(reply.body.toString()).not.toContain("hunter2");
  expect(failures).toEqual([secret]);
});

const challenge = 'Bearer realm="https://registry.test/token",service="registry.test"';
const authority: RegistryAuthority = {
  identify: async (header, { repository }) => {
    if (repository === "busy") throw retryLater(registryAuthorityErrors.make("REGISTRY_RATE_LIMITED", "slow down"), 7);
    if (header !== "Bearer good") return { challenge, reason: "no credential" };
    return { name: "reader", may: (action, name) => action === "pull" && name !== "private" };
  },
};

test("D7: who is unknown is challenged, who may not is refused, whether it is there or not", async () => {
  const { call, backend } = await registryScene({ authority });
  await backend.uploads.put("private", sha256(""), 1, (async function* () {})());
  const unknown = await call("GET", "/v2/");
  expect(codesOf(unknown)).toBe("401 UNAUTHORIZED REGISTRY_UNAUTHORIZED");
  expect(unknown.headers["www-authenticate"]).toBe(challenge);
  const good = { Authorization: "Bearer good" };
  expect((await call("GET", "/v2/", good)).status).toBe(200);
  const denied = "403 DENIED REGISTRY_DENIED";
  expect(codesOf(await call("GET", `/v2/private/blobs/${sha256("")}`, good))).toBe(denied);
  expect(codesOf(await call("GET", `/v2/private/blobs/${sha256("x")}`, good))).toBe(denied);
  for (const [method, path] of [
    ["POST", "/v2/a/blobs/uploads/"],
    ["PUT", "/v2/a/manifests/v1"],
    ["DELETE", "/v2/a/manifests/v1"],
    ["GET", "/v2/_catalog"],
    ["GET", "/v2/a/blobs/uploads/x"],
  ] as const) {
    expect(codesOf(await call(method, path, good))).toBe(denied);
  }
  const limited = await call("GET", "/v2/busy/tags/list");
  expect(codesOf(limited)).toBe("429 TOOMANYREQUESTS REGISTRY_RATE_LIMITED");
  expect(limited.headers["retry-after"]).toBe("7");
});

test("D7: a blob is mounted only from what the caller may pull", async () => {
  const may = (action: string, name: string) => name !== "private" || action !== "pull";
  const { call, blob } = await registryScene({ authority: { identify: async () => ({ name: "writer", may }) } });
  const digest = await blob("private", "secret");
  expect((await call("POST", `/v2/a/blobs/uploads/?mount=${digest}&from=private`)).status).toBe(202);
});

test("D7: every request leaves one audit line, without what was secret in it", async () => {
  const { call, audit } = await registryScene({ authority });
  await call("GET", "/v2/a/tags/list", { Authorization: "Basic c2VjcmV0" });
  await call("PUT", "/v2/a/manifests/v1", { Authorization: "Bearer good" }, "body");
  await call("GET", "/nothing");
  expect(audit).toMatchObject([
    { caller: "anonymous", action: "pull", repository: "a", status: 401, code: "REGISTRY_UNAUTHORIZED" },
    { caller: "reader", action: "push", reference: "v1", status: 403, code: "REGISTRY_DENIED", remote: "127.0.0.1" },
    { action: "check", status: 404, code: "REGISTRY_PATH_UNKNOWN", method: "GET" },
  ]);
  expect(JSON.stringify(audit)).not.toMatch(/c2VjcmV0|good/);
});

test("D7: bytes of bodies are counted in both directions, and paced", async () => {
  const counted: number[] = [];
  const pace = async (bytes: number) => void counted.push(bytes);
  const paced = { identify: async () => ({ name: "x", may: () => true, pace }) };
  const { call, audit, blob } = await registryScene({ authority: paced });
  const digest = await blob("a", "12345");
  await call("GET", `/v2/a/blobs/${digest}`);
  expect(counted).toEqual([5, 5]);
  expect(audit.map(({ bytes }) => bytes)).toEqual([5, 5]);
});

test("D7: the authority answers its own paths before all else", async () => {
  const own: RegistryAuthority = {
    ...authority,
    answer: (request, response) => {
      if (request.url !== "/token") return false;
      response.end("token");
      return true;
    },
  };
  const { call } = await registryScene({ authority: own });
  expect((await call("GET", "/token")).body.toString()).toBe("token");
});
