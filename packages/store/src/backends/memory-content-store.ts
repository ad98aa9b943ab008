import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { type Digest, parseDigest, sha256 } from "@touchmark/core";
import type { BlobDescriptor, BlobSource, ContentStore, PutOptions, ReadOptions } from "../content-store.ts";
import { storeErrors } from "../errors.ts";

/** A content store in memory: for tests, and for evidence that never needs a disk. */
export interface MemoryContentStore extends ContentStore {
  /** Replaces the bytes of a blob without checking, as bad hardware would. For tests. */
  corrupt(digest: Digest, bytes: Uint8Array): void;
}

/** Makes an empty store. */
export function memoryContentStore(): MemoryContentStore {
  const blobs = new Map<Digest, Uint8Array>();

  async function read(source: BlobSource, maxBytes: number): Promise<Uint8Array> {
    if (source instanceof Uint8Array) return Uint8Array.from(source);
    if ("file" in source) {
      const bytes = readFileSync(source.file);
      if (source.move === true) rmSync(source.file);
      return bytes;
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of source) {
      size += part.length;
      checkSize(size, maxBytes);
      parts.push(Uint8Array.from(part));
    }
    return Buffer.concat(parts);
  }

  function blob(digest: Digest): Uint8Array {
    const bytes = blobs.get(parseDigest(digest));
    if (bytes === undefined) throw storeErrors.make("STORE_BLOB_MISSING", `expected a blob ${digest}, found none`);
    return bytes;
  }

  async function* stream(digest: Digest, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const bytes = blob(digest);
    checkSize(bytes.length, options.maxBytes);
    const found = createHash("sha256").update(bytes).digest("hex");
    if (digest !== `sha256:${found}`) {
      blobs.delete(digest);
      throw storeErrors.make("STORE_BLOB_CORRUPT", `expected bytes with digest ${digest}, found sha256:${found}`);
    }
    if (bytes.length > 0) yield Uint8Array.from(bytes);
  }

  return {
    async put(source: BlobSource, options: PutOptions = {}): Promise<BlobDescriptor> {
      const bytes = await read(source, options.maxBytes ?? Number.POSITIVE_INFINITY);
      checkSize(bytes.length, options.maxBytes);
      const digest = sha256(bytes);
      if (options.expected !== undefined && options.expected !== digest) {
        throw storeErrors.make(
          "STORE_BLOB_MISMATCH",
          `expected content with digest ${options.expected}, found ${digest}`,
        );
      }
      const present = blobs.get(digest);
      if (present === undefined || sha256(present) !== digest) blobs.set(digest, bytes);
      return { digest, size: bytes.length };
    },
    async get(digest, options = {}) {
      const parts: Uint8Array[] = [];
      for await (const part of stream(digest, options)) parts.push(part);
      return Buffer.concat(parts);
    },
    stream,
    has: async (digest) => blobs.has(parseDigest(digest)),
    size: async (digest) => blob(digest).length,
    delete: async (digest) => {
      blobs.delete(parseDigest(digest));
    },
    async *list() {
      for (const digest of [...blobs.keys()].sort()) yield { digest, size: blob(digest).length };
    },
    durable: async () => {},
    corrupt: (digest, bytes) => {
      blobs.set(digest, bytes);
    },
  };
}

function checkSize(size: number, maxBytes: number | undefined): void {
  if (maxBytes !== undefined && size > maxBytes) {
    throw storeErrors.make("STORE_BLOB_TOO_LARGE", `expected at most ${maxBytes} bytes, found ${size}`);
  }
}
