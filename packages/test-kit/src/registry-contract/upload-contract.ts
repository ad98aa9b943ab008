import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codeOf, type RegistryBackendFixture } from "./registry-fixture.ts";
import { inChunks, readBlob } from "./sample-registry.ts";

/** Uploads of a backend (registry SPEC B2, B3). */
export function uploadContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  const content = "struck in pewter";
  const digest = sha256(content);
  const anywhere = { offset: undefined, maxBytes: 1024 ** 2 };
  const at = (offset: number) => ({ offset, maxBytes: 1024 ** 2 });

  test(`B3: ${name}: an upload comes in chunks, in order, and is a blob once it is finished`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const id = await uploads.begin("a");
    expect(id).toMatch(/^[A-Za-z0-9_-]{16,128}$/);
    expect(await uploads.begin("a")).not.toBe(id);
    expect(await uploads.received("a", id)).toBe(0);
    expect(await uploads.append("a", id, anywhere, inChunks("struck"))).toBe(6);
    expect(await codeOf(uploads.append("a", id, at(5), inChunks(" in")))).toBe("REGISTRY_RANGE_INVALID");
    expect(await codeOf(uploads.append("a", id, at(7), inChunks(" in")))).toBe("REGISTRY_RANGE_INVALID");
    expect(await uploads.append("a", id, at(6), inChunks(" in"))).toBe(9);
    expect(await uploads.received("a", id)).toBe(9);
    expect(await uploads.append("a", id, at(9), inChunks(" pewter"))).toBe(16);
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await uploads.finish("a", id, digest)).toEqual({ size: content.length });
    expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
    expect(await uploads.received("a", id)).toBeUndefined();
    expect(await codeOf(uploads.finish("a", id, digest))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    expect(await codeOf(uploads.append("a", id, anywhere, inChunks("x")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
  });

  test(`B3: ${name}: an upload belongs to its repository, and ends when it is cancelled`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const id = await uploads.begin("a");
    await uploads.append("a", id, anywhere, inChunks(content));
    expect(await uploads.received("b", id)).toBeUndefined();
    expect(await codeOf(uploads.append("b", id, anywhere, inChunks("x")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    expect(await codeOf(uploads.finish("b", id, digest))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    expect(await uploads.cancel("b", id)).toBe(false);
    expect(await uploads.received("a", id)).toBe(content.length);
    expect(await uploads.cancel("a", id)).toBe(true);
    expect(await uploads.cancel("a", id)).toBe(false);
    expect(await uploads.received("a", id)).toBeUndefined();
    for (const other of ["", "../../x", "0".repeat(32), `${id}/../${id}`, id.toUpperCase(), "registry.db"]) {
      expect(await uploads.received("a", other)).toBeUndefined();
      expect(await codeOf(uploads.append("a", other, anywhere, inChunks("x")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
      expect(await codeOf(uploads.finish("a", other, digest))).toBe("REGISTRY_UPLOAD_UNKNOWN");
      expect(await uploads.cancel("a", other)).toBe(false);
    }
    expect(await backend.repositories({ limit: 10 })).toEqual([]);
  });

  test(`B2: ${name}: an upload with another digest, or too large, is gone`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const wrong = await uploads.begin("a");
    await uploads.append("a", wrong, anywhere, inChunks(content));
    expect(await codeOf(uploads.finish("a", wrong, sha256("another")))).toBe("REGISTRY_DIGEST_MISMATCH");
    expect(await uploads.received("a", wrong)).toBeUndefined();
    const large = await uploads.begin("a");
    await uploads.append("a", large, { offset: 0, maxBytes: 16 }, inChunks(content));
    const more = uploads.append("a", large, { offset: 16, maxBytes: 16 }, inChunks("!"));
    expect(await codeOf(more)).toBe("REGISTRY_TOO_LARGE");
    expect(await uploads.received("a", large)).toBeUndefined();
    expect(await backend.blobs.open("a", sha256("another"))).toBeUndefined();
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
  });

  test(`B3: ${name}: what came before a stream broke is kept and counted`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const id = await uploads.begin("a");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("struck");
      yield Buffer.from(" in");
      throw new TypeError("the client went away");
    }
    await expect(uploads.append("a", id, anywhere, broken())).rejects.toThrow("the client went away");
    expect(await uploads.received("a", id)).toBe(9);
    await uploads.append("a", id, at(9), inChunks(" pewter"));
    await uploads.finish("a", id, digest);
    expect((await readBlob(backend, "a", digest))?.toString()).toBe(content);
  });

  test(`B3: ${name}: two writers of one upload exclude each other`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const id = await uploads.begin("a");
    let go = () => {};
    const pause = new Promise<void>((resolve) => {
      go = resolve;
    });
    let arrived = () => {};
    const began = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("struck in ");
      arrived();
      await pause;
      yield Buffer.from("pewter");
    }
    const first = uploads.append("a", id, anywhere, slow());
    await began;
    expect(await codeOf(uploads.append("a", id, anywhere, inChunks("lead")))).toBe("REGISTRY_UPLOAD_BUSY");
    expect(await codeOf(uploads.finish("a", id, digest))).toBe("REGISTRY_UPLOAD_BUSY");
    expect(await codeOf(uploads.cancel("a", id))).toBe("REGISTRY_UPLOAD_BUSY");
    go();
    expect(await first).toBe(content.length);
    expect(await uploads.finish("a", id, digest)).toEqual({ size: content.length });
  });

  test(`B3: ${name}: one blob uploaded many times at once is stored once`, async () => {
    const { backend } = await make();
    const { uploads } = backend;
    const one = async (repository: string) => {
      const id = await uploads.begin(repository);
      await uploads.append(repository, id, anywhere, inChunks(content));
      return uploads.finish(repository, id, digest);
    };
    const names = Array.from({ length: 12 }, (_, at) => `r${at % 4}`);
    expect(new Set((await Promise.all(names.map(one))).map(({ size }) => size))).toEqual(new Set([content.length]));
    expect(await backend.repositories({ limit: 10 })).toEqual(["r0", "r1", "r2", "r3"]);
    expect((await readBlob(backend, "r3", digest))?.toString()).toBe(content);
  });
}
