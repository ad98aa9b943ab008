import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Digest } from "@touchmark/core";

const CHUNK_BYTES = 1 << 20;
let shared: Buffer | undefined;

/** SHA-256 of a regular file, read in pieces and never held. Throws the system's error when it cannot be read. */
export function digestOfFile(path: string): Digest {
  const descriptor = openSync(path, "r");
  try {
    if (!fstatSync(descriptor).isFile())
      throw Object.assign(new Error(`not a regular file: ${path}`), { code: "EINVAL" });
    shared ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const hash = createHash("sha256");
    for (;;) {
      const count = readSync(descriptor, shared, 0, shared.length, null);
      if (count === 0) return `sha256:${hash.digest("hex")}`;
      hash.update(shared.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}
