import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { malformed, type ZipEntry } from "./zip-directory.ts";

/** What `inflateRawSync` answers with `info`; its types do not say so. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Up to this size a file is unpacked at once, which is faster for the thousands of small ones. */
const atOnce = 256 << 10;

/** SHA-256 of one unpacked file, lower-case hex. Size and checksum must be those of its directory entry. */
export async function zipEntryDigest(file: FileHandle, entry: ZipEntry): Promise<string> {
  const hash = createHash("sha256");
  let sum = 0;
  let size = 0;
  const take = (chunk: Uint8Array): void => {
    size += chunk.length;
    if (size > entry.size) malformed(`${entry.size} bytes in ${JSON.stringify(entry.name)}, found more`);
    sum = crc32(chunk, sum);
    hash.update(chunk);
  };
  if (entry.size <= atOnce && entry.compressedSize <= atOnce) take(await zipEntryBytes(file, entry));
  else await stream(file, entry, take);
  if (size !== entry.size || sum !== entry.crc32) {
    malformed(`${entry.size} bytes with their checksum in ${JSON.stringify(entry.name)}, found others`);
  }
  return hash.digest("hex");
}

/** One small file, unpacked. Its checksum is not looked at here. */
export async function zipEntryBytes(file: FileHandle, entry: ZipEntry): Promise<Uint8Array> {
  const packed = Buffer.alloc(entry.compressedSize);
  for (let done = 0; done < packed.length; ) {
    const { bytesRead } = await file.read(packed, done, packed.length - done, entry.start + done);
    if (bytesRead === 0) malformed("more bytes, found the file's end");
    done += bytesRead;
  }
  if (entry.method === "stored") return packed;
  try {
    const options = { maxOutputLength: Math.max(entry.size, 1), info: true };
    const { buffer, engine } = inflateRawSync(packed, options) as unknown as Inflated;
    if (engine.bytesWritten !== packed.length) malformed(`a stream that fills ${JSON.stringify(entry.name)}`);
    return buffer;
  } catch (cause) {
    return malformed(`a deflate stream of ${entry.size} bytes in ${JSON.stringify(entry.name)}: ${String(cause)}`);
  }
}

async function stream(file: FileHandle, entry: ZipEntry, take: (chunk: Uint8Array) => void): Promise<void> {
  const sink = new Writable({
    write(chunk: Uint8Array, _, done) {
      try {
        take(chunk);
        done();
      } catch (fault) {
        done(fault as Error);
      }
    },
  });
  const source = Readable.from(chunks(file, entry), { objectMode: false });
  if (entry.method === "stored") return pipeline(source, sink);
  const inflate = createInflateRaw();
  try {
    await pipeline(source, inflate, sink);
  } catch (cause) {
    if ((cause as { code?: string }).code?.startsWith("MATERIAL_") === true) throw cause;
    malformed(`a deflate stream in ${JSON.stringify(entry.name)}: ${String(cause)}`);
  }
  if (inflate.bytesWritten !== entry.compressedSize) malformed(`a stream that fills ${JSON.stringify(entry.name)}`);
}

async function* chunks(file: FileHandle, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  let at = entry.start;
  const end = entry.start + entry.compressedSize;
  while (at < end) {
    const chunk = Buffer.alloc(Math.min(64 << 10, end - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) malformed("more bytes, found the file's end");
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
