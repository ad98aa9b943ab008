import { sha256 } from "@touchmark/core";
import { descriptorOf, type ImageIndex, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { codesOf, imageOf, registryScene } from "./scene.fixture.ts";

const subject = descriptorOf(Buffer.from("not there yet"), mediaTypes.manifest);

test("D5: a manifest is pulled by tag and digest, in the bytes and with the type that it was pushed", async () => {
  const { call, image } = await registryScene();
  const { digest, bytes, reply } = await image("a/b", "v1");
  expect(reply).toMatchObject({
    status: 201,
    headers: { location: `/v2/a/b/manifests/${digest}`, "docker-content-digest": digest },
  });
  for (const reference of ["v1", digest]) {
    const found = await call("GET", `/v2/a/b/manifests/${reference}`);
    expect(found.body.equals(bytes)).toBe(true);
    expect(found.headers).toMatchObject({ "content-type": mediaTypes.manifest, "docker-content-digest": digest });
    const head = await call("HEAD", `/v2/a/b/manifests/${reference}`);
    expect(head).toMatchObject({
      status: 200,
      headers: { "content-length": String(bytes.length) },
      body: Buffer.alloc(0),
    });
  }
});

test("D5: what is there is sent as it is, whatever the client accepts; 304 when it has it", async () => {
  const { call, image } = await registryScene();
  const { digest } = await image("a", "v1");
  const accept = { Accept: mediaTypes.dockerIndex };
  expect((await call("GET", "/v2/a/manifests/v1", accept)).headers["content-type"]).toBe(mediaTypes.manifest);
  const known = await call("GET", "/v2/a/manifests/v1", { "If-None-Match": `"${digest}"` });
  expect(known).toMatchObject({ status: 304, headers: { "cache-control": "no-cache" } });
  expect((await call("GET", `/v2/a/manifests/${digest}`)).headers["cache-control"]).toContain("immutable");
});

test("D5: a manifest is taken under its own digest alone", async () => {
  const { image, manifest } = await registryScene();
  await image("a", "v1");
  const wrong = await manifest("a", sha256("other"), imageOf(Buffer.from("layer")));
  expect(codesOf(wrong)).toBe("400 DIGEST_INVALID REGISTRY_DIGEST_MISMATCH");
  expect((await manifest("a", undefined, imageOf(Buffer.from("layer")))).status).toBe(201);
});

test("D5: parameters of the Content-Type are ignored, and the body may speak for itself", async () => {
  const { call, image } = await registryScene();
  const { bytes } = await image("a", "v1");
  const put = (headers: Record<string, string>) => call("PUT", "/v2/a/manifests/v2", headers, bytes);
  expect((await put({ "Content-Type": `${mediaTypes.manifest}; charset=utf-8` })).status).toBe(201);
  expect((await put({})).status).toBe(201);
  const mismatch = await put({ "Content-Type": mediaTypes.index });
  expect(codesOf(mismatch)).toBe("400 MANIFEST_INVALID OCI_MEDIA_TYPE_MISMATCH");
});

test("D5: what a manifest references must be there, in its size and type; the subject need not", async () => {
  const { image, manifest, blob } = await registryScene();
  const { digest, bytes } = await image("a", undefined);
  const there = imageOf(Buffer.from("layer"));
  const missing = await manifest("a", "v1", imageOf(Buffer.from("other")));
  expect(codesOf(missing)).toBe("404 MANIFEST_BLOB_UNKNOWN REGISTRY_REFERENCE_MISSING");
  const size = await manifest("a", "v1", { ...there, config: { ...there.config, size: 3 } });
  expect(codesOf(size)).toBe("400 SIZE_INVALID REGISTRY_SIZE_MISMATCH");
  const list = (mediaType: string, of: string): ImageIndex => ({
    kind: "index",
    mediaType: mediaTypes.index,
    manifests: [{ mediaType, digest: of as `sha256:${string}`, size: bytes.length }],
  });
  expect((await manifest("a", "list", list(mediaTypes.manifest, digest))).status).toBe(201);
  const type = await manifest("a", "list", list(mediaTypes.dockerManifest, digest));
  expect(codesOf(type)).toBe("400 MANIFEST_INVALID OCI_MEDIA_TYPE_MISMATCH");
  const gone = await manifest("a", "list", list(mediaTypes.manifest, sha256("gone")));
  expect(codesOf(gone)).toBe("404 MANIFEST_BLOB_UNKNOWN REGISTRY_REFERENCE_MISSING");
  await blob("b", "{}");
  const elsewhere = await manifest("b", "v1", there);
  expect(codesOf(elsewhere)).toBe("404 MANIFEST_BLOB_UNKNOWN REGISTRY_REFERENCE_MISSING");
  expect((await manifest("a", "signed", { ...there, subject })).headers["oci-subject"]).toBe(subject.digest);
});

test("D5: a manifest of more than the limit is 413, announced or not", async () => {
  const { call, image } = await registryScene({ limits: { manifestBytes: 2000 } });
  await image("a", "v1");
  const large = serializeManifest({ ...imageOf(Buffer.from("layer")), annotations: { a: "x".repeat(2000) } });
  for (const headers of [{}, { "Transfer-Encoding": "chunked" }]) {
    const reply = await call("PUT", "/v2/a/manifests/v2", headers, large);
    expect(codesOf(reply)).toBe("413 SIZE_INVALID REGISTRY_TOO_LARGE");
  }
});

test("D5: a manifest of 4 MB is taken", async () => {
  const { image, call } = await registryScene();
  const { reply, bytes } = await image("a", "v1", { annotations: { a: "x".repeat(4_000_000) } });
  expect(reply.status).toBe(201);
  expect((await call("GET", "/v2/a/manifests/v1")).body.equals(bytes)).toBe(true);
});

test("D5: tags and manifests that nobody could have pushed are 404; a malformed digest is 400", async () => {
  const { call } = await registryScene();
  for (const reference of ["v1", ".x", "a".repeat(129), "0".repeat(64), `sha512:${"0".repeat(128)}`]) {
    const reply = await call("GET", `/v2/a/manifests/${reference}`);
    expect(codesOf(reply)).toBe("404 MANIFEST_UNKNOWN REGISTRY_MANIFEST_UNKNOWN");
  }
  expect(codesOf(await call("GET", "/v2/a/manifests/sha256:1"))).toBe("400 DIGEST_INVALID OCI_DIGEST_MALFORMED");
});

test("D5: a tag is deleted alone, a manifest with its tags", async () => {
  const { call, image } = await registryScene();
  const { digest } = await image("a", "v1");
  await image("a", "v2");
  const status = async (method: string, reference: string) =>
    (await call(method, `/v2/a/manifests/${reference}`)).status;
  expect(await status("DELETE", "v1")).toBe(202);
  expect([await status("GET", "v1"), await status("GET", "v2"), await status("DELETE", "v1")]).toEqual([404, 200, 404]);
  expect(await status("DELETE", digest)).toBe(202);
  expect([await status("GET", "v2"), await status("GET", digest), await status("DELETE", digest)]).toEqual([
    ...[404, 404, 404],
  ]);
});

test("D8: tags are judged before they are set, and an immutable one is not deleted either", async () => {
  const judged: string[] = [];
  const judge = async (repository: string, tag: string) => {
    judged.push(`${repository}:${tag}`);
    return { immutable: tag === "v1" };
  };
  const { call, image } = await registryScene({ tagRules: { judge } });
  const { digest } = await image("a", "v1");
  expect((await image("a", "v1")).reply.status).toBe(201);
  const moved = await image("a", "v1", { annotations: { a: "b" } });
  expect(codesOf(moved.reply)).toBe("403 DENIED REGISTRY_TAG_IMMUTABLE");
  for (const reference of ["v1", digest]) {
    const reply = await call("DELETE", `/v2/a/manifests/${reference}`);
    expect(codesOf(reply)).toBe("403 DENIED REGISTRY_TAG_IMMUTABLE");
  }
  expect((await call("GET", "/v2/a/manifests/v1")).headers["docker-content-digest"]).toBe(digest);
  expect(new Set(judged)).toEqual(new Set(["a:v1"]));
});
