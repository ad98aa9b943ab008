import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program that takes part in a comparison. */
export interface Contestant {
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** What a contestant took: one wall time a round, and the highest peak of its memory. */
export interface Timing {
  readonly name: string;
  readonly wallMs: readonly number[];
  readonly peakMiB: number | null;
}

/**
 * Runs programs in turn, A B C A B C, so that whatever else the machine does meets all of them alike. The first round
 * warms the caches and is not counted. Throws when one of them ends with an error: a refusal is quick and proves nothing.
 */
export async function interleave(contestants: readonly Contestant[], rounds: number): Promise<Timing[]> {
  const walls = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const wall = wallOf(contestant);
      if (round > 0) walls[i]?.push(wall);
    }
  }
  const timings: Timing[] = [];
  for (const [i, contestant] of contestants.entries()) {
    const peaks = [await peakOf(contestant), await peakOf(contestant)];
    const known = peaks.filter((peak) => peak !== null);
    timings.push({
      name: contestant.name,
      wallMs: walls[i] ?? [],
      peakMiB: known.length === 0 ? null : Math.max(...known),
    });
  }
  return timings;
}

/** Median of one contestant's time over another's, round by round. */
export function pairRatio(one: Timing, other: Timing): number {
  return median(one.wallMs.map((wall, round) => wall / (other.wallMs[round] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

function wallOf({ name, argv, environment }: Contestant): number {
  const [program = "", ...words] = argv;
  const start = performance.now();
  // Pipes, as a script or a gate would read them.
  const ended = spawnSync(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(environment === undefined ? {} : { env: environment }),
  });
  const wall = performance.now() - start;
  if (ended.status !== 0) throw new Error(`${name} ended with ${ended.status}: ${String(ended.stderr).slice(-400)}`);
  return wall;
}

const gnuTime = "/usr/bin/time";

/** Peak of resident memory: by GNU time where it is installed, else by asking the kernel while the program runs. */
async function peakOf(contestant: Contestant): Promise<number | null> {
  const kibibytes = existsSync(gnuTime) ? peakByTime(contestant) : await peakByPolling(contestant);
  return kibibytes === null ? null : Math.round(kibibytes / 102.4) / 10;
}

function peakByTime({ argv, environment }: Contestant): number | null {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-peak-"));
  try {
    const out = join(directory, "peak");
    spawnSync(gnuTime, ["-f", "%M", "-o", out, ...argv], {
      stdio: "ignore",
      ...(environment === undefined ? {} : { env: environment }),
    });
    const peak = Number(readFileSync(out, "utf8").trim());
    return Number.isFinite(peak) ? peak : null;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function peakByPolling({ argv, environment }: Contestant): Promise<number | null> {
  const [program = "", ...words] = argv;
  const child = spawn(program, words, {
    stdio: "ignore",
    ...(environment === undefined ? {} : { env: environment }),
  });
  let peak: number | null = null;
  const poll = setInterval(() => {
    try {
      const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"));
      if (line !== null) peak = Number(line[1]);
    } catch {
      // It has ended.
    }
  }, 1);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      clearInterval(poll);
      resolve(peak);
    });
  });
}
