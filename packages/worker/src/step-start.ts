import { closeSync, openSync, readSync, statSync } from "node:fs";
import { workerErrors } from "./errors.ts";
import type { StepJob } from "./job.ts";
import type { RootView } from "./root-view.ts";
import { type Found, StepPaths } from "./step-paths.ts";

/**
 * Checks where a step starts (SPEC W1, W15), and gives its working directory without links.
 *
 * While the sandbox program starts the command, it still holds descriptors of the host's files: a way through
 * `/proc/self/fd`, which a link of a source or an image can spell, would lead out. So neither the directory nor the
 * program, nor what the program's first line or its loader names, may lead into the kernel's own directories. In an
 * image all of them must be there: the kernel says only "No such file or directory", of whichever of them.
 *
 * @param path the step's `PATH`
 * @throws JOB_INVALID, WORKER_IMAGE_PROGRAM
 */
export function checkStart(job: StepJob, view: RootView, path: string): string {
  const look = new StepPaths(job, view);
  const found = noKernel(look.find(job.directory), `the directory ${job.directory}`);
  const directory = typeof found !== "object" ? job.directory : "at" in found ? found.at : found.place;
  const [program = ""] = job.command;
  // Not normalised: the kernel follows a link before it goes up from it.
  const from = (base: string, way: string): string => (way.startsWith("/") ? way : `${base}/${way}`);
  const candidates = program.includes("/")
    ? [from(directory, program)]
    : path.split(":").map((place) => `${from(directory, place)}/${program}`);
  let known = false;
  for (const candidate of candidates) {
    const at = noKernel(look.find(candidate), `the program ${candidate}`);
    if (known || at === "nothing") continue;
    if (typeof at !== "object" || !("host" in at)) {
      // What cannot be known before: only in places of the step's own, or beside an image.
      known = at === "memory" || view.image === null;
      continue;
    }
    if (!isProgram(at.host)) continue;
    known = true;
    checkLoaders(look, { directory, program: candidate, host: at.host, image: view.image !== null });
  }
  if (!known && view.image !== null) {
    const where = program.includes("/") ? "" : `, looked for on ${path}`;
    throw workerErrors.make(
      "WORKER_IMAGE_PROGRAM",
      `expected the program ${program} in the image${where}, found no executable file`,
    );
  }
  return directory;
}

/** Refuses an image without `/bin/sh` where the worker itself needs one. @throws WORKER_IMAGE_PROGRAM */
export function checkShell(job: StepJob, image: string): void {
  const found = new StepPaths(job, { image, skeleton: null, rows: [] }).find("/bin/sh");
  if (found === "nothing") {
    throw workerErrors.make(
      "WORKER_IMAGE_PROGRAM",
      "expected /bin/sh in the image, which holds a step on a host that cannot record refused calls; found none",
    );
  }
}

interface Started {
  readonly directory: string;
  readonly program: string;
  readonly host: string;
  readonly image: boolean;
}

function checkLoaders(look: StepPaths, { directory, program, host, image }: Started): void {
  let name = program;
  let at = host;
  for (let hops = 0; hops < 5; hops += 1) {
    const loader = loaderOf(firstBytes(at));
    if (loader === undefined) return;
    const found = noKernel(
      look.find(loader.startsWith("/") ? loader : `${directory}/${loader}`),
      `${loader}, which ${name} is run by`,
    );
    if (found === "nothing" && image) {
      throw workerErrors.make(
        "WORKER_IMAGE_PROGRAM",
        `expected ${loader} in the image, which ${name} is run by, found none`,
      );
    }
    if (typeof found !== "object" || !("host" in found)) return;
    [name, at] = [loader, found.host];
  }
}

function noKernel(found: Found, what: string): Exclude<Found, "kernel"> {
  if (found !== "kernel") return found;
  throw workerErrors.make("JOB_INVALID", `expected ${what} to lead to files of the step's, found the kernel's`);
}

function isProgram(host: string): boolean {
  const entry = statSync(host, { throwIfNoEntry: false });
  return entry !== undefined && entry.isFile() && (entry.mode & 0o111) !== 0;
}

/** Nothing of a program that we may run and not read. */
function firstBytes(host: string): Buffer {
  const bytes = Buffer.alloc(4096);
  let file: number;
  try {
    file = openSync(host, "r");
  } catch {
    return Buffer.alloc(0);
  }
  try {
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
