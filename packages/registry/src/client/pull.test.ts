import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { sha256 } from "@touchmark/core";
import { descriptorOf, mediaTypes } from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { putImage } from "./images.fixture.ts";
import {
  closeScripted,
  collected,
  json,
  pieces,
  repositoryAt,
  type Script,
  scriptedRegistry,
} from "./scripted.fixture.ts";

afterEach(closeScripted);
const refused = (code: string) => expect.objectContaining({ code });
const content = randomBytes(500_000);
const descriptor = descriptorOf(content, mediaTypes.layer);
const sent = (response: ServerResponse, status: number, headers: Record<string, string | number>, body: Uint8Array) => {
  response.writeHead(status, headers);
  response.end(body);
  return true;
};
const blobs =
  (script: Script): Script =>
  (request, response, path) =>
    path.includes("/blobs/sha256:") && script(request, response, path);

/** What of a blob arrived before it was refused. */
async function arrived(chunks: AsyncIterable<Uint8Array>): Promise<{ bytes: number; code: string }> {
  let bytes = 0;
  try {
    for await (const chunk of chunks) bytes += chunk.length;
  } catch (error) {
    return { bytes, code: (error as { code: string }).code };
  }
  return { bytes, code: "none" };
}

test("C7: a manifest comes by tag and by digest, with the digest of its bytes", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const put = await putImage(repository, { tag: "v1" });
  for (const reference of ["v1", put.digest]) {
    const { bytes, descriptor: found } = await repository.manifest(reference);
    expect(found).toEqual(put);
    expect(sha256(bytes)).toBe(put.digest);
  }
  await expect(repository.manifest("v2")).rejects.toThrow(refused("OCI_CLIENT_NOT_FOUND"));
  await expect(repository.manifest("../v2")).rejects.toThrow(refused("OCI_TAG_INVALID"));
  await expect(repository.manifest("sha512:00")).rejects.toThrow(refused("OCI_DIGEST_UNSUPPORTED"));
});

test("C7: other bytes under a digest, or another digest than was said, are refused", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const { digest } = await putImage(repository, { tag: "v1" });
  const other = await putImage(repository, { tag: "v2" });
  registry.script = (request, _response, path) => {
    if (path.endsWith(digest)) request.url = path.replace(digest, other.digest);
    return false;
  };
  await expect(repository.manifest(digest)).rejects.toThrow(refused("OCI_CLIENT_DIGEST_MISMATCH"));
  registry.script = (_request, response, path) =>
    path.endsWith("v1") && json(response, 200, { schemaVersion: 2 }, { "docker-content-digest": digest });
  await expect(repository.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_DIGEST_MISMATCH"));
});

test("C7: a manifest that is too large, announced or not, is not read to its end", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  registry.script = (_request, response, path) =>
    path.includes("manifests") && sent(response, 200, { "content-length": 2 ** 40 }, Buffer.from("{"));
  await expect(repository.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_TOO_LARGE"));
  registry.script = (_request, response, path) =>
    path.includes("manifests") && sent(response, 200, {}, Buffer.alloc(5 * 2 ** 20));
  await expect(repository.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_TOO_LARGE"));
});

test("C8: a blob comes in pieces, the last one only when digest and size are right", async () => {
  const registry = await scriptedRegistry();
  const progress: number[] = [];
  const repository = repositoryAt(registry.host, { onProgress: ({ bytes }) => progress.push(bytes) });
  await repository.putBlob(descriptor, () => pieces(content));
  const empty = descriptorOf(new Uint8Array(), mediaTypes.layer);
  await repository.putBlob(empty, () => pieces(new Uint8Array()));
  progress.length = 0;
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  expect(progress.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.length);
  expect(await collected(repository.blob(empty))).toHaveLength(0);
  const absent = descriptorOf(Buffer.from("x"), mediaTypes.layer);
  expect(await arrived(repository.blob(absent))).toEqual({ bytes: 0, code: "OCI_CLIENT_NOT_FOUND" });
});

test.each([
  ["other bytes", 200, (b: Buffer) => Buffer.concat([b.subarray(1), b.subarray(0, 1)]), "OCI_CLIENT_DIGEST_MISMATCH"],
  ["more bytes", 200, (b: Buffer) => Buffer.concat([b, b]), "OCI_CLIENT_SIZE_WRONG"],
  ["fewer bytes", 200, (b: Buffer) => b.subarray(0, 10), "OCI_CLIENT_SIZE_WRONG"],
  ["a part that nobody asked for", 206, (b: Buffer) => b, "OCI_CLIENT_RANGE_WRONG"],
])("C8: %s are refused, before the end was handed on", async (_what, status, change, expected) => {
  const registry = await scriptedRegistry(blobs((_request, response) => sent(response, status, {}, change(content))));
  const { bytes, code } = await arrived(repositoryAt(registry.host).blob(descriptor));
  expect(code).toBe(expected);
  expect(bytes).toBeLessThan(content.length);
});

test("C8: an announced length that is not the descriptor's is refused before anything is read", async () => {
  const registry = await scriptedRegistry(
    blobs((_request, response) => sent(response, 200, { "content-length": 2 ** 50 }, content)),
  );
  expect(await arrived(repositoryAt(registry.host).blob(descriptor))).toEqual({
    bytes: 0,
    code: "OCI_CLIENT_SIZE_WRONG",
  });
});

/** Breaks the connection after so many bytes, as long as `broken` is left. */
function breaking(broken: number, rest: (start: number, response: ServerResponse) => void): Script {
  let left = broken;
  return blobs((request, response) => {
    const start = Number(/^bytes=([0-9]+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (left-- > 0) {
      const headers = start === 0 ? {} : { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
      response.writeHead(start === 0 ? 200 : 206, { "content-length": content.length - start, ...headers });
      response.write(content.subarray(start, start + 70_000), () => setImmediate(() => response.destroy()));
    } else rest(start, response);
    return true;
  });
}

test("C8: a transfer that breaks goes on where it was, as often as it moves forward", async () => {
  const registry = await scriptedRegistry(
    breaking(4, (start, response) => {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      sent(response, 206, { "content-range": range }, content.subarray(start));
    }),
  );
  const repository = repositoryAt(registry.host);
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  const ranges = registry.requests.map(({ headers }) => headers.range).filter((range) => range !== undefined);
  expect(ranges).toHaveLength(4);
  expect(new Set(ranges).size).toBe(4);
});

test("C8: of a registry without ranges the whole comes again, and what is known is passed over", async () => {
  const registry = await scriptedRegistry(breaking(1, (_start, response) => sent(response, 200, {}, content)));
  expect((await collected(repositoryAt(registry.host).blob(descriptor))).equals(content)).toBe(true);
});

test.each([
  ["another range", 206, "bytes 0-499999/500000", "OCI_CLIENT_RANGE_WRONG"],
  ["another size", 206, "bytes 70000-499999/500001", "OCI_CLIENT_RANGE_WRONG"],
  ["no range", 206, undefined, "OCI_CLIENT_RANGE_WRONG"],
  ["nothing to satisfy", 416, undefined, "OCI_CLIENT_RANGE_WRONG"],
  ["a rest that claims to be the whole", 200, undefined, "OCI_CLIENT_SIZE_WRONG"],
])("C8: a registry that answers a range with %s is refused", async (_what, status, range, expected) => {
  const registry = await scriptedRegistry(
    breaking(1, (start, response) => {
      sent(response, status, range === undefined ? {} : { "content-range": range }, content.subarray(start));
    }),
  );
  const { bytes, code } = await arrived(repositoryAt(registry.host).blob(descriptor));
  expect(code).toBe(expected);
  expect(bytes).toBeLessThan(content.length);
});

test("C8: content that is another after a break is refused", async () => {
  const other = randomBytes(content.length);
  const registry = await scriptedRegistry(
    breaking(1, (start, response) => {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      sent(response, 206, { "content-range": range }, other.subarray(start));
    }),
  );
  expect((await arrived(repositoryAt(registry.host).blob(descriptor))).code).toBe("OCI_CLIENT_DIGEST_MISMATCH");
});

test("C8: a transfer that breaks without moving forward is given up", async () => {
  const registry = await scriptedRegistry(
    blobs((_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.flushHeaders();
      setImmediate(() => response.destroy());
      return true;
    }),
  );
  expect((await arrived(repositoryAt(registry.host).blob(descriptor))).code).toBe("OCI_CLIENT_TRUNCATED");
});

test("C5: content by digest comes from a mirror, what a tag means from the registry alone", async () => {
  const [origin, mirror] = [await scriptedRegistry(), await scriptedRegistry()];
  const direct = repositoryAt(origin.host);
  const put = await putImage(direct, { tag: "v1" });
  await direct.putBlob(descriptor, () => pieces(content));
  const there = repositoryAt(mirror.host, {}, "cache/a/b");
  await there.putBlob(descriptor, () => pieces(content));
  await putImage(there, { tag: "v1" });
  const repository = repositoryAt(origin.host, { mirrors: { [origin.host]: [`${mirror.host}/cache`] } });
  origin.log.length = 0;
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  expect(origin.log.filter((line) => line.includes("/blobs/"))).toEqual([]);
  expect((await repository.manifest("v1")).descriptor.digest).toBe(put.digest);
  expect((await repository.manifest(put.digest)).descriptor.digest).toBe(put.digest);
});

test("C5: a mirror that lies, fails or breaks costs nothing but time", async () => {
  const [origin, mirror] = [await scriptedRegistry(), await scriptedRegistry()];
  await repositoryAt(origin.host).putBlob(descriptor, () => pieces(content));
  const small = descriptorOf(Buffer.from("small"), mediaTypes.layer);
  await repositoryAt(origin.host).putBlob(small, () => pieces(Buffer.from("small")));
  const repository = repositoryAt(origin.host, { mirrors: { [origin.host]: [mirror.host] } });
  mirror.script = (_request, response) => json(response, 500, {});
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  mirror.script = blobs((_request, response) => sent(response, 200, {}, Buffer.from("other")));
  expect(String(await collected(repository.blob(small)))).toBe("small");
  mirror.script = breaking(100, () => {});
  const patience = { attempts: 1 };
  const hasty = repositoryAt(origin.host, { mirrors: { [origin.host]: [mirror.host] }, patience });
  expect((await collected(hasty.blob(descriptor))).equals(content)).toBe(true);
});
