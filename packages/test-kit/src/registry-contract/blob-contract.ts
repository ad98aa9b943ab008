import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codeOf, type RegistryBackendFixture } from "./registry-fixture.ts";
import { inChunks, putBlob, putImage, readBlob } from "./sample-registry.ts";

/** Blobs of a backend (registry SPEC B1, B2, B4, B9). */
export function blobContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  const content = "struck in pewter";
  const digest = sha256(content);
  const limit = 1024 ** 2;

  test(`B1: ${name}: a blob is found in its repository under the digest of its bytes, and in no other`, async () => {
    const { backend } = await make();
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await backend.uploads.put("a", digest, limit, inChunks(content))).toEqual({ size: content.length });
    expect((await backend.blobs.open("a", digest))?.size).toBe(content.length);
    expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
    expect(await backend.blobs.open("a", sha256("another"))).toBeUndefined();
    expect(await backend.blobs.open("a/b", digest)).toBeUndefined();
    expect(await backend.blobs.open("b", digest)).toBeUndefined();
    await putBlob(backend, "b", content);
    await putBlob(backend, "a", content);
    expect((await readBlob(backend, "b", digest))?.toString()).toBe(content);
  });

  test(`B1: ${name}: empty blobs and large ones are blobs like others`, async () => {
    const { backend } = await make();
    const large = Buffer.alloc(3 * 1024 * 1024 + 7, "pewter");
    expect(await backend.uploads.put("a", sha256(""), limit, inChunks(""))).toEqual({ size: 0 });
    expect(await readBlob(backend, "a", sha256(""))).toEqual(Buffer.alloc(0));
    const put = await putBlob(backend, "a", large);
    expect((await readBlob(backend, "a", put))?.equals(large)).toBe(true);
  });

  test(`B2: ${name}: content that is not what it was announced as, or too large, is not kept`, async () => {
    const { backend } = await make();
    const wrong = sha256("something else");
    expect(await codeOf(backend.uploads.put("a", wrong, limit, inChunks(content)))).toBe("REGISTRY_DIGEST_MISMATCH");
    expect(await codeOf(backend.uploads.put("a", digest, 3, inChunks(content)))).toBe("REGISTRY_TOO_LARGE");
    expect(await backend.blobs.open("a", wrong)).toBeUndefined();
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await backend.uploads.put("a", digest, content.length, inChunks(content))).toEqual({ size: content.length });
  });

  test(`B2: ${name}: content whose stream breaks is not kept`, async () => {
    const { backend } = await make();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(content);
      throw new TypeError("the client went away");
    }
    await expect(backend.uploads.put("a", digest, limit, broken())).rejects.toThrow("the client went away");
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await backend.repositories({ limit: 10 })).toEqual([]);
  });

  test(`B4: ${name}: a blob is mounted from a repository that has it, and from no other`, async () => {
    const { backend } = await make();
    await putBlob(backend, "a", content);
    expect(await backend.blobs.mount(digest, "b", "c")).toBe(false);
    expect(await backend.blobs.mount(digest, "a", "c")).toBe(true);
    expect(await backend.blobs.mount(digest, "a", "c")).toBe(true);
    expect((await readBlob(backend, "c", digest))?.toString()).toBe(content);
    expect(await backend.blobs.mount(sha256("another"), "a", "c")).toBe(false);
  });

  test(`B4: ${name}: deleting a blob takes it out of one repository only`, async () => {
    const { backend } = await make();
    await putBlob(backend, "a", content);
    await backend.blobs.mount(digest, "a", "b");
    expect(await backend.blobs.delete("c", digest)).toBe(false);
    expect(await backend.blobs.delete("a", digest)).toBe(true);
    expect(await backend.blobs.delete("a", digest)).toBe(false);
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await backend.blobs.mount(digest, "a", "c")).toBe(false);
    expect((await readBlob(backend, "b", digest))?.toString()).toBe(content);
    await putBlob(backend, "a", content);
    expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
  });

  test(`B9: ${name}: a part of a blob is read by its range`, async () => {
    const { backend } = await make();
    await putBlob(backend, "a", content);
    const part = async (start: number, end: number) =>
      (await readBlob(backend, "a", digest, { start, end }))?.toString();
    expect([await part(0, 6), await part(10, 16), await part(3, 4), await part(5, 5)]).toEqual([
      "struck",
      "pewter",
      "u",
      "",
    ]);
    expect(await part(0, content.length)).toBe(content);
    for (const [start, end] of [
      [0, 17],
      [-1, 3],
      [4, 3],
      [0.5, 3],
    ] as const) {
      expect(await codeOf(part(start, end))).toBe("REGISTRY_RANGE_INVALID");
    }
  });

  test(`B9: ${name}: wrong bytes are never given out whole, and content can be put again`, async () => {
    const { backend, corrupt } = await make();
    for (const wrong of ["Struck in pewter", "struck in pewte", "struck in pewter!", ""]) {
      await putBlob(backend, "a", content);
      await corrupt(digest, Buffer.from(wrong));
      expect([wrong, await codeOf(readBlob(backend, "a", digest))]).toEqual([wrong, "REGISTRY_CONTENT_CORRUPT"]);
      await putBlob(backend, "a", content);
      expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
    }
    // What is lost is not there, so that clients push it again.
    await corrupt(digest, undefined);
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    await putBlob(backend, "a", content);
    expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
    const { manifest } = await putImage(backend, "a", "one");
    await corrupt(manifest.digest, Buffer.from("{}"));
    expect(await codeOf(backend.manifests.get("a", manifest.digest))).toBe("REGISTRY_CONTENT_CORRUPT");
    await backend.manifests.put("a", manifest);
    expect((await backend.manifests.get("a", manifest.digest))?.mediaType).toBe(manifest.mediaType);
  });
}
