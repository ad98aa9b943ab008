import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import type { Descriptor, LayerCompression } from "@touchmark/formats/oci";
import { writeAll } from "@touchmark/store";
import { imageErrors } from "../errors.ts";
import { type Compressor, compressorOf, giveBack } from "./compressor.ts";
import { type ContentInspector, LayerBlocks } from "./layer-blocks.ts";
import type { LayerItem } from "./layer-item.ts";
import { layerList } from "./layer-list.ts";
import type { BaseView, LayerSource } from "./layer-part.ts";

/** Annotation of a layer's descriptor: version of the rules by which its archive was written (SPEC I). */
export const LAYER_FORMAT = "dev.touchmark.layer.format";
/** Annotation of a layer's descriptor: what packed it, with version and level. */
export const LAYER_COMPRESSOR = "dev.touchmark.layer.compressor";

/** How to write a layer. */
export interface LayerOptions {
  readonly files: LayerSource;
  /** Seconds of the epoch: the time of everything, or its latest. */
  readonly epoch: number;
  /** Default gzip. */
  readonly compression?: LayerCompression;
  /** Default 4 for gzip, 3 for zstd. */
  readonly level?: number;
  /** Directory for the file; private, and there already or made. */
  readonly scratch: string;
  /** What lower layers have, so that their directories keep owner and mode. Default: nothing. */
  readonly base?: BaseView;
  readonly inspector?: ContentInspector;
  /** Files may keep setuid and setgid bits, where modes are kept. Default false. */
  readonly allowSetuid?: boolean;
  /** Most bytes of the archive before packing. Default 64 GiB. */
  readonly maxBytes?: number;
}

/** A layer that was written. */
export interface WrittenLayer {
  readonly descriptor: Descriptor;
  /** Digest of the archive before packing. */
  readonly diffId: Digest;
  /** The file in the scratch directory; the caller's. */
  readonly file: string;
  readonly entries: number;
  /** Bytes before packing. */
  readonly bytes: number;
}

/** Blocks that are packed at the same time: as many as Node has threads for it. */
const IN_FLIGHT = 4;
const MAX_BYTES = 64 * 1024 ** 3;

/**
 * Writes files as a layer, in one pass: archive, both digests, packed file. The archive depends on paths, contents,
 * executable bits and the options alone; the packed bytes also on the compressor that the annotations name.
 * @throws IMAGE_LAYER_PATH | IMAGE_LAYER_SOURCE | IMAGE_LAYER_CONFLICT | IMAGE_LAYER_CHANGED | IMAGE_LAYER_TOO_LARGE |
 * IMAGE_SPECIAL_FILE | IMAGE_SETUID | IMAGE_XATTR_REFUSED
 */
export async function writeLayer(options: LayerOptions): Promise<WrittenLayer> {
  return writeItems(await layerList(options.files, options, options.base ?? (() => undefined)), options);
}

/** As `writeLayer`, of entries that `layerList` made. */
export async function writeItems(
  items: readonly LayerItem[],
  options: Omit<LayerOptions, "files" | "base">,
): Promise<WrittenLayer> {
  const compressor = compressorOf(options.compression ?? "gzip", options.level);
  mkdirSync(options.scratch, { recursive: true, mode: 0o700 });
  const file = join(options.scratch, `layer-${randomBytes(8).toString("hex")}`);
  const descriptor = openSync(file, "wx", 0o600);
  try {
    const blocks = new LayerBlocks(items, options.inspector);
    const written = await pack(blocks, compressor, descriptor, options.maxBytes ?? MAX_BYTES);
    const annotations = { [LAYER_COMPRESSOR]: compressor.description, [LAYER_FORMAT]: "1" };
    return {
      descriptor: { mediaType: compressor.mediaType, digest: written.digest, size: written.size, annotations },
      diffId: written.diffId,
      file,
      entries: items.length,
      bytes: written.bytes,
    };
  } catch (cause) {
    rmSync(file, { force: true });
    throw cause;
  } finally {
    closeSync(descriptor);
  }
}

async function pack(blocks: LayerBlocks, compressor: Compressor, file: number, maxBytes: number) {
  const content = createHash("sha256");
  const packedHash = createHash("sha256");
  const flying: { readonly block: Buffer; readonly packed: Promise<Buffer> }[] = [];
  let bytes = 0;
  let size = 0;
  const land = async () => {
    const oldest = flying.shift();
    if (oldest === undefined) return;
    const packed = await oldest.packed;
    packedHash.update(packed);
    writeAll(file, packed);
    size += packed.length;
    if (packed !== oldest.block) giveBack(packed.buffer, packed.length);
    blocks.release(oldest.block);
  };
  try {
    for (const block of blocks) {
      bytes += block.length;
      if (bytes > maxBytes) {
        throw imageErrors.make("IMAGE_LAYER_TOO_LARGE", `expected a layer of at most ${maxBytes} bytes`);
      }
      // Packing goes on in other threads meanwhile.
      flying.push({ block, packed: compressor.pack(block) });
      content.update(block);
      if (flying.length >= IN_FLIGHT) await land();
    }
    while (flying.length > 0) await land();
  } finally {
    await Promise.allSettled(flying.map(({ packed }) => packed));
  }
  const diffId: Digest = `sha256:${content.digest("hex")}`;
  const digest: Digest = `sha256:${packedHash.digest("hex")}`;
  return { diffId, digest, size, bytes };
}
