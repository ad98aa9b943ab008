import type { Digest } from "@touchmark/core";
import type { HeldStep, StepNetwork } from "./job.ts";

/** How a step ended. Only the worker decides this, from kernel facts; never from what the step printed. */
export type StepOutcome =
  | "succeeded"
  | "failed"
  | "timed-out"
  | "out-of-memory"
  | "output-limit"
  | "process-limit"
  | "cancelled";

/** What a worker says about one finished step. The sandbox is dead when it exists. */
export interface StepResult {
  /** Exit code as a shell prints it (128 + number for a signal), or null when a limit or the caller ended the step. */
  readonly exitCode: number | null;
  /** Name of the signal behind a code above 128, for example `SIGSEGV`; a command may also have chosen such a code itself. */
  readonly signal: string | null;
  readonly outcome: StepOutcome;
  /** Wall-clock milliseconds from the call of `run` to the death of the sandbox. */
  readonly durationMs: number;
  readonly evidence: SandboxEvidence;
  /** System calls that the sandbox refused, in the order in which each was first seen. */
  readonly refused: readonly RefusedCall[];
  /** Bytes printed by the step, kept or not. */
  readonly logBytes: number;
  /** True when `limits.logBytes` was passed and output was dropped. */
  readonly truncated: boolean;
}

/** One kind of refused call of one process. */
export interface RefusedCall {
  /** Name of the call, for example `io_uring_setup`. */
  readonly call: string;
  /** Process (thread) in the host's numbering, as the tracer prints it. */
  readonly pid: number;
  /** First arguments, as numbers in decimal; only those that decided the refusal. */
  readonly argument: string | null;
  /** What the process got, for example `EPERM`. */
  readonly errno: string;
  readonly count: number;
}

/** Strength of a sandbox, strongest first. */
export type IsolationTier = "sandbox-own-user" | "sandbox-same-user" | "process";

/** What makes the sandbox. */
export type WorkerBackend = "bubblewrap" | "runc" | "crun" | "insecure-process";

/** One thing in the view of a step. */
export interface MountRow {
  readonly at: string;
  readonly kind: "input" | "output" | "system" | "toolchain" | "temporary" | "kernel" | "generated" | "link" | "image";
  /** Host path that is shown, or target of a link; null for what was made for this step. */
  readonly source: string | null;
  readonly access: "read-only" | "copy-on-write" | "read-write";
  /** How a private copy is made. */
  readonly means?: "overlay" | "copy";
}

/** Something that a stronger host would have given; `code` is closed, `detail` is for people. */
export interface Degradation {
  readonly code: DegradationCode;
  readonly detail: string;
}

export type DegradationCode =
  | "NO_SANDBOX"
  | "SAME_USER"
  | "NO_MEMORY_CGROUP"
  | "NO_PIDS_CGROUP"
  | "NO_CPU_CGROUP"
  | "REFUSALS_UNRECORDED"
  | "OPEN_NETWORK"
  | "INPUT_COPIED";

/** The network of a step with a bridge, read from the kernel while the step was held. */
export interface BridgeFacts {
  /** Where the bridge listened on 127.0.0.1. */
  readonly port: number;
  /** Interfaces of the namespace: the loopback, and nothing else. */
  readonly interfaces: readonly string[];
  /** Local addresses of the namespace, networks of the loopback included. */
  readonly addresses: readonly string[];
  /** Most connections at one time; further ones wait. */
  readonly connections: number;
}

/** What the control plane measured about the sandbox of one step. */
export interface SandboxEvidence {
  readonly backend: WorkerBackend;
  readonly backendVersion: string;
  readonly tier: IsolationTier;
  /** Inode numbers of the step's namespaces, read from the kernel while the step was held; absent: shared with the host. */
  readonly namespaces: HeldStep["namespaces"];
  /**
   * First process of the sandbox, in the host's numbering, with its start time in clock ticks since boot; both 0 when
   * the step was ended before its sandbox stood.
   */
  readonly process: { readonly pid: number; readonly startTime: string };
  /** User and group inside, and on the host. */
  readonly user: { readonly inside: number; readonly host: number; readonly hostGroup: number };
  /** Null when no control group could be used. */
  readonly cgroup: { readonly version: 1 | 2; readonly paths: readonly string[] } | null;
  /** Peak memory in bytes, where the kernel says so. */
  readonly peakMemoryBytes: number | null;
  readonly seccomp: {
    /** Digest of the filter's bytes. */
    readonly digest: Digest;
    readonly architecture: "x86_64" | "aarch64";
    /** True when every refused call was recorded before it was answered. */
    readonly recorded: boolean;
  } | null;
  readonly network: StepNetwork;
  /** What the network of a step with a bridge had; null with any other network, and when the step never stood. */
  readonly bridge: BridgeFacts | null;
  readonly mounts: readonly MountRow[];
  /** Environment of the step, names only for what the caller added. */
  readonly constants: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, number>>;
  readonly degraded: readonly Degradation[];
}
