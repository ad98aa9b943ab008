import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import type { Readable, Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type ArchiveLedger, InspectionEnd } from "./ledger.ts";

/** How the content of a tar archive is packed. */
export type Packing = "plain" | "gz" | "zst" | "xz" | "bz2";

/** Part of a file. */
export interface Region {
  readonly path: string;
  readonly start: number;
  /** Bytes from there on. */
  readonly length: number;
}

/** Hands the unpacked bytes of a region to `take`. Trailing bytes and broken packing are faults. */
export async function unpack(
  region: Region,
  packing: Packing,
  ledger: ArchiveLedger,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  if (region.length === 0) return ledger.stop("ARCHIVE_TRUNCATED", "an empty file");
  const source = createReadStream(region.path, {
    start: region.start,
    end: region.start + region.length - 1,
    highWaterMark: 256 * 1024,
  });
  if (packing === "plain") {
    for await (const chunk of source) take(chunk as Uint8Array);
    return;
  }
  if (packing === "xz" || packing === "bz2") return byProgram(source, packing, ledger, take);
  const unpacker: Transform & { readonly bytesWritten?: number } =
    packing === "gz" ? createGunzip({ chunkSize: 256 * 1024 }) : createZstdDecompress({ chunkSize: 256 * 1024 });
  source.on("error", (cause) => unpacker.destroy(cause));
  source.pipe(unpacker);
  try {
    for await (const chunk of unpacker) take(chunk as Uint8Array);
  } catch (cause) {
    if (cause instanceof InspectionEnd) throw cause;
    const code = (cause as NodeJS.ErrnoException).code === "Z_BUF_ERROR" ? "ARCHIVE_TRUNCATED" : "ARCHIVE_UNREADABLE";
    ledger.stop(code, `${packing}: ${(cause as Error).message}`);
  } finally {
    source.destroy();
  }
  // The library stops at the end of the packed stream and says nothing of what follows.
  if ((unpacker.bytesWritten ?? region.length) < region.length) {
    ledger.fault("ARCHIVE_TRAILING_BYTES", `bytes behind the ${packing} stream`);
  }
}

/** Formats without a library here: the program of this host that the ecosystem's own tools use too. */
async function byProgram(
  source: Readable,
  packing: "xz" | "bz2",
  ledger: ArchiveLedger,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const program = packing === "xz" ? "xz" : "bzip2";
  const words = packing === "xz" ? ["-dc", "--memlimit-decompress=512MiB"] : ["-dc"];
  const child = spawn(program, words, {
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
  });
  const done = new Promise<number | Error>((resolve) => {
    child.on("error", resolve);
    child.on("close", (code) => resolve(code ?? 1));
  });
  child.stdin.on("error", () => source.destroy());
  source.on("error", () => child.kill("SIGKILL"));
  source.pipe(child.stdin);
  try {
    for await (const chunk of child.stdout) take(chunk as Uint8Array);
  } catch (cause) {
    source.destroy();
    child.kill("SIGKILL");
    throw cause;
  }
  const outcome = await done;
  if (outcome instanceof Error) {
    ledger.stop("ARCHIVE_UNREADABLE", `the program ${program} is not on this host: the content was not read`);
  }
  if (outcome !== 0) ledger.stop("ARCHIVE_UNREADABLE", `${program} refuses the content (exit ${outcome})`);
}
