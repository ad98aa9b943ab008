import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TreeEntry } from "@touchmark/core";
import type { Observation, ObservedStep } from "./observation.ts";
import { type StraceObserverOptions, straceObserver } from "./strace-observer.ts";

/** Support for tests of observers, here and in attacks/: a plain sandbox around a command, observed. */
const scratch = mkdtempSync(join(tmpdir(), "touchmark-observer-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

export function hasTool(name: string): boolean {
  return spawnSync(name, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** True where a sandbox can be made and traced. */
export const canObserve =
  process.platform === "linux" &&
  hasTool("strace") &&
  spawnSync("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"], { stdio: "ignore" }).status === 0;

/** True where the test programs in C can be made too. */
export const canObserveC = canObserve && process.arch === "x64" && hasTool("gcc");

const testdata = join(import.meta.dirname, "..", "testdata");
const compiled = new Map<string, string>();

/** Compiles a program of `testdata/`; gives its path. */
export function program(source: string, ...flags: string[]): string {
  const key = [source, ...flags].join(" ");
  let path = compiled.get(key);
  if (path === undefined) {
    path = join(newDirectory(), "program");
    execFileSync("gcc", ["-O1", "-w", "-o", path, join(testdata, source), ...flags, "-pthread"]);
    compiled.set(key, path);
  }
  return path;
}

/** The program of `testdata/acts.c`. */
export function acts(): string {
  return program("acts.c");
}

export function newDirectory(): string {
  return mkdtempSync(join(scratch, "d"));
}

/** What a trial in the sandbox is given. */
export interface Trial {
  readonly command: readonly string[];
  /** Files of the input, mounted at /work/source; default a few small ones. */
  readonly files?: Readonly<Record<string, string>>;
  /** Copied into the input as `acts`. */
  readonly program?: string;
  /** Further programs for the input, by name. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly access?: "read-only" | "copy-on-write";
  readonly inputDigests?: readonly TreeEntry[];
  /** A seccomp program for bubblewrap. */
  readonly filter?: Uint8Array;
  /** User to run everything as; only as root. */
  readonly uid?: number;
  readonly observer?: Partial<StraceObserverOptions>;
  readonly step?: Partial<ObservedStep>;
  /** Runs with the output directory, after the step and before the observation. */
  placed?(output: string): void;
  /** Runs once the step is under way. */
  during?(pid: number): void;
}

/** What came of it. */
export interface TrialResult {
  readonly observation: Observation;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The raw trace. */
  readonly trace: string;
  readonly output: string;
  readonly source: string;
}

export const exampleFiles = { a: "content of a", b: "content of b", c: "content of c", "sub/d": "content of d" };

/** Runs a command in a sandbox (host's /usr and /etc, an input, an output, private /tmp) and observes it. */
export async function tryObserved(trial: Trial): Promise<TrialResult> {
  const home = newDirectory();
  chmodSync(home, 0o755);
  chmodSync(scratch, 0o755);
  const source = join(home, "source");
  const output = join(home, "output");
  const traceDirectory = join(home, "trace");
  mkdirSync(source);
  mkdirSync(output);
  for (const [name, content] of Object.entries(trial.files ?? exampleFiles)) {
    mkdirSync(dirname(join(source, name)), { recursive: true });
    writeFileSync(join(source, name), content);
  }
  if (trial.files === undefined) execFileSync("ln", ["-s", "c", join(source, "link")]);
  if (trial.program !== undefined) cpSync(trial.program, join(source, "acts"));
  for (const [name, path] of Object.entries(trial.programs ?? {})) cpSync(path, join(source, name));
  const access = trial.access ?? "read-only";
  const shown = access === "read-only" ? source : join(home, "copy");
  if (access === "copy-on-write") cpSync(source, shown, { recursive: true, verbatimSymlinks: true });
  const privileged = trial.uid === undefined ? {} : { privileged: false };
  const observer = await straceObserver({ traceDirectory, ...privileged, ...trial.observer });
  const sandbox = [
    ..."bwrap --unshare-all --die-with-parent --ro-bind /usr /usr --ro-bind /etc /etc".split(" "),
    ..."--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev".split(" "),
    ..."--tmpfs /tmp --clearenv --setenv PATH /usr/bin:/bin".split(" "),
    ...[access === "read-only" ? "--ro-bind" : "--bind", shown, "/work/source", "--bind", output, "/work/output"],
    ...["--chdir", "/work/source"],
    ...(trial.filter === undefined ? [] : ["--seccomp", "9"]),
    "--",
    ...trial.command,
  ];
  let argv = observer.tracer.wrap(sandbox);
  if (trial.uid !== undefined) {
    for (const path of [traceDirectory, join(traceDirectory, "trace.strace"), output])
      chownSync(path, trial.uid, trial.uid);
    argv = ["setpriv", `--reuid=${trial.uid}`, `--regid=${trial.uid}`, "--clear-groups", ...argv];
  }
  const filter = join(home, "filter");
  if (trial.filter !== undefined) writeFileSync(filter, trial.filter);
  const ended = await run(argv, trial.filter === undefined ? undefined : openSync(filter, "r"), trial.during);
  trial.placed?.(output);
  const observation = await observer.finish({
    command: trial.command,
    mounts: [{ host: source, at: "/work/source", access }],
    output: { host: output, at: "/work/output" },
    view: ["/usr", "/etc"],
    ...(trial.inputDigests === undefined ? {} : { inputDigests: new Map([["/work/source", trial.inputDigests]]) }),
    exit: ended,
    ...trial.step,
  });
  let trace = "";
  try {
    trace = readFileSync(join(traceDirectory, "trace.strace"), "latin1");
  } catch {
    // No trace is what some tests are about.
  }
  return { observation, ...ended, trace, output, source };
}

interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(argv: readonly string[], filter: number | undefined, during?: (pid: number) => void): Promise<Ended> {
  const extra = Array.from({ length: 7 }, (_, i) => (i === 6 && filter !== undefined ? filter : ("ignore" as const)));
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] as string, argv.slice(1), {
      stdio: ["ignore", "pipe", "pipe", ...extra.slice(0, 6), ...(filter === undefined ? [] : [filter])],
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
    if (child.pid !== undefined) during?.(child.pid);
  });
}

/** A filter that answers RET_TRACE for some calls and RET_TRAP for others (x86-64 numbers), and allows the rest. */
export function filterProgram(
  traced: readonly number[],
  trapped: readonly number[],
  arguments0?: { call: number; mask: number },
): Uint8Array {
  const rows: [number, number, number, number][] = [[0x20, 0, 0, 0]];
  const answer = (call: number, action: number) => rows.push([0x15, 0, 1, call], [0x06, 0, 0, action]);
  for (const call of traced) answer(call, 0x7ff00000);
  for (const call of trapped) answer(call, 0x00030000);
  if (arguments0 !== undefined)
    rows.push([0x15, 0, 3, arguments0.call], [0x20, 0, 0, 16], [0x45, 0, 1, arguments0.mask], [0x06, 0, 0, 0x00030000]);
  rows.push([0x06, 0, 0, 0x7fff0000]);
  const bytes = Buffer.alloc(rows.length * 8);
  rows.forEach(([code, jt, jf, k], i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  return bytes;
}

/**
 * What an observer in the manner of the field sees: names as the arguments give them, of execve and openat alone. A call
 * that another process's cut in two, as strace writes it, counts as well.
 */
export function naiveOpens(trace: string): string[] {
  const opened = /openat\([^"]*"((?:[^"\\]|\\.)*)"[^\n]*(?:= \d+<|<unfinished)/g;
  return [...trace.matchAll(opened)].map((match) => match[1] as string);
}
