import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { finished } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { TraceLog } from "./observation.ts";

const CHUNK = 1 << 20;
/** No line that strace writes is longer: 16,384 arguments could be, but the kernel allows 2 MiB of them, four characters a byte. */
const MAX_LINE = 16 << 20;

/** What reading a trace file found besides its lines. */
export interface TraceRead {
  readonly bytes: number;
  /** The last line has no end, or a line is longer than any that strace writes. */
  readonly cut: boolean;
  /** The compressed copy; undefined when there was nothing to read. */
  readonly log: TraceLog | undefined;
}

/**
 * Calls `onLine` with each line of the file, as one character per byte, and compresses the file beside itself, which goes
 * on in another thread meanwhile. Never holds the whole file.
 */
export async function readTrace(path: string, onLine: (line: string) => void): Promise<TraceRead> {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return { bytes: 0, cut: false, log: undefined };
  }
  const target = new CompressedLog(`${path}.gz`);
  let rest = "";
  let bytes = 0;
  try {
    const size = Math.min(CHUNK, Math.max(4096, fstatSync(fd).size));
    for (;;) {
      const buffer = Buffer.allocUnsafe(size);
      const count = readSync(fd, buffer);
      if (count === 0) break;
      bytes += count;
      const written = target.write(buffer.subarray(0, count));
      if (rest.length <= MAX_LINE) rest = eachLine(rest + buffer.toString("latin1", 0, count), onLine);
      await written;
    }
  } finally {
    closeSync(fd);
  }
  const log = await target.end();
  return { bytes, cut: rest !== "", log: bytes === 0 ? undefined : { ...log, uncompressedBytes: bytes } };
}

function eachLine(text: string, onLine: (line: string) => void): string {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    onLine(text.slice(start, end));
    start = end + 1;
  }
  return text.slice(start);
}

/** A gzip file that is hashed as it is written. */
class CompressedLog {
  readonly #path: string;
  readonly #hash = createHash("sha256");
  readonly #gzip = createGzip({ level: 1 });
  readonly #file: number;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "w", 0o600);
    this.#gzip.on("data", (chunk: Buffer) => {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      writeSync(this.#file, chunk);
    });
  }

  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gzip.write(chunk, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }

  async end(): Promise<Omit<TraceLog, "uncompressedBytes">> {
    this.#gzip.end();
    await finished(this.#gzip);
    closeSync(this.#file);
    return { path: this.#path, digest: `sha256:${this.#hash.digest("hex")}`, bytes: this.#bytes };
  }
}
