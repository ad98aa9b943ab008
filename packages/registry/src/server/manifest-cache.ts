import type { Digest } from "@touchmark/core";

/** A manifest whose bytes were verified, with the parts of an answer that never change. */
export interface KeptManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

interface Row extends KeptManifest {
  /** Time until which nobody needs to ask whether it is still there, in milliseconds. */
  freshUntil: number;
}

/**
 * Verified manifests of repositories, the least recently used go first. What this server deletes goes at once; what
 * another process deletes goes within `freshMs`.
 */
export class ManifestCache {
  readonly #rows = new Map<string, Row>();
  readonly #maxBytes: number;
  readonly #freshMs: number;
  #bytes = 0;

  constructor(maxBytes: number, freshMs: number) {
    this.#maxBytes = maxBytes;
    this.#freshMs = freshMs;
  }

  get(repository: string, digest: Digest, now: number): KeptManifest | undefined {
    const key = keyOf(repository, digest);
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    if (now > row.freshUntil) {
      this.#drop(key, row);
      return undefined;
    }
    return row;
  }

  put(repository: string, digest: Digest, manifest: KeptManifest, now: number): void {
    // One manifest must not push out everything else.
    if (manifest.bytes.length > this.#maxBytes / 16) return;
    const key = keyOf(repository, digest);
    const there = this.#rows.get(key);
    if (there !== undefined) this.#drop(key, there);
    this.#rows.set(key, { ...manifest, freshUntil: now + this.#freshMs });
    this.#bytes += weight(manifest);
    for (const [oldest, row] of this.#rows) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest, row);
    }
  }

  delete(repository: string, digest: Digest): void {
    const key = keyOf(repository, digest);
    const row = this.#rows.get(key);
    if (row !== undefined) this.#drop(key, row);
  }

  /** Bytes held, with an allowance for each row. */
  get bytes(): number {
    return this.#bytes;
  }

  #drop(key: string, row: Row): void {
    this.#rows.delete(key);
    this.#bytes -= weight(row);
  }
}

function keyOf(repository: string, digest: Digest): string {
  return `${repository}@${digest}`;
}

function weight(manifest: KeptManifest): number {
  return manifest.bytes.length + 512;
}
