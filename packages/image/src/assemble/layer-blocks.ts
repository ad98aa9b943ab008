import { createHash } from "node:crypto";
import { closeSync, fstatSync, readSync } from "node:fs";
import { TAR_BLOCK, tarEnd, tarHeader } from "@touchmark/store";
import { imageErrors } from "../errors.ts";
import { openPlain } from "../layout/file-chunks.ts";
import type { LayerItem } from "./layer-item.ts";

/** Bytes of a block. Blocks are what is compressed one by one: their size is part of the format that is recorded. */
export const BLOCK_BYTES = 1024 * 1024;

const ZEROS = Buffer.alloc(TAR_BLOCK);

/** Sees the content of files as they are written; may throw. */
export interface ContentInspector {
  /** A file begins; undefined when nobody wants its content. */
  file(path: string, size: number): ((chunk: Uint8Array) => void) | undefined;
}

/** The tar archive of a layer in blocks of equal size, the last one shorter. A block is reused once the next is asked for after `release`. */
export class LayerBlocks {
  readonly #items: readonly LayerItem[];
  readonly #inspector: ContentInspector | undefined;
  readonly #free: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #used = 0;
  readonly #scratch = Buffer.allocUnsafeSlow(BLOCK_BYTES);

  constructor(items: readonly LayerItem[], inspector: ContentInspector | undefined) {
    this.#items = items;
    this.#inspector = inspector;
  }

  /** Gives a block back, to be filled again. */
  release(block: Buffer): void {
    this.#free.push(block);
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (const item of this.#items) {
      yield* this.#append(tarHeader(item));
      if (item.content === undefined || item.size === 0) continue;
      yield* "bytes" in item.content ? this.#bytes(item, item.content.bytes) : this.#file(item, item.content);
      yield* this.#append(ZEROS.subarray(0, -item.size & (TAR_BLOCK - 1)));
    }
    yield* this.#append(tarEnd());
    if (this.#used > 0) yield this.#block.subarray(0, this.#used);
  }

  *#append(bytes: Uint8Array): Generator<Buffer> {
    for (let done = 0; done < bytes.length; ) {
      const count = Math.min(bytes.length - done, BLOCK_BYTES - this.#used);
      this.#block.set(done === 0 && count === bytes.length ? bytes : bytes.subarray(done, done + count), this.#used);
      this.#used += count;
      done += count;
      if (this.#used < BLOCK_BYTES) continue;
      const full = this.#block;
      this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#used = 0;
      yield full;
    }
  }

  *#bytes(item: LayerItem, bytes: Uint8Array): Generator<Buffer> {
    this.#inspector?.file(item.path, item.size)?.(bytes);
    yield* this.#append(bytes);
  }

  *#file(
    item: LayerItem,
    content: Exclude<LayerItem["content"], undefined | { bytes: Uint8Array }>,
  ): Generator<Buffer> {
    const descriptor = openPlain(content.file);
    if (descriptor === undefined) throw changed(item);
    try {
      if (fstatSync(descriptor).size !== item.size) throw changed(item);
      const inspect = this.#inspector?.file(item.path, item.size);
      const hash = content.digest === undefined ? undefined : createHash("sha256");
      for (let left = item.size; left > 0; ) {
        const count = readSync(descriptor, this.#scratch, 0, Math.min(left, BLOCK_BYTES), null);
        if (count === 0) throw changed(item);
        left -= count;
        const chunk = this.#scratch.subarray(0, count);
        inspect?.(chunk);
        hash?.update(chunk);
        yield* this.#append(chunk);
      }
      if (hash !== undefined && `sha256:${hash.digest("hex")}` !== content.digest) throw changed(item);
    } finally {
      closeSync(descriptor);
    }
  }
}

function changed(item: LayerItem): Error {
  return imageErrors.make(
    "IMAGE_LAYER_CHANGED",
    `expected the ${item.size} bytes of /${item.path} that were listed, found others`,
  );
}
