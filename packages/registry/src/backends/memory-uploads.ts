import { randomBytes } from "node:crypto";
import { type Digest, sha256 } from "@touchmark/core";
import type { UploadBackend } from "../backend.ts";
import { busyUpload, checkOffset, mismatch, tooLarge, unknownUpload } from "./refusals.ts";

/** An upload that lies in memory. */
interface MemoryUpload {
  readonly repository: string;
  readonly startedAt: number;
  parts: Uint8Array[];
  size: number;
  busy: boolean;
}

/** Uploads of the memory backend; `store` takes what is verified. */
export class MemoryUploads implements UploadBackend {
  readonly #store: (repository: string, digest: Digest, bytes: Uint8Array) => void;
  readonly #now: () => number;
  readonly #uploads = new Map<string, MemoryUpload>();

  constructor(store: (repository: string, digest: Digest, bytes: Uint8Array) => void, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async begin(repository: string): Promise<string> {
    const id = randomBytes(16).toString("hex");
    this.#uploads.set(id, { repository, startedAt: this.#now(), parts: [], size: 0, busy: false });
    return id;
  }

  async received(repository: string, id: string): Promise<number | undefined> {
    return this.#find(repository, id)?.size;
  }

  async append(
    repository: string,
    id: string,
    options: { readonly offset: number | undefined; readonly maxBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    const upload = this.#take(repository, id);
    try {
      checkOffset(options.offset, upload.size);
      for await (const chunk of chunks) {
        if (upload.size + chunk.length > options.maxBytes) {
          this.#uploads.delete(id);
          throw tooLarge(options.maxBytes);
        }
        upload.parts.push(Uint8Array.from(chunk));
        upload.size += chunk.length;
      }
      return upload.size;
    } finally {
      upload.busy = false;
    }
  }

  async finish(repository: string, id: string, digest: Digest): Promise<{ readonly size: number }> {
    const upload = this.#take(repository, id);
    this.#uploads.delete(id);
    return this.#keep(repository, digest, Buffer.concat(upload.parts));
  }

  async put(
    repository: string,
    digest: Digest,
    maxBytes: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly size: number }> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      parts.push(Uint8Array.from(chunk));
    }
    return this.#keep(repository, digest, Buffer.concat(parts));
  }

  async cancel(repository: string, id: string): Promise<boolean> {
    if (this.#find(repository, id) === undefined) return false;
    this.#take(repository, id);
    return this.#uploads.delete(id);
  }

  /** Ids of uploads that nobody writes to and that began before the given time. */
  abandoned(before: number): string[] {
    return [...this.#uploads].filter(([, one]) => !one.busy && one.startedAt <= before).map(([id]) => id);
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) this.#uploads.delete(id);
  }

  #keep(repository: string, digest: Digest, bytes: Uint8Array): { readonly size: number } {
    const found = sha256(bytes);
    if (found !== digest) throw mismatch(digest, found);
    this.#store(repository, digest, bytes);
    return { size: bytes.length };
  }

  #find(repository: string, id: string): MemoryUpload | undefined {
    const upload = this.#uploads.get(id);
    return upload?.repository === repository ? upload : undefined;
  }

  #take(repository: string, id: string): MemoryUpload {
    const upload = this.#find(repository, id);
    if (upload === undefined) throw unknownUpload();
    if (upload.busy) throw busyUpload();
    upload.busy = true;
    return upload;
  }
}
