import { sha256 } from "@touchmark/core";
import { descriptorOf, mediaTypes } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { codesOf, config, good, layer, serverScene } from "./server-scene.ts";

const foreign = { ...layer, urls: ["http://169.254.169.254/latest/meta-data"] };
const nested = `${"[".repeat(5000)}${"]".repeat(5000)}`;
const text = JSON.stringify(good());

test.each([
  ["400 OCI_TOO_MANY_LAYERS", { ...good(), layers: Array(10_000).fill(layer) }],
  ["400 OCI_DUPLICATE_KEY", text.replace("{", '{"layers":[],')],
  ["400 OCI_DUPLICATE_KEY", text.replace("{", '{"Layers":[],')],
  ["400 OCI_DUPLICATE_KEY", text.replace('"size":2', '"size":2,"size":3')],
  ["400 OCI_DUPLICATE_KEY", text.replace('"size":2', '"size":2,"SIZE":3')],
  ["400 OCI_TOO_DEEP", text.replace("{", `{"x":${nested},`)],
  ["400 OCI_FOREIGN_CONTENT", { ...good(), layers: [foreign] }],
  ["400 OCI_FOREIGN_CONTENT", { ...good(), layers: [{ ...layer, mediaType: mediaTypes.dockerForeignLayer }] }],
  ["400 OCI_FOREIGN_CONTENT", { ...good(), subject: foreign }],
  ["400 OCI_KIND_AMBIGUOUS", { ...good(), manifests: [] }],
  ["400 OCI_SCHEMA_1_REFUSED", { ...good(), schemaVersion: 1 }],
  ["400 OCI_MEDIA_TYPE_MISMATCH", { ...good(), mediaType: mediaTypes.index }],
  ["400 OCI_MALFORMED", "not JSON"],
  ["400 OCI_MALFORMED", `${text} ${text}`],
  ["400 OCI_MALFORMED", text.replace("{", '{"__proto__":{"layers":[]},')],
  ["400 OCI_SIZE_INVALID", { ...good(), config: { ...config, size: -1 } }],
  ["400 OCI_SIZE_INVALID", text.replace('"size":2', '"size":1e400')],
  ["400 REGISTRY_SIZE_MISMATCH", { ...good(), layers: [{ ...layer, size: 1 }] }],
  ["400 OCI_DIGEST_UNSUPPORTED", { ...good(), config: { ...config, digest: `sha512:${"0".repeat(128)}` } }],
  ["400 OCI_DIGEST_MALFORMED", { ...good(), config: { ...config, digest: "sha256:../../etc/passwd" } }],
  ["400 OCI_DESCRIPTOR_DATA", { ...good(), config: { ...config, data: "ZXZpbA==" } }],
  ["400 OCI_DESCRIPTOR_MALFORMED", { ...good(), config: [] }],
  ["400 OCI_ANNOTATIONS_INVALID", { ...good(), annotations: { a: { b: 1 } } }],
  ["404 REGISTRY_REFERENCE_MISSING", { ...good(), layers: [descriptorOf(Buffer.from("gone"), mediaTypes.layer)] }],
])("D14: a hostile manifest is %s, and leaves nothing behind", async (code, value) => {
  const { put, call } = await serverScene();
  expect(await put("v1", value)).toBe(code);
  const { tags } = JSON.parse((await call("GET", "/v2/victim/tags/list")).body.toString()) as { tags: string[] };
  expect(tags).toEqual([]);
});

test("D14: a manifest of another type than its bytes are sent as is refused", async () => {
  const { put } = await serverScene();
  expect(await put("v1", good(), mediaTypes.dockerManifest)).toBe("400 OCI_MEDIA_TYPE_MISMATCH");
  expect(await put("v1", good(), "text/html")).toBe("400 OCI_MEDIA_TYPE_MISMATCH");
  const { mediaType: _, ...silent } = good();
  expect(await put("v1", silent, "text/html")).toBe("400 OCI_MEDIA_TYPE_UNSUPPORTED");
  expect(await put("v1", silent, "application/vnd.docker.distribution.manifest.v1+prettyjws")).toBe(
    "400 OCI_SCHEMA_1_REFUSED",
  );
});

test("D14: a manifest is not taken under the digest of another, nor under what looks like one", async () => {
  const { put, call } = await serverScene();
  expect(await put(sha256("other"), good())).toBe("400 REGISTRY_DIGEST_MISMATCH");
  expect((await call("GET", `/v2/victim/manifests/${sha256("other")}`)).status).toBe(404);
  const hex = "0".repeat(64);
  expect(await put(hex, good())).toBe("400 OCI_TAG_LIKE_DIGEST");
  expect(await put(`sha256:${hex}00`, good())).toBe("400 OCI_DIGEST_MALFORMED");
  expect(await put(`sha256:${hex.toUpperCase().replaceAll("0", "A")}`, good())).toBe("400 OCI_DIGEST_MALFORMED");
  expect(await put(`sha512:${hex}${hex}`, good())).toBe("400 OCI_DIGEST_UNSUPPORTED");
});

test("D14: no circle of indexes can be begun: each needs what it names, in its type and size", async () => {
  const { put, call } = await serverScene();
  const index = (digest: string, mediaType: string, size: number) => ({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ mediaType, digest, size }],
  });
  const ahead = index(sha256("the next"), mediaTypes.index, 200);
  expect(await put("a", ahead, mediaTypes.index)).toBe("404 REGISTRY_REFERENCE_MISSING");
  expect(await put("v1", good())).toBe("201");
  const { headers, body } = await call("GET", "/v2/victim/manifests/v1");
  const digest = String(headers["docker-content-digest"]);
  expect(await put("a", index(digest, mediaTypes.index, body.length), mediaTypes.index)).toBe(
    "400 OCI_MEDIA_TYPE_MISMATCH",
  );
  expect(await put("a", index(digest, mediaTypes.manifest, 1), mediaTypes.index)).toBe("400 REGISTRY_SIZE_MISMATCH");
  // A blob is no manifest, whatever an index calls it.
  expect(await put("a", index(layer.digest, mediaTypes.manifest, 5), mediaTypes.index)).toBe(
    "404 REGISTRY_REFERENCE_MISSING",
  );
  expect(await put("a", index(digest, mediaTypes.manifest, body.length), mediaTypes.index)).toBe("201");
});

test("D14: a manifest of 5 MiB is refused before it is read, one that does not say its size while it is", async () => {
  const { call } = await serverScene();
  const large = JSON.stringify({ ...good(), annotations: { a: "x".repeat(5 * 1024 * 1024) } });
  for (const headers of [{}, { "Transfer-Encoding": "chunked" }]) {
    const reply = await call("PUT", "/v2/victim/manifests/v1", large, headers);
    expect(codesOf(reply)).toBe("413 REGISTRY_TOO_LARGE");
  }
});

test("AT18: the bytes of a tag that moves between check and use are those of its digest", async () => {
  const { put, call } = await serverScene();
  await put("v1", good());
  const digest = String((await call("HEAD", "/v2/victim/manifests/v1")).headers["docker-content-digest"]);
  await put("v1", { ...good(), annotations: { evil: "yes" } });
  const byDigest = await call("GET", `/v2/victim/manifests/${digest}`);
  expect(sha256(byDigest.body)).toBe(digest);
  const byTag = await call("GET", "/v2/victim/manifests/v1", undefined, { "If-None-Match": `"${digest}"` });
  expect(byTag.status).toBe(200);
  expect(sha256(byTag.body)).toBe(byTag.headers["docker-content-digest"]);
});
