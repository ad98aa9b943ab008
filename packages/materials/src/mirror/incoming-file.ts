import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { guarded } from "@touchmark/store";
import type { Incoming } from "./mirror.ts";

/** A body on its way in: a private file that nobody else writes or holds open. */
export class IncomingFile implements Incoming {
  readonly path: string;
  #file: FileHandle | undefined;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  static create(directory: string): Promise<IncomingFile> {
    return guarded("taking in a body", async () => {
      const path = join(directory, randomBytes(8).toString("hex"));
      return new IncomingFile(path, await open(path, "wx", 0o600));
    });
  }

  write(chunk: Uint8Array): Promise<void> {
    return guarded("taking in a body", async () => {
      if (this.#file === undefined) throw new TypeError("the body is complete");
      for (let done = 0; done < chunk.length; ) {
        done += (await this.#file.write(chunk, done, chunk.length - done)).bytesWritten;
      }
    });
  }

  close(): Promise<void> {
    return guarded("taking in a body", async () => {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    });
  }

  async discard(): Promise<void> {
    await this.close();
    await guarded("discarding a body", () => rmSync(this.path, { force: true }));
  }
}
