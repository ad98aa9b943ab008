import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { encodeRow } from "./database-file.ts";
import { type Row, rowBytes, rowKeys, rowName } from "./row.ts";

/** A row that waits on disk for its place. */
export interface SpooledRow {
  readonly name: string;
  readonly kind: Row["kind"];
  /** RFC 3339 for advisories; rows of feeds have none. */
  readonly modified: string;
  readonly keys: readonly string[];
  readonly offset: number;
  readonly length: number;
}

/** Rows in the order in which they came, on disk, so that the largest feed needs little memory. */
export class Spool {
  readonly #path: string;
  readonly #descriptor: number;
  #size = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  // Keys come thousands of times: each is kept once.
  readonly #known = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "wx+", 0o600);
  }

  add(row: Row): SpooledRow {
    const bytes = encodeRow(row.kind, rowBytes(row));
    const spooled: SpooledRow = {
      name: rowName(row),
      kind: row.kind,
      modified: row.kind === "advisory" ? row.record.modified : "",
      keys: [...rowKeys(row)].map((key) => this.#once(key)),
      offset: this.#size,
      length: bytes.length,
    };
    this.#size += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > 4 << 20) this.#flush();
    return spooled;
  }

  /** The row as it is written: length, letter, bytes. */
  read({ offset, length }: SpooledRow): Buffer {
    this.#flush();
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      done += readSync(this.#descriptor, bytes, done, length - done, offset + done);
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
    rmSync(this.#path, { force: true });
  }

  #once(key: string): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, key);
    return key;
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting, this.#waitingBytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
