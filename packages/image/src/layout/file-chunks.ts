import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 1024 * 1024;
const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Content of a plain file from `start` to `end` (exclusive), in chunks. @throws what `missing` makes when there is none */
export function* fileChunks(
  path: string,
  missing: () => Error,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): Generator<Uint8Array> {
  const descriptor = openPlain(path);
  if (descriptor === undefined) throw missing();
  try {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
      const count = readSync(descriptor, chunk, 0, chunk.length, at);
      if (count === 0) return;
      at += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a plain file for reading, never through a link at its end; undefined when it is not there or no plain file. */
export function openPlain(path: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | NO_FOLLOW);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EISDIR"].includes((cause as { code?: string }).code ?? "")) return undefined;
    throw cause;
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  return undefined;
}
