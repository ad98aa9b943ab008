import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** One call that changes a file system: which of its kind, in its thread. */
export interface CrashPoint {
  readonly call: string;
  readonly when: number;
}

/** What a program did under strace. */
export interface TracedProgram {
  /** Lines that it printed. */
  readonly lines: readonly string[];
  readonly trace: string;
  readonly signal: string | null;
}

// Everything that changes a file system; which of them occur differs between architectures.
const durable =
  "write,pwrite64,fsync,fdatasync,ftruncate,?mkdir,mkdirat,?rename,renameat,renameat2,?link,linkat,?unlink,unlinkat,?rmdir,?symlink,symlinkat,?utimensat,fchmod,?chmod,fchmodat";
const filling = /^(?:p?write(?:64)?|fsync|mkdir(?:at)?|rename(?:at2?)?|link(?:at)?|symlink(?:at)?)$/;

/** True when programs can be killed at a system call here. */
export function canInjectCrashes(): boolean {
  return spawnSync("strace", ["-V"]).status === 0;
}

/**
 * Runs a program of Node under strace. One thread pool thread, so that the order of calls is the same every time.
 * (strace's seccomp filter would be faster, but then version 6.1 injects no signals.)
 */
async function traced(words: readonly string[], trace: string, options: readonly string[]): Promise<TracedProgram> {
  const node = [process.execPath, "--v8-pool-size=0", ...words];
  const child = spawn("strace", ["-f", "-qq", "-y", "-s", "0", "-o", trace, ...options, ...node], {
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return { lines: output.split("\n").filter(Boolean), trace: readFileSync(trace, "utf8"), signal };
}

/** Runs a program to its end, and answers what it printed with every call that changed something below `directory`. */
export async function recordCrashPoints(
  words: readonly string[],
  directory: string,
): Promise<TracedProgram & { readonly points: readonly CrashPoint[] }> {
  const done = await traced(words, `${directory}.trace`, ["-e", `trace=${durable}`]);
  const counts = new Map<string, number>();
  const points = new Map<string, CrashPoint>();
  for (const line of done.trace.split("\n")) {
    const match = /^(\d+) +([a-z0-9]+)\((.*)/.exec(line);
    if (match === null) continue;
    const [, thread, call, rest] = match as unknown as [string, string, string, string];
    const when = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, when);
    // Strings are cut to nothing by -s 0, except paths, which strace always shows whole.
    if (rest.includes(directory)) points.set(`${call} ${when}`, { call, when });
  }
  return { ...done, points: [...points.values()] };
}

/** True for calls that a full disk fails. */
export function needsSpace(point: CrashPoint): boolean {
  return filling.test(point.call);
}

/** Runs a program that is killed, or told that the disk is full, at one call. */
export function crashAt(
  words: readonly string[],
  directory: string,
  point: CrashPoint,
  how: "kill" | "full",
): Promise<TracedProgram> {
  const what = how === "kill" ? "signal=KILL" : "error=ENOSPC";
  const options = ["-e", `trace=${point.call}`, "-e", `inject=${point.call}:${what}:when=${point.when}`];
  return traced(words, `${directory}.trace`, options);
}

/** Plays every point, a few at a time. */
export async function forEachCrashPoint(
  points: readonly CrashPoint[],
  play: (point: CrashPoint, number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const player = async (): Promise<void> => {
    for (let number = next++; number < points.length; number = next++) {
      await play(points[number] as CrashPoint, number);
    }
  };
  await Promise.all([player(), player(), player()]);
}
