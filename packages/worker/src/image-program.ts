import { closeSync, lstatSync, openSync, readlinkSync, readSync, statSync } from "node:fs";
import { posix } from "node:path";
import { workerErrors } from "./errors.ts";
import type { StepJob } from "./job.ts";
import { jobMounts, temporaryPlaces } from "./root-view.ts";

/** What lies at a path of the step's: a file of the host, nothing, or something that cannot be known before. */
type Found = { readonly host: string } | "nothing" | "unknown";

/**
 * Refuses a command that the image cannot run: the program, the interpreter of its first line or the loader that it
 * names is not there. Without it the kernel says only "No such file or directory", of whichever of the three.
 *
 * @param path the step's `PATH`
 * @throws WORKER_IMAGE_PROGRAM
 */
export function checkProgram(job: StepJob, directory: string, path: string): void {
  const [program = ""] = job.command;
  const places = program.includes("/")
    ? [posix.resolve(job.directory, program)]
    : path
        .split(":")
        .filter((place) => place.startsWith("/"))
        .map((place) => posix.join(place, program));
  const look = new ImagePaths(job, directory);
  for (const place of places) {
    const found = look.find(place);
    if (found === "unknown") return;
    if (found === "nothing" || !isProgram(found.host)) continue;
    checkLoaders(look, place, found.host);
    return;
  }
  const where = program.includes("/") ? "" : `, looked for on ${path}`;
  throw workerErrors.make(
    "WORKER_IMAGE_PROGRAM",
    `expected the program ${program} in the image${where}, found no executable file`,
  );
}

/** Refuses an image without `/bin/sh` where the worker itself needs one. @throws WORKER_IMAGE_PROGRAM */
export function checkShell(job: StepJob, directory: string): void {
  const found = new ImagePaths(job, directory).find("/bin/sh");
  if (found === "nothing") {
    throw workerErrors.make(
      "WORKER_IMAGE_PROGRAM",
      "expected /bin/sh in the image, which holds a step on a host that cannot record refused calls; found none",
    );
  }
}

function checkLoaders(look: ImagePaths, program: string, host: string): void {
  let name = program;
  let at = host;
  for (let hops = 0; hops < 5; hops += 1) {
    const loader = loaderOf(firstBytes(at));
    if (loader === undefined) return;
    const found = look.find(posix.resolve("/", loader));
    if (found === "unknown") return;
    if (found === "nothing") {
      throw workerErrors.make(
        "WORKER_IMAGE_PROGRAM",
        `expected ${loader} in the image, which ${name} is run by, found none`,
      );
    }
    [name, at] = [loader, found.host];
  }
}

/** Follows paths as the step would: links lead within the image and the mounts, never to the host. */
class ImagePaths {
  readonly #rows: readonly { readonly at: string; readonly host: string | null }[];

  constructor(job: StepJob, image: string) {
    this.#rows = [
      ...jobMounts(job),
      ...[...temporaryPlaces, "/proc", "/run"].map((at) => ({ at, host: null })),
      { at: "", host: image },
    ].sort((a, b) => b.at.length - a.at.length);
  }

  find(path: string): Found {
    let rest = path.split("/").filter((step) => step !== "");
    let at = "";
    for (let hops = 0; rest.length > 0; ) {
      const [step = "", ...more] = rest;
      rest = more;
      if (step === "." || step === "..") {
        if (step === "..") at = posix.dirname(at).replace(/^\/$/, "");
        continue;
      }
      const host = this.#host(`${at}/${step}`);
      if (host === null) return "unknown";
      const entry = lstatSync(host, { throwIfNoEntry: false });
      if (entry === undefined) return "nothing";
      if (!entry.isSymbolicLink()) {
        at = `${at}/${step}`;
        continue;
      }
      hops += 1;
      if (hops > 40) return "nothing";
      const target = readlinkSync(host);
      if (target.startsWith("/")) at = "";
      rest = [...target.split("/").filter((part) => part !== ""), ...rest];
    }
    const host = this.#host(at);
    return host === null ? "unknown" : { host };
  }

  #host(path: string): string | null {
    const row = this.#rows.find(({ at }) => path === at || path.startsWith(`${at}/`));
    return row === undefined || row.host === null ? null : row.host + path.slice(row.at.length);
  }
}

function isProgram(host: string): boolean {
  const entry = statSync(host, { throwIfNoEntry: false });
  return entry !== undefined && entry.isFile() && (entry.mode & 0o111) !== 0;
}

function firstBytes(host: string): Buffer {
  const file = openSync(host, "r");
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

/** Interpreter of a `#!` line, or the dynamic loader that a 64-bit little-endian ELF file names. */
function loaderOf(head: Buffer): string | undefined {
  if (head.subarray(0, 2).toString("latin1") === "#!") {
    return /^#![ \t]*([^ \t\n]+)/.exec(head.subarray(0, 258).toString("utf8"))?.[1];
  }
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined;
  const [offset, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < count; index += 1) {
    const at = offset + index * size;
    if (size < 56 || at + 56 > head.length) return undefined;
    if (head.readUInt32LE(at) !== 3) continue;
    const start = Number(head.readBigUInt64LE(at + 8));
    return head.subarray(start, start + Number(head.readBigUInt64LE(at + 32)) - 1).toString("utf8") || undefined;
  }
  return undefined;
}
