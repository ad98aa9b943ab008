import type { IncomingMessage } from "node:http";
import { pipeline, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { proxyErrors } from "./errors.ts";

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
  deflate: createInflate,
};
/** More than this many times its size is no honest compression, once it is more than a few megabytes. */
const MAX_RATIO = 1000;
const UNJUDGED_BYTES = 8 * 1024 * 1024;

/** The content coding of an answer; undefined for none. @throws PROXY_ENCODING_UNKNOWN */
export function codingOf(headers: Readonly<Record<string, string>>): string | undefined {
  const coding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (coding === "identity" || coding === "") return undefined;
  if (!Object.hasOwn(decoders, coding)) {
    throw proxyErrors.make(
      "PROXY_ENCODING_UNKNOWN",
      `expected no content coding or a known one, found ${JSON.stringify(coding.slice(0, 60))}`,
    );
  }
  return coding;
}

/** A body with its content coding undone, bounded. @throws PROXY_DECOMPRESSION_BOMB | PROXY_ENCODING_UNKNOWN */
export async function* decoded(
  message: IncomingMessage,
  coding: string,
  maxBytes: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const decoder = (decoders[coding] as () => Transform)();
  let packed = 0;
  let unpacked = 0;
  const count = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      packed += chunk.length;
      onBytes(chunk.length);
      yield chunk;
    }
  };
  pipeline(message, count, decoder, () => {});
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
      unpacked += chunk.length;
      if (unpacked > maxBytes || (unpacked > UNJUDGED_BYTES && unpacked > packed * MAX_RATIO)) {
        throw proxyErrors.make(
          "PROXY_DECOMPRESSION_BOMB",
          `expected at most ${maxBytes} bytes, found more in ${packed}`,
        );
      }
      yield chunk;
    }
  } catch (error) {
    const { code = "" } = error as { code?: string };
    // A broken connection is told from broken compression: the first may be mended by asking again.
    if (!/^(?:Z_|ERR_(?:BROTLI|ZLIB|_ERROR|ZSTD)|ERR__|ZSTD)/.test(code) || !message.complete) throw error;
    throw proxyErrors.make("PROXY_ENCODING_UNKNOWN", `expected a whole ${coding} body, found ${code}`, {
      cause: error,
    });
  } finally {
    decoder.destroy();
    message.destroy();
  }
}
