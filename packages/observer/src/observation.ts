import type { Digest, TreeEntry } from "@touchmark/core";

/**
 * Starts a program under observation. The worker puts its sandbox command through `wrap`, spawns the result, and
 * builds its seccomp filter from `refusals`. SPEC.md, O1-O3.
 */
export interface Tracer {
  /** The command that runs `argv` observed, e.g. `strace ... -- bwrap ...`. Call once per step. */
  wrap(argv: readonly string[]): string[];
  /**
   * Calls that the tracer itself refuses, by name and errno, so that they are seen. In a traced step the sandbox's filter
   * answers exactly these with SECCOMP_RET_TRACE (which without a living tracer is ENOSYS: it fails closed) and all
   * other forbidden calls with SECCOMP_RET_TRAP or SECCOMP_RET_KILL_PROCESS, which the tracer sees as a signal.
   * An errno answer of the filter would outrank the tracer's and be invisible.
   */
  readonly refusals: readonly TracedRefusal[];
}

/** One system call that the tracer answers in the sandbox's stead. */
export interface TracedRefusal {
  readonly call: string;
  readonly errno: "EPERM" | "ENOSYS";
}

/** How much an observer of this kind can see. */
export type ObserverTier = "strace-seccomp" | "strace" | "none";

/** Records what one step did, from outside its sandbox. One observer serves one step. */
export interface Observer {
  readonly tier: ObserverTier;
  readonly tracer: Tracer;
  /** Reads the trace to its end once the worker is dead, maps paths to host files and hashes them. */
  finish(step: ObservedStep): Promise<Observation>;
}

/** A host directory or file shown to the step. */
export interface ObservedMount {
  readonly host: string;
  readonly at: string;
  readonly access: "read-only" | "copy-on-write";
}

/** What the control plane knows about the step that was observed. */
export interface ObservedStep {
  /** The command of the step, which marks where the sandbox's own set-up ends. */
  readonly command: readonly string[];
  readonly mounts: readonly ObservedMount[];
  readonly output: { readonly host: string; readonly at: string };
  /**
   * The host's own directories and files that were shown read-only (the toolchain, an image); a string: at the same
   * path; `host` null: memory of the step's own, which hides what lies below it.
   */
  readonly view: readonly (string | { readonly host: string | null; readonly at: string })[];
  /** Digests known beforehand of immutable trees, by the `at` of their mount. */
  readonly inputDigests?: ReadonlyMap<string, readonly TreeEntry[]>;
  /** What the worker says of the end of the tracer's own process; compared with the trace. */
  readonly exit?: { readonly exitCode: number | null; readonly signal: string | null };
  /** Calls that the sandbox refused and recorded by itself, which no tracer can see. */
  readonly refused?: readonly SandboxRefusal[];
  /** False when the sandbox refused calls without recording them: the trace is incomplete then. */
  readonly refusedRecorded?: boolean;
}

/** One kind of refused call of one process, from the worker. */
export interface SandboxRefusal {
  readonly call: string;
  readonly pid: number;
  readonly errno: string;
  readonly count: number;
}

/** What an observer saw. Paths are as seen inside the sandbox. */
export interface Observation {
  readonly tier: ObserverTier;
  /** True when nothing that the tier covers was lost. */
  readonly complete: boolean;
  /** Why the trace is not complete: each begins with a loss code of `losses.ts`. */
  readonly losses: readonly string[];
  readonly coverage: Coverage;
  readonly processes: readonly ObservedProcess[];
  readonly files: ObservedFiles;
  readonly network: readonly NetworkAttempt[];
  readonly refused: readonly RefusedCall[];
  readonly events: EventCounts;
  /** The whole raw trace, compressed with gzip; absent when the trace was lost. */
  readonly log: TraceLog | undefined;
}

/** What each class of record rests on. */
export interface Coverage {
  readonly processes: "complete" | "none";
  /** Opens are named by the descriptor that the kernel returned. */
  readonly opens: "by-descriptor" | "none";
  /** Renames, links and removals are named by the call's argument, joined to the process's directory. */
  readonly names: "by-argument" | "none";
  /** Programs started by path are named by the call's argument, by descriptor where one was used. */
  readonly executables: "by-argument" | "none";
  readonly network: "attempts" | "none";
  readonly refusedCalls: "complete" | "none";
  readonly notCovered: readonly string[];
}

export interface EventCounts {
  readonly lines: number;
  readonly opens: number;
  readonly failedOpens: number;
  readonly processes: number;
}

export interface TraceLog {
  /** File that holds the gzip bytes, in the observer's trace directory. */
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly uncompressedBytes: number;
}

/** One program that ran: a process has one record per successful exec, and one for a fork that never executed. */
export interface ObservedProcess {
  /** Host process id. */
  readonly pid: number;
  readonly parent: number | undefined;
  readonly executable: string;
  /** Who says so: the descriptor that was executed, or the argument of the call. */
  readonly executableBy: "descriptor" | "argument" | "inherited";
  readonly digest: Digest | undefined;
  readonly argv: readonly string[];
  readonly argvTruncated: boolean;
  readonly directory: string;
  readonly exit: ProcessExit | undefined;
}

export type ProcessExit = { readonly code: number } | { readonly signal: string } | { readonly replaced: true };

export interface ObservedFiles {
  /** Files that existed before the step and were opened or executed. */
  readonly read: readonly ObservedFile[];
  /** Files below the output directory that the step wrote and that survive; hashed by the control plane. */
  readonly written: readonly ObservedFile[];
  /** Files that existed before the step and were removed, renamed away or replaced (in a private copy). */
  readonly deleted: readonly ObservedFile[];
  /** Files that the step made and that are gone with it. */
  readonly transient: { readonly count: number; readonly sample: readonly string[] };
  /** Directories opened (their listing is an input too). */
  readonly directories: { readonly count: number; readonly sample: readonly string[] };
}

export interface ObservedFile {
  readonly path: string;
  readonly origin: "input" | "toolchain" | "output" | "kernel" | "private";
  readonly digest: Digest | undefined;
  /** When the digest was taken: of an immutable tree beforehand, or after the step from a file it could not change. */
  readonly digestTime: "before-use" | "after-use" | "none";
  readonly executed?: boolean;
}

export interface NetworkAttempt {
  readonly pid: number;
  readonly call: string;
  readonly family: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** `ok` or the errno's name. */
  readonly result: string;
  readonly count: number;
}

export interface RefusedCall {
  readonly call: string;
  readonly pid: number;
  readonly count: number;
  /** `errno` was answered, or the process was stopped by a signal. */
  readonly answer: string;
}
