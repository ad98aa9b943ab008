import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { CatalogueContext, CollectedFile } from "../catalogue/cataloger.ts";

/** A file of a scanned tree, for tests of catalogers. */
export function collected(path: string, content: Uint8Array | string): CollectedFile {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    size: bytes.length,
    mode: 0o755,
    head: bytes.subarray(0, 64),
    bytes: () => bytes,
    read: (offset, length) => bytes.subarray(offset, Math.max(offset, offset + length)),
    hash: (algorithm) => createHash(algorithm).update(bytes).digest("hex"),
    digest: () => `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
  };
}

/** A real file at a path of the scanned tree. */
export function collectedFrom(path: string, host: string): CollectedFile {
  return collected(path, readFileSync(host));
}

/** A context in which these files were collected. */
export function contextOf(files: readonly CollectedFile[]): CatalogueContext {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return {
    file: (path) => byPath.get(path),
    files: (matches) => files.filter(({ path }) => matches(path)),
    exists: (path) => byPath.has(path),
  };
}
