import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { observerErrors } from "./errors.ts";

/**
 * A small file of our own that is believed later: kept with an HMAC under a key that lies beside it, both closed to
 * others. Whoever can write the file without reading the key is found out at once.
 */
export class SealedFile {
  readonly #path: string;
  readonly #key: Buffer;

  /** @throws DIGEST_CACHE_POISONED when the key is open to others */
  constructor(path: string) {
    this.#path = path;
    this.#key = openKey(`${path}.key`);
  }

  /** The content, or undefined when there is none yet. @throws DIGEST_CACHE_POISONED */
  read(): string | undefined {
    let content: string;
    try {
      content = readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
    const end = content.indexOf("\n");
    const text = content.slice(end + 1);
    const stated = Buffer.from(content.slice(0, Math.max(0, end)));
    const expected = Buffer.from(this.#seal(text));
    if (stated.length !== expected.length || !timingSafeEqual(stated, expected))
      throw observerErrors.make("DIGEST_CACHE_POISONED", `the seal of ${this.#path} does not fit its content`);
    return text;
  }

  /** Replaces the content, whole and at once. */
  write(text: string): void {
    const temporary = `${this.#path}.${process.pid}.${randomBytes(6).toString("hex")}`;
    writeFileSync(temporary, `${this.#seal(text)}\n${text}`, { mode: 0o600, flag: "wx" });
    renameSync(temporary, this.#path);
  }

  #seal(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("hex");
  }
}

function openKey(path: string): Buffer {
  if (!existsSync(path)) {
    // Linked into place once it is whole; when another run was quicker, its key counts.
    const temporary = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
    writeFileSync(temporary, randomBytes(32), { mode: 0o600, flag: "wx" });
    try {
      linkSync(temporary, path);
    } catch (error) {
      if (!existsSync(path)) throw error;
    } finally {
      unlinkSync(temporary);
    }
  }
  const { mode, uid } = statSync(path);
  if ((mode & 0o077) !== 0 || uid !== process.getuid?.())
    throw observerErrors.make("DIGEST_CACHE_POISONED", `expected ${path} to be ours and closed to others (0600)`);
  return readFileSync(path);
}
