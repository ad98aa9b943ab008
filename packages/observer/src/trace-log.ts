import { createHash } from "node:crypto";
import { closeSync, createWriteStream, fstatSync, openSync, readSync } from "node:fs";
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
}

/** Calls `onLine` with each line of the file, as one character per byte, without ever holding the whole file. */
export function readTraceLines(path: string, onLine: (line: string) => void): TraceRead {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return { bytes: 0, cut: false };
  }
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(4096, fstatSync(fd).size)));
    let rest = "";
    let bytes = 0;
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      bytes += count;
      const text = rest + buffer.toString("latin1", 0, count);
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        onLine(text.slice(start, end));
        start = end + 1;
      }
      rest = text.slice(start);
      if (rest.length > MAX_LINE) return { bytes, cut: true };
    }
    return { bytes, cut: rest !== "" };
  } finally {
    closeSync(fd);
  }
}

/** Compresses the trace beside itself. */
export async function compressTrace(path: string): Promise<TraceLog> {
  const target = `${path}.gz`;
  const hash = createHash("sha256");
  const gzip = createGzip({ level: 1 });
  const file = createWriteStream(target, { mode: 0o600 });
  let bytes = 0;
  let uncompressedBytes = 0;
  gzip.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  gzip.pipe(file);
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(4096, fstatSync(fd).size)));
      const count = readSync(fd, buffer);
      if (count === 0) break;
      uncompressedBytes += count;
      if (!gzip.write(buffer.subarray(0, count))) await new Promise((resolve) => gzip.once("drain", resolve));
    }
  } finally {
    closeSync(fd);
  }
  gzip.end();
  await finished(file);
  return { path: target, digest: `sha256:${hash.digest("hex")}`, bytes, uncompressedBytes };
}
