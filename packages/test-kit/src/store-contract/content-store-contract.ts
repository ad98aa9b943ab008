import { type Digest, sha256 } from "@touchmark/core";
import type { ContentStore } from "@touchmark/store";
import fc from "fast-check";
import { expect, test } from "vitest";

/** A store under test, and a way to damage it behind its back. */
export interface ContentStoreFixture {
  readonly store: ContentStore;
  /** Replaces the stored bytes of a blob. */
  corrupt(digest: Digest, bytes: Uint8Array): void;
}

/** What every backend of `ContentStore` must do; each registers these tests for itself (store SPEC C). */
export function contentStoreContract(backend: string, open: () => Promise<ContentStoreFixture>): void {
  const bytes = Buffer.from("struck in pewter");
  const digest = sha256(bytes);

  async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield Buffer.from(part);
  }
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => "no error",
      (cause: { code?: unknown }) => cause.code,
    );
  async function drained(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts);
  }

  test(`C1: ${backend}: a blob is found under the digest of its bytes, however it came`, async () => {
    const { store } = await open();
    expect(await store.put(bytes)).toEqual({ digest, size: bytes.length });
    expect(await store.put(chunks("struck ", "in ", "pewter"))).toEqual({ digest, size: bytes.length });
    expect(Buffer.from(await store.get(digest))).toEqual(bytes);
    expect(await drained(store.stream(digest))).toEqual(bytes);
    expect([await store.has(digest), await store.size(digest)]).toEqual([true, bytes.length]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (content) => {
        const put = await store.put(content);
        expect(put).toEqual({ digest: sha256(content), size: content.length });
        expect(Buffer.from(await store.get(put.digest))).toEqual(Buffer.from(content));
      }),
      { numRuns: 30 },
    );
  });

  test(`C1: ${backend}: what is not there is missing, and can be deleted again`, async () => {
    const { store } = await open();
    expect(await store.has(digest)).toBe(false);
    expect(await codeOf(store.get(digest))).toBe("STORE_BLOB_MISSING");
    expect(await codeOf(store.size(digest))).toBe("STORE_BLOB_MISSING");
    await store.put(bytes);
    await store.delete(digest);
    await store.delete(digest);
    expect(await store.has(digest)).toBe(false);
    expect(await codeOf(store.get("sha256:../../identity/root"))).toBe("DIGEST_MALFORMED");
  });

  test(`C1: ${backend}: blobs are listed in order of digests`, async () => {
    const { store } = await open();
    const put = await Promise.all(["b", "a", "c"].map((text) => store.put(Buffer.from(text))));
    const listed: Digest[] = [];
    for await (const blob of store.list()) listed.push(blob.digest);
    expect(listed).toEqual(put.map((one) => one.digest).sort());
  });

  test(`C2: ${backend}: content that is not what it was announced as, or too large, is not stored`, async () => {
    const { store } = await open();
    const expected = sha256("something else");
    expect(await codeOf(store.put(bytes, { expected }))).toBe("STORE_BLOB_MISMATCH");
    expect(await codeOf(store.put(chunks("struck ", "in pewter"), { expected }))).toBe("STORE_BLOB_MISMATCH");
    expect(await codeOf(store.put(bytes, { maxBytes: 3 }))).toBe("STORE_BLOB_TOO_LARGE");
    expect(await codeOf(store.put(chunks("st", "ru"), { maxBytes: 3 }))).toBe("STORE_BLOB_TOO_LARGE");
    expect(await store.has(digest)).toBe(false);
    await store.put(bytes, { expected: digest, maxBytes: bytes.length });
    expect(await store.has(digest)).toBe(true);
  });

  test(`C3: ${backend}: wrong bytes are refused at every read, and can be put again`, async () => {
    const fixture = await open();
    for (const wrong of ["Struck in pewter", "struck in pewte", "struck in pewter!", ""]) {
      await fixture.store.put(bytes);
      fixture.corrupt(digest, Buffer.from(wrong));
      expect(await codeOf(fixture.store.get(digest))).toBe("STORE_BLOB_CORRUPT");
      expect(await fixture.store.has(digest)).toBe(false);
      await fixture.store.put(bytes);
      fixture.corrupt(digest, Buffer.from(wrong));
      expect(await codeOf(drained(fixture.store.stream(digest)))).toBe("STORE_BLOB_CORRUPT");
    }
    await fixture.store.put(bytes);
    fixture.corrupt(digest, Buffer.from("Struck in pewter"));
    await fixture.store.put(bytes);
    expect(Buffer.from(await fixture.store.get(digest))).toEqual(bytes);
  });

  test(`C4: ${backend}: putting one blob many times at once stores it once`, async () => {
    const { store } = await open();
    const put = Array.from({ length: 20 }, (_, i) => store.put(i % 2 === 0 ? bytes : chunks("struck ", "in pewter")));
    expect(new Set((await Promise.all(put)).map((one) => one.digest))).toEqual(new Set([digest]));
    let count = 0;
    for await (const blob of store.list()) if (blob.digest === digest) count++;
    expect(count).toBe(1);
  });

  test(`C4: ${backend}: what was put does not change with the caller's buffer`, async () => {
    const { store } = await open();
    const buffer = Buffer.from(bytes);
    await store.put(buffer);
    buffer.fill(0);
    (await store.get(digest)).fill(0);
    expect(Buffer.from(await store.get(digest))).toEqual(bytes);
  });

  test(`C5: ${backend}: a read above its limit is refused`, async () => {
    const { store } = await open();
    await store.put(bytes);
    expect(await codeOf(store.get(digest, { maxBytes: bytes.length - 1 }))).toBe("STORE_BLOB_TOO_LARGE");
    expect(await codeOf(drained(store.stream(digest, { maxBytes: 1 })))).toBe("STORE_BLOB_TOO_LARGE");
    expect((await store.get(digest, { maxBytes: bytes.length })).length).toBe(bytes.length);
  });

  test(`C6: ${backend}: the barrier can be passed at any time`, async () => {
    const { store } = await open();
    await store.durable();
    await store.put(bytes);
    await Promise.all([store.durable(), store.delete(digest)]);
    await store.durable();
  });
}
