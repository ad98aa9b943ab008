import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
} from "node:fs";
import type { BlobDescriptor, PutOptions } from "../content-store.ts";
import { storeErrors } from "../errors.ts";

/** How much of a blob is read at a time. */
export const CHUNK_BYTES = 1024 * 1024;
/** A blob is a file: no link is followed to one, and no pipe waited for. */
export const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Windows neither renames nor deletes read-only files. */
export const BLOB_MODE = process.platform === "win32" ? 0o600 : 0o400;

export function openBlob(path: string): number {
  return openSync(path, constants.O_RDONLY | NO_FOLLOW);
}

/** @throws STORE_BLOB_TOO_LARGE */
export function checkSize(size: number, maxBytes: number | undefined): void {
  if (maxBytes !== undefined && size > maxBytes) {
    throw storeErrors.make("STORE_BLOB_TOO_LARGE", `expected at most ${maxBytes} bytes, found ${size}`);
  }
}

/** Brings a file into staging and hashes what arrived there, so that later changes of the original do not matter. */
export function takeFile(
  source: { readonly file: string; readonly move?: boolean; readonly owned?: boolean },
  staged: string,
  options: PutOptions,
): BlobDescriptor {
  const stat = lstatSync(source.file);
  if (!stat.isFile()) throw storeErrors.make("STORE_TREE_SPECIAL_FILE", `expected a plain file at ${source.file}`);
  checkSize(stat.size, options.maxBytes);
  if (source.move === true && source.owned === true && moveIn(source.file, staged)) return hashFile(staged);
  copyFileSync(source.file, staged, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const found = hashFile(staged);
  checkSize(found.size, options.maxBytes);
  if (source.move === true) unlinkSync(source.file);
  return found;
}

/** Moves a file that is nobody else's; false when it lies on another file system. */
function moveIn(file: string, staged: string): boolean {
  try {
    renameSync(file, staged);
  } catch (cause) {
    if ((cause as { code?: string }).code === "EXDEV") return false;
    throw cause;
  }
  chmodSync(staged, BLOB_MODE);
  return true;
}

export function hashFile(path: string): BlobDescriptor {
  const descriptor = openBlob(path);
  try {
    const h = createHash("sha256");
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let size = 0;
    for (;;) {
      const count = readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) return { digest: `sha256:${h.digest("hex")}`, size };
      size += count;
      h.update(chunk.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}
