import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import { padding, readTarEntry, type TarEntry } from "@touchmark/store";
import { mirrorErrors } from "./errors.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Reads an archive that anybody may have made: members in order, each within the bounds of the file. */
export class ArchiveFile {
  readonly #descriptor: number;
  #left: number;

  /** @throws the system's error when there is no such file */
  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(this.#descriptor);
    this.#left = stat.size;
    if (!stat.isFile()) {
      closeSync(this.#descriptor);
      throw malformed("something that is no file");
    }
  }

  /**
   * The next member, a plain file; undefined at the end. Its content must be read before the next one.
   * @throws MIRROR_ARCHIVE_MALFORMED | MIRROR_ARCHIVE_PATH | MIRROR_ARCHIVE_SIZE
   */
  next(): TarEntry | undefined {
    let member: TarEntry | undefined;
    try {
      member = readTarEntry((buffer) => this.#read(buffer));
    } catch (cause) {
      if (!isFactoryError(cause) || cause.code.startsWith("MIRROR_")) throw cause;
      if (cause.code === "STORE_ARCHIVE_ENTRY") throw foreign(cause.message);
      throw mirrorErrors.make("MIRROR_ARCHIVE_MALFORMED", cause.message.replace("a backup", "an exported archive"), {
        cause,
      });
    }
    if (member === undefined) {
      if (this.#left > 0) throw malformed("bytes after its end");
      return undefined;
    }
    const shown = JSON.stringify(member.path.slice(0, 200));
    if (member.kind !== "file") throw foreign(`expected plain files, found the ${member.kind} ${shown}`);
    if (member.size > this.#left) {
      throw mirrorErrors.make(
        "MIRROR_ARCHIVE_SIZE",
        `expected ${shown} to have the ${member.size} bytes that it says, found ${this.#left} left in the archive`,
      );
    }
    return member;
  }

  /** Content of the member that was read last, in parts. */
  *content(member: TarEntry): Generator<Uint8Array> {
    for (let left = member.size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
      this.#read(chunk);
      left -= chunk.length;
      yield chunk;
    }
    const zeros = padding(member.size);
    this.#read(zeros);
    if (zeros.some((byte) => byte !== 0)) throw malformed("content beyond the end of a member");
  }

  /** A small member, whole. @throws MIRROR_ARCHIVE_SIZE */
  bytes(member: TarEntry, maxBytes: number): Buffer {
    if (member.size > maxBytes) {
      throw mirrorErrors.make(
        "MIRROR_ARCHIVE_SIZE",
        `expected ${member.path} of at most ${maxBytes} bytes, found ${member.size}`,
      );
    }
    return Buffer.concat([...this.content(member)]);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(buffer: Uint8Array): void {
    for (let done = 0; done < buffer.length; ) {
      const count = readSync(this.#descriptor, buffer, done, buffer.length - done, null);
      if (count === 0) throw malformed("its end in the middle");
      done += count;
      this.#left -= count;
    }
  }
}

/** What an archive is when it is none of ours. */
export function malformed(found: string): Error {
  return mirrorErrors.make("MIRROR_ARCHIVE_MALFORMED", `expected an exported archive, found ${found}`);
}

function foreign(message: string): Error {
  return mirrorErrors.make("MIRROR_ARCHIVE_PATH", message);
}
