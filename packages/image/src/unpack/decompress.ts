import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import type { LayerCompression } from "@touchmark/formats/oci";
import { unpackErrors } from "./errors.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** How much may wait for the reader, so that decompressing goes on while it writes: not in the types, but handed on. */
const streaming = { chunkSize: 64 * 1024, readableHighWaterMark: 2 ** 20 };
/** zstd's own limit for readers that were not told more: 128 MiB. */
const windowLog = 27;

type Unpacker = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

/**
 * Bytes of a layer, unpacked. Members of gzip and frames of zstd may follow each other; anything else behind them is
 * refused, since readers disagree about it. Errors of the source pass unchanged.
 * @throws UNPACK_COMPRESSION_MISMATCH | UNPACK_COMPRESSION_INVALID | UNPACK_TRUNCATED | UNPACK_TRAILING_BYTES
 */
export async function* decompress(
  packed: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): AsyncGenerator<Buffer> {
  const source = checkedMagic(packed, compression);
  if (compression === "none") {
    yield* source;
    return;
  }
  const unpacker: Unpacker =
    compression === "gzip"
      ? createGunzip(streaming)
      : createZstdDecompress({ ...streaming, params: { [constants.ZSTD_d_windowLogMax]: windowLog } });
  const feeding = feed(source, unpacker, compression);
  // Heard below; until then it must not end the process.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
    await feeding;
  } catch (cause) {
    throw damage(cause);
  } finally {
    unpacker.destroy();
  }
}

/** Feeds the unpacker, no faster than it takes; checks at the end that it took everything. */
async function feed(source: AsyncIterable<Buffer>, unpacker: Unpacker, compression: "gzip" | "zstd"): Promise<void> {
  const frames = compression === "zstd" ? new ZstdFrames(2 ** windowLog) : undefined;
  let fed = 0;
  try {
    for await (const chunk of source) {
      fed += chunk.length;
      for (const piece of frames?.cut(chunk) ?? [chunk]) {
        if (!unpacker.write(piece)) await drained(unpacker);
      }
      if (unpacker.destroyed) return;
    }
    if (frames?.isBetween === false) throw truncated();
  } catch (cause) {
    unpacker.destroy(cause as Error);
    throw cause;
  }
  unpacker.end();
  await new Promise<void>((resolve) => {
    unpacker.once("close", resolve);
    unpacker.once("end", resolve);
  });
  // gunzip takes zeros behind the last member for padding, and ignores what comes after them.
  if (!unpacker.errored && unpacker.bytesWritten < fed) {
    throw unpackErrors.make("UNPACK_TRAILING_BYTES", `expected gzip members alone, found other bytes behind one`);
  }
}

function drained(unpacker: Unpacker): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      unpacker.off("drain", settle);
      unpacker.off("close", settle);
      resolve();
    };
    unpacker.on("drain", settle);
    unpacker.on("close", settle);
    if (unpacker.destroyed) settle();
  });
}

/** Passes chunks on, once the first bytes are those of the compression that was announced. */
async function* checkedMagic(packed: AsyncIterable<Uint8Array>, compression: LayerCompression): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const bytes of packed) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < 4) continue;
    checkMagic(head, compression);
    yield head;
    head = undefined;
  }
  if (head === undefined) return;
  if (compression !== "none") throw truncated();
  if (head.length > 0) yield head;
}

function checkMagic(head: Buffer, announced: LayerCompression): void {
  const magic = head.readUInt32LE(0);
  const isZstd = magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
  const found: LayerCompression = head[0] === 0x1f && head[1] === 0x8b ? "gzip" : isZstd ? "zstd" : "none";
  if (found !== announced) {
    throw unpackErrors.make(
      "UNPACK_COMPRESSION_MISMATCH",
      `expected a layer with compression ${announced}, found ${found}`,
    );
  }
}

function damage(cause: unknown): unknown {
  if (!(cause instanceof Error) || isFactoryError(cause)) return cause;
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "Z_BUF_ERROR") return truncated(cause);
  // The first header was checked: this one is of what stands behind the last member.
  if (code === "Z_DATA_ERROR" && cause.message === "incorrect header check") {
    return unpackErrors.make("UNPACK_TRAILING_BYTES", "expected gzip members alone, found other bytes behind one", {
      cause,
    });
  }
  if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) return cause;
  return unpackErrors.make("UNPACK_COMPRESSION_INVALID", `expected intact compression, found: ${cause.message}`, {
    cause,
  });
}

function truncated(cause?: Error): Error {
  return unpackErrors.make("UNPACK_TRUNCATED", "expected more compressed bytes, found the end of the layer", { cause });
}
