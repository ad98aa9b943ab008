import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import type { CollectedFile, FileFacts } from "../catalogue/cataloger.ts";
import { sbomErrors } from "../errors.ts";
import type { StoredContent } from "./content.ts";

const defaultLimit = 64 * 2 ** 20;
/** One buffer for all hashing: it is used up before anything else runs. */
const buffer = Buffer.allocUnsafeSlow(2 ** 20);

/** A file whose content is at hand. */
export class StoredFile implements CollectedFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  declare readonly layer?: Digest;
  declare readonly head?: Uint8Array;
  readonly content: StoredContent;
  #digest: Digest | undefined;

  constructor(facts: FileFacts, content: StoredContent, digest?: Digest) {
    this.path = facts.path;
    this.name = facts.name;
    this.size = facts.size;
    this.mode = facts.mode;
    if (facts.layer !== undefined) this.layer = facts.layer;
    if (facts.head !== undefined) this.head = facts.head;
    this.content = content;
    this.#digest = digest;
  }

  /** Its digest, if it was computed. */
  get knownDigest(): Digest | undefined {
    return this.#digest;
  }

  bytes(limit: number = defaultLimit): Uint8Array {
    if (this.size > limit) {
      throw sbomErrors.make(
        "SBOM_FILE_TOO_LARGE",
        `expected ${this.path} to have at most ${limit} bytes, found ${this.size}`,
      );
    }
    return this.content.read(0, this.size);
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || offset >= this.size) return new Uint8Array(0);
    return this.content.read(offset, Math.min(length, this.size - offset));
  }

  digest(): Digest {
    this.#digest ??= `sha256:${this.hash("sha256")}`;
    return this.#digest;
  }

  hash(algorithm: "md5" | "sha1" | "sha256" | "sha512"): string {
    const hash = createHash(algorithm);
    for (let offset = 0; offset < this.size; ) {
      const filled = this.content.fill(buffer.subarray(0, this.size - offset), offset);
      if (filled === 0) break;
      hash.update(buffer.subarray(0, filled));
      offset += filled;
    }
    return hash.digest("hex");
  }
}
