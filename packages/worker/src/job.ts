/**
 * What a step may ask of a worker. Everything here comes from the pipeline definition and the control plane;
 * nothing comes from the step itself. SPEC.md of this package states what holds for each member.
 */
export interface StepJob {
  /** Name that is unique among the steps running on this host; letters, digits, `.`, `_` and `-`, at most 100. */
  readonly id: string;
  /** Program and arguments; the program is looked up in the sandbox, on the constant path. Never a shell line. */
  readonly command: readonly string[];
  /** Working directory inside the sandbox. */
  readonly directory: string;
  /** Environment variables beside the constant ones; they may replace all of them but `SOURCE_DATE_EPOCH` and `TOUCHMARK_OUTPUT`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Inputs, in mount order; one may lie below another. */
  readonly mounts: readonly StepMount[];
  /** The one place whose content survives. `host` is an empty directory of ours. */
  readonly output: { readonly host: string; readonly at: string };
  /** Further things of the host that the step may see. */
  readonly view: StepView;
  /** An unpacked image, shown as `/` instead of the host's programs; refused together with `view.toolchains`. */
  readonly rootfs?: StepRootfs;
  readonly network: StepNetwork;
  /** Where the loopback of network `proxy` leads; required there, refused elsewhere. */
  readonly bridge?: StepBridge;
  /** Files and directories of the control plane's own making, shown read-only. */
  readonly provided?: readonly ProvidedFile[];
  readonly limits: StepLimits;
  /** `SOURCE_DATE_EPOCH`: seconds, from the commit. */
  readonly sourceDateEpoch: number;
  readonly tracer?: Tracer;
  /** Called with what the step prints, up to `limits.logBytes` in all. */
  onOutput?(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  /** Called while the sandbox stands complete and its command has not started; the command waits for it. Its error ends the step. */
  onHeld?(held: HeldStep): Promise<void>;
  /** Ends the step: outcome `cancelled`. */
  readonly signal?: AbortSignal;
}

/**
 * `none`: no address family but Unix sockets, and a network namespace without a way out. `proxy`: the same namespace
 * with internet sockets, whose loopback has one listener, the bridge. `open`: the host's network.
 */
export type StepNetwork = "none" | "proxy" | "open";

/** A way from the loopback of a step's own network to a Unix socket of the control plane, which the step cannot see. */
export interface StepBridge {
  /** Where the step finds it on 127.0.0.1; 1024 or more. */
  readonly port: number;
  /** Absolute path of a listening stream socket that our own user may connect to. Never below anything that is mounted. */
  readonly socket: string;
}

/** Something of the control plane's that a step may read. */
export interface ProvidedFile {
  /** Absolute path of a directory or regular file of the host. */
  readonly host: string;
  /** Absolute, normalised path inside: below `/run/touchmark`, where an input could be, or the system's file of certificates. */
  readonly at: string;
}

/** A sandbox that is held before its command, by facts of the kernel. */
export interface HeldStep {
  /** First process of the sandbox in the host's numbering. */
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
  /** Inode numbers; absent: shared with the host. */
  readonly namespaces: Readonly<Partial<Record<"cgroup" | "ipc" | "mnt" | "net" | "pid" | "user" | "uts", string>>>;
}

/** One input of a step. */
export interface StepMount {
  /** Absolute path of a directory or regular file of the host. */
  readonly host: string;
  /** Absolute, normalised path inside the sandbox. */
  readonly at: string;
  /** `copy-on-write`: a private writable view that vanishes after the step. */
  readonly access: "read-only" | "copy-on-write";
}

/** The root file system of a step: an unpacked image, never changed by the step. */
export interface StepRootfs {
  /** Absolute path of a directory of ours, all of whose files belong to one user; what others own is nobody's inside. */
  readonly directory: string;
  /** Variables that the image gives; only its `PATH` replaces a constant of the worker's. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Host directories shown read-only beside the constant view. */
export interface StepView {
  /** Names (`cargo`, `rustup`, `pyenv`, `go`, `nvm`, `node`) or absolute directories, shown at their own path. */
  readonly toolchains: readonly string[];
}

/** Bounds of a step. All are enforced; what enforces them stands in the evidence. */
export interface StepLimits {
  readonly memoryBytes: number;
  /** Processes and threads alive at one time. */
  readonly pids: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** Bytes in the output and in all private copies of inputs together. */
  readonly outputBytes: number;
  /** Bytes of standard output and standard error that are kept; the rest is counted and dropped. */
  readonly logBytes: number;
  /** Processors' worth of time, for example 1.5; absent: no bound. */
  readonly cpus?: number;
  /** Bytes in `/tmp` and `/dev/shm`, each; default half of `memoryBytes`. */
  readonly temporaryBytes?: number;
}

/** Wraps the sandbox program in an observer that stays outside of it. */
export interface Tracer {
  /** Command line that runs `argv` under observation. */
  wrap(argv: readonly string[]): string[];
  /** Working directory of the wrapped command, which the worker makes writable for it. */
  readonly directory?: string;
}
