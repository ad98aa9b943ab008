import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { backendWorker, type SandboxBackend } from "./chosen-worker.ts";
import { missingForImages } from "./image-fixture.ts";
import type { StepJob, Tracer } from "./job.ts";
import type { StepResult } from "./result.ts";

/** Who runs the factory in a test: root, or an ordinary user in a process of its own. */
export type Caller = "root" | "user";

/** Why a caller's tests cannot run here, or null. Used by tests only. */
export function missingFor(caller: Caller, backend: SandboxBackend = "bubblewrap"): string | null {
  if (caller === "root" && process.getuid?.() !== 0) return "not running as root";
  for (const program of [backend === "bubblewrap" ? "bwrap" : backend, "perl"]) {
    if (spawnSync(program, ["--version"], { stdio: "ignore" }).status !== 0) return `${program} is not installed`;
  }
  return null;
}

/** Each backend with each caller that it serves: what the contract suite runs over. runc serves root alone. */
const served: readonly (readonly [SandboxBackend, Caller])[] = [
  ["bubblewrap", "root"],
  ["bubblewrap", "user"],
  ["runc", "root"],
  ["crun", "root"],
  ["crun", "user"],
];
export const cases = served.map(([backend, caller]) => {
  const missing = missingFor(caller, backend);
  return {
    backend,
    caller,
    missing,
    name: `${backend} as ${caller}${missing === null ? "" : ` (skipped: ${missing})`}`,
  };
});

/** The cases of the contract suite that need an image. */
export const casesWithImages = cases.map((row) => ({
  ...row,
  missing: row.missing ?? missingForImages,
  name: row.missing === null && missingForImages !== null ? `${row.name} (skipped: ${missingForImages})` : row.name,
}));

/** The host user that stands for an ordinary user when tests run as root. */
const ordinary = 1_900_001;

/** What a step did: the worker's result, and what it printed. */
export interface Ran extends StepResult {
  readonly text: string;
}

/** Ways to run a job that a child process must be told of. */
export interface How {
  /** Under strace, whose log `trace.log` goes to this directory. */
  readonly traceDirectory?: string;
}

/** A tracer as the observer has one; used by tests only. */
export function testTracer(directory: string): Tracer {
  const calls = "trace=ptrace,io_uring_setup,connect,socket,execve";
  return {
    wrap: (argv) => ["/usr/bin/strace", "-f", "--seccomp-bpf", "-e", calls, "-o", "trace.log", "--", ...argv],
    directory,
  };
}

/** One caller's worker, with directories of its own. */
export interface Bench {
  readonly caller: Caller;
  readonly backend: SandboxBackend;
  readonly directory: string;
  /** Makes a directory that the caller owns. */
  make(name: string): string;
  /** The same with files in it: content by name, below directories that are made. */
  fill(name: string, files: Readonly<Record<string, string>>): string;
  /** A job with usual limits that runs a `/bin/sh` script; what is given replaces the defaults. */
  job(script: string, more?: Partial<StepJob>): StepJob;
  run(job: StepJob, how?: How): Promise<Ran>;
  /** Runs the job as a shell on our own terminal; what it prints is lost. Gives its exit code. */
  shell(job: StepJob): Promise<number>;
  /** Host user of the caller, when it is not ours. */
  readonly ids: { readonly uid?: number; readonly gid?: number };
  close(): Promise<void>;
}

/** Opens a bench. As root, an ordinary caller lives in a child process, since a process cannot become root again. */
export function openBench(caller: Caller, backend: SandboxBackend = "bubblewrap"): Bench {
  const foreign = caller === "user" && process.getuid?.() === 0;
  const ids: Bench["ids"] = foreign ? { uid: ordinary, gid: ordinary } : {};
  const directory = mkdtempSync(join(tmpdir(), "touchmark-worker-"));
  const own = (path: string): string => {
    if (foreign) chownSync(path, ordinary, ordinary);
    return path;
  };
  own(directory);
  // As root nothing on the way to an input may depend on others being let in.
  if (!foreign) chmodSync(directory, 0o700);
  const make = (name: string): string => {
    const path = join(directory, name);
    mkdirSync(path);
    return own(path);
  };
  const state = make("state");
  const worker = backendWorker(backend, state);
  let count = 0;
  return {
    caller,
    backend,
    directory,
    ids,
    make,
    fill: (name, files) => {
      const root = make(name);
      for (const [file, text] of Object.entries(files)) {
        for (let at = dirname(file); at !== "."; at = dirname(at)) mkdirSync(join(root, at), { recursive: true });
        writeFileSync(join(root, file), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
      }
      for (const entry of readdirSync(root, { recursive: true })) own(join(root, String(entry)));
      return root;
    },
    job: (script, more = {}) => ({
      id: `job-${++count}`,
      command: ["/bin/sh", "-c", script],
      directory: "/",
      environment: {},
      mounts: [],
      output: { host: make(`output-${count}`), at: "/work/output" },
      view: { toolchains: [] },
      network: "none",
      limits: { memoryBytes: 512 << 20, pids: 128, seconds: 30, outputBytes: 64 << 20, logBytes: 1 << 20 },
      sourceDateEpoch: 1_700_000_000,
      ...more,
    }),
    shell: async (job) => {
      if (!foreign) return worker.shell(job);
      return (await inChild(state, job, ids, [backend, "shell"])).exitCode ?? -1;
    },
    run: async (job, how = {}) => {
      const { traceDirectory } = how;
      const way = [backend, "run", ...(traceDirectory === undefined ? [] : [traceDirectory])];
      if (foreign) return inChild(state, job, ids, way);
      const chunks: Uint8Array[] = [];
      const tracer = traceDirectory === undefined ? {} : { tracer: testTracer(traceDirectory) };
      const result = await worker.run({ ...job, ...tracer, onOutput: (chunk) => chunks.push(Uint8Array.from(chunk)) });
      return { ...result, text: Buffer.concat(chunks).toString() };
    },
    close: async () => {
      await worker.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs one job in a process of another user and reads its result; an error comes back as one with the same code. */
async function inChild(state: string, job: StepJob, ids: object, how: readonly string[]): Promise<Ran> {
  const program = fileURLToPath(new URL("./fixture-child.ts", import.meta.url));
  const { signal, ...rest } = job;
  const child = spawn(process.execPath, [program, state, ...how], {
    ...ids,
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  let text = "";
  let complaint = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  child.stdin.write(`${JSON.stringify(rest)}\n`);
  const abort = (): unknown => child.stdin.end("abort\n");
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  await new Promise((resolve) => child.once("close", resolve));
  if (text === "") throw new Error(`the child said nothing: ${complaint}`);
  const answer: { result?: Ran; code?: string; message?: string } = JSON.parse(text);
  if (answer.result === undefined) throw Object.assign(new Error(answer.message), { code: answer.code });
  return answer.result;
}

export { bridgeProcesses, connectPerl, type ServedBridge, serveBridge } from "./bridge-fixture.ts";
export { type ImageFiles, makeImage, own } from "./image-fixture.ts";
export { hostArchitecture, type SystemCall, systemCallNumber } from "./system-calls.ts";
