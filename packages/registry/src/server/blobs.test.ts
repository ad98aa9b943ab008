import { randomBytes } from "node:crypto";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codesOf, registryScene } from "./scene.fixture.ts";

const content = randomBytes(300_000);
const digest = sha256(content);

async function withBlob() {
  const scene = await registryScene();
  await scene.blob("a/b", content);
  return { ...scene, path: `/v2/a/b/blobs/${digest}` };
}

test("D3: a blob is pulled whole, with its digest, size and type", async () => {
  const { call, path } = await withBlob();
  const reply = await call("GET", path);
  expect(reply.status).toBe(200);
  expect(reply.body.equals(content)).toBe(true);
  expect(reply.headers).toMatchObject({
    "docker-content-digest": digest,
    "content-length": "300000",
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
    "cache-control": "max-age=31536000, immutable",
  });
  const head = await call("HEAD", path);
  expect(head).toMatchObject({ status: 200, headers: { "content-length": "300000", "docker-content-digest": digest } });
  expect(head.body).toHaveLength(0);
});

test.each([
  ["bytes=0-0", 0, 1],
  ["bytes=100-199", 100, 200],
  ["bytes=299999-", 299_999, 300_000],
  ["bytes=-10", 299_990, 300_000],
  ["bytes=-999999", 0, 300_000],
  ["bytes=1-999999999", 1, 300_000],
])("D3: the range %s is given, and no more", async (range, start, end) => {
  const { call, path } = await withBlob();
  const reply = await call("GET", path, { Range: range });
  expect(reply.status).toBe(206);
  expect(reply.body.equals(content.subarray(start, end))).toBe(true);
  expect(reply.headers["content-range"]).toBe(`bytes ${start}-${end - 1}/300000`);
});

test.each(["bytes=5-1", "items=0-1", "bytes=0-1,3-4", "bytes=-", "bytes=a-b"])(
  "D3: %s is no range of ours: the whole comes",
  async (range) => {
    const { call, path } = await withBlob();
    expect(await call("GET", path, { Range: range })).toMatchObject({ status: 200, body: content });
  },
);

test("D3: a range of what is not there is 416, and says how much there is", async () => {
  const { call, path } = await withBlob();
  for (const range of ["bytes=300000-", "bytes=300000-300001", "bytes=-0"]) {
    const reply = await call("GET", path, { Range: range });
    expect(codesOf(reply)).toBe("416 SIZE_INVALID REGISTRY_RANGE_INVALID");
    expect(reply.headers["content-range"]).toBe("bytes */300000");
  }
});

test("D3: If-Range with another tag wants the whole, If-None-Match with this one nothing", async () => {
  const { call, path } = await withBlob();
  const other = { Range: "bytes=0-1", "If-Range": '"other"' };
  expect((await call("GET", path, other)).status).toBe(200);
  expect((await call("GET", path, { ...other, "If-Range": `"${digest}"` })).status).toBe(206);
  for (const tags of [`"${digest}"`, `"x", W/"${digest}"`, "*"]) {
    expect(await call("GET", path, { "If-None-Match": tags })).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  }
  expect((await call("GET", path, { "If-None-Match": '"x"' })).status).toBe(200);
});

test("D3: what is not in this repository is 404, also when another has it", async () => {
  const { call, path } = await withBlob();
  expect((await call("HEAD", path.replace("a/b", "c"))).status).toBe(404);
  expect(codesOf(await call("GET", path.replace("a/b", "c")))).toBe("404 BLOB_UNKNOWN REGISTRY_BLOB_UNKNOWN");
  expect(codesOf(await call("GET", "/v2/a/b/blobs/sha256:12"))).toBe("400 DIGEST_INVALID OCI_DIGEST_MALFORMED");
});

test("D3: a digest may be percent-encoded, a repository may not", async () => {
  const { call, path } = await withBlob();
  expect((await call("HEAD", path.replace("sha256:", "sha256%3A"))).status).toBe(200);
  expect(codesOf(await call("GET", path.replace("a/b", "a%2fb")))).toBe("400 NAME_INVALID OCI_NAME_CHARACTER");
});

test("D3: a deleted blob is gone from its repository alone", async () => {
  const { call, path, blob } = await withBlob();
  await blob("c", content);
  expect((await call("DELETE", path)).status).toBe(202);
  expect((await call("GET", path)).status).toBe(404);
  expect(codesOf(await call("DELETE", path))).toBe("404 BLOB_UNKNOWN REGISTRY_BLOB_UNKNOWN");
  expect((await call("GET", path.replace("a/b", "c"))).status).toBe(200);
});

test("D3: damaged content is refused, or the connection breaks before its last bytes", async () => {
  const { call, path, backend } = await withBlob();
  backend.corrupt(digest, randomBytes(300_000));
  expect(codesOf(await call("GET", path))).toBe("503 UNKNOWN REGISTRY_CONTENT_CORRUPT");
  const halfway: typeof backend.blobs = {
    ...backend.blobs,
    open: async () => ({
      size: 10,
      async *stream() {
        yield Buffer.from("12345");
        throw new Error("the rest is damaged");
      },
    }),
  };
  const broken = await registryScene({ backend: { ...backend, blobs: halfway } });
  await expect(broken.call("GET", path)).rejects.toThrow(/aborted|socket hang up/);
});
