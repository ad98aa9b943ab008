import * as zlib from "node:zlib";
import { type LayerCompression, mediaTypes } from "@touchmark/formats/oci";
import { BLOCK_BYTES } from "./layer-blocks.ts";

/** Packs the blocks of a layer, each for itself: the result depends on the blocks, not on who packs them when. */
export interface Compressor {
  readonly mediaType: string;
  /** Library, its version, level and block size: what the bytes depend on beside the content. */
  readonly description: string;
  pack(block: Buffer): Promise<Buffer>;
}

/** Level that is used when none is given: gzip's 6 packs a hundredth better than 4, in three times the time. */
const defaultLevels = { gzip: 4, zstd: 3 } as const;

/**
 * gzip as one member, zstd as one frame for each block of 1 MiB; both formats define such a sequence as one stream
 * (RFC 1952 2.2, RFC 8878 3.1), which lets threads share the work without changing a byte.
 * @param level 1 to 9 for gzip, 1 to 19 for zstd
 */
export function compressorOf(compression: LayerCompression, level?: number): Compressor {
  if (compression === "none") {
    return { mediaType: mediaTypes.layer, description: "none", pack: async (block) => block };
  }
  const chosen = checkLevel(level ?? defaultLevels[compression], compression);
  const blocks = `blocks of ${BLOCK_BYTES}`;
  if (compression === "gzip") {
    // What the library makes of the same bytes differs between kinds of processors.
    const description = `gzip, zlib ${process.versions["zlib"]} ${process.arch}, level ${chosen}, ${blocks}`;
    return { mediaType: mediaTypes.layerGzip, description, pack: (block) => gzipMember(block, chosen) };
  }
  const description = `zstd, zstd ${process.versions["zstd"]}, level ${chosen}, ${blocks}`;
  return { mediaType: mediaTypes.layerZstd, description, pack: (block) => zstdFrame(block, chosen) };
}

function checkLevel(level: number, compression: "gzip" | "zstd"): number {
  const most = compression === "gzip" ? 9 : 19;
  if (Number.isInteger(level) && level >= 1 && level <= most) return level;
  throw new RangeError(`expected a level of ${compression} from 1 to ${most}, found ${level}`);
}

/** Memory for output comes in pieces of this size. */
const OUTPUT_BYTES = 128 * 1024;
// Offset of the byte that names the operating system (RFC 1952 2.3): 255 is "unknown" on all of them.
const OS_BYTE = 9;

async function gzipMember(block: Buffer, level: number): Promise<Buffer> {
  const packed = await packedBy(zlib.createGzip({ level, chunkSize: OUTPUT_BYTES }), block);
  packed[OS_BYTE] = 255;
  return packed;
}

function zstdFrame(block: Buffer, level: number): Promise<Buffer> {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 };
  return packedBy(zlib.createZstdCompress({ params, chunkSize: OUTPUT_BYTES, pledgedSrcSize: block.length }), block);
}

/** All that an engine makes of a block. */
function packedBy(engine: zlib.Gzip | zlib.ZstdCompress, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    engine.on("data", (part: Buffer) => parts.push(part));
    engine.on("error", reject);
    engine.on("end", () => {
      const packed = Buffer.concat(parts);
      for (const memory of new Set(parts.map(({ buffer }) => buffer))) giveBack(memory, OUTPUT_BYTES);
      resolve(packed);
    });
    engine.end(block);
  });
}

/**
 * Frees memory that nothing else uses, at once: what lies outside of JavaScript's heap hardly moves its collector, which
 * would let tens of megabytes pile up. What has another size is shared with other buffers, and stays.
 */
export function giveBack(memory: ArrayBufferLike, size: number): void {
  if (memory instanceof ArrayBuffer && memory.byteLength === size) memory.transfer?.(0);
}
