import { execFile } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DigestCache } from "./digest-cache.ts";
import { observerErrors } from "./errors.ts";
import type { Observation, ObservedStep, Observer, ObserverTier, Tracer } from "./observation.ts";
import { observe } from "./observe.ts";
import { straceCommand, tracedRefusals } from "./strace-command.ts";

/** How an observer is made. */
export interface StraceObserverOptions {
  /** A directory of this step's own; created when absent. The step must not see it. */
  readonly traceDirectory: string;
  /** File that keeps digests of the host's files between runs. */
  readonly digestCache?: string;
  /** Bound of the raw trace in bytes; past it the trace is thrown away and incomplete. Default 1 GiB. */
  readonly traceLimit?: number;
  /** Whether strace runs with root's rights over the host; default: as this process does. */
  readonly privileged?: boolean;
  /** The program; default `strace` on the path. */
  readonly strace?: string;
}

/** What `probeStrace` found. */
export interface StraceProbe {
  readonly tier: ObserverTier;
  readonly version: string | undefined;
  /** Why the tier is not the best one. */
  readonly reason: string | undefined;
}

const run = promisify(execFile);
const probes = new Map<string, Promise<StraceProbe>>();

/** Finds out, by trying, what strace can do here. The answer is kept for the life of the process. */
export function probeStrace(strace = "strace"): Promise<StraceProbe> {
  let probe = probes.get(strace);
  if (probe === undefined) {
    probe = tryStrace(strace);
    probes.set(strace, probe);
  }
  return probe;
}

async function tryStrace(strace: string): Promise<StraceProbe> {
  const [program, ...args] = straceCommand(strace, "/dev/null", ["/bin/true"]) as [string, ...string[]];
  try {
    const [{ stdout }, { stderr }] = await Promise.all([run(strace, ["-V"]), run(program, args)]);
    const version = /version (\d+\.\d+\S*)/.exec(stdout)?.[1];
    const reason = stderr.trim();
    if (reason !== "") return { tier: "strace", version, reason };
    return { tier: "strace-seccomp", version, reason: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { tier: "none", version: undefined, reason };
  }
}

/**
 * An observer for one step, which runs strace around the sandbox.
 * @throws OBSERVER_UNAVAILABLE when strace is missing or may not trace
 */
export async function straceObserver(options: StraceObserverOptions): Promise<Observer> {
  const strace = options.strace ?? "strace";
  const probe = await probeStrace(strace);
  if (probe.tier === "none")
    throw observerErrors.make("OBSERVER_UNAVAILABLE", `expected a usable ${strace}, found: ${probe.reason ?? "none"}`);
  mkdirSync(options.traceDirectory, { recursive: true, mode: 0o700 });
  return new StraceObserver(options, strace, probe.tier);
}

class StraceObserver implements Observer {
  readonly tier: ObserverTier;
  readonly tracer: Tracer;
  readonly #log: string;
  readonly #limit: number;
  readonly #digestCache: string | undefined;
  readonly #privileged: boolean;
  #state: "new" | "wrapped" | "finished" = "new";
  #watch: NodeJS.Timeout | undefined;
  #overLimit = false;

  constructor(options: StraceObserverOptions, strace: string, tier: ObserverTier) {
    this.tier = tier;
    this.#log = join(options.traceDirectory, "trace.strace");
    this.#limit = options.traceLimit ?? 1 << 30;
    this.#digestCache = options.digestCache;
    this.#privileged = options.privileged ?? isRoot();
    this.tracer = { refusals: tracedRefusals, wrap: (argv) => this.#wrap(strace, argv) };
  }

  #wrap(strace: string, argv: readonly string[]): string[] {
    if (this.#state !== "new")
      throw observerErrors.make("OBSERVER_MISUSED", "expected one step for an observer, found a second");
    this.#state = "wrapped";
    closeSync(openSync(this.#log, "wx", 0o600));
    this.#watch = setInterval(() => this.#checkSize(), 100).unref();
    return straceCommand(strace, this.#log, argv);
  }

  /** strace appends, so that cutting the file makes it go on from the start: the disk is bounded, and the step lives. */
  #checkSize(): void {
    try {
      if (statSync(this.#log).size <= this.#limit) return;
      this.#overLimit = true;
      truncateSync(this.#log, 0);
    } catch {
      // The file is looked at again in `finish`, where its absence is a loss.
    }
  }

  async finish(step: ObservedStep): Promise<Observation> {
    if (this.#state !== "wrapped")
      throw observerErrors.make(
        "OBSERVER_MISUSED",
        `expected a step that was started, found the observer ${this.#state}`,
      );
    this.#state = "finished";
    clearInterval(this.#watch);
    this.#checkSize();
    const digests = new DigestCache(this.#digestCache);
    const observation = await observe({
      tier: this.tier,
      log: this.#log,
      overLimit: this.#overLimit,
      privileged: this.#privileged,
      step,
      digests,
    });
    digests.sample();
    digests.save();
    return observation;
  }
}

/** Root of the host: in a user namespace number 0 is no more than its maker. */
function isRoot(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  } catch {
    return false;
  }
}
