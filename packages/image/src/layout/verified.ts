import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";

/** What is said when content is not what it was announced as, on reading and on writing. */
export type MismatchCode = "IMAGE_BLOB_CORRUPT" | "IMAGE_BLOB_MISMATCH";

/** Passes content through; the last chunk comes only once digest and size are what the descriptor says. @throws the given code */
export async function* verified(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: Pick<Descriptor, "digest" | "size">,
  code: MismatchCode,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    size += chunk.length;
    if (size > expected.size) break;
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (size !== expected.size) {
    const found = size > expected.size ? "more" : `${size}`;
    throw imageErrors.make(code, `expected ${expected.size} bytes with digest ${expected.digest}, found ${found}`);
  }
  const digest: Digest = `sha256:${hash.digest("hex")}`;
  if (digest !== expected.digest) {
    throw imageErrors.make(code, `expected content with digest ${expected.digest}, found ${digest}`);
  }
  if (held !== undefined) yield held;
}

/** Reads verified content whole; for manifests and configurations. */
export async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw imageErrors.make("IMAGE_BLOB_CORRUPT", `expected ${what} of at most ${maxBytes} bytes`);
    parts.push(chunk);
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, size);
}
