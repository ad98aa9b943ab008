import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { isShort } from "./machine.ts";
import { readLog, readObserver, readRun, readStore, readVerify } from "./reading.ts";

/** One program of the session. It prints one JSON document on standard output, and its progress on standard error. */
export interface Part {
  readonly name: string;
  readonly group: "verify" | "log" | "observer" | "run" | "store";
  /** Relative to this directory. */
  readonly script: string;
  readonly words: readonly string[];
  /** After this it is ended, and the session goes on without it. */
  readonly seconds: number;
  readonly read: (printed: unknown) => Figure[];
}

const workload = (name: string, runs: string, seconds: number): Part => ({
  name: `observer, ${name}`,
  group: "observer",
  script: "observer/overhead.ts",
  words: ["--json", "--only", name, "--runs", isShort ? "1" : runs, "--size", isShort ? "10" : "200"],
  seconds,
  read: readObserver,
});

/** Every part, in the order of the session: what matters most comes first, should the time run out. */
export const parts: readonly Part[] = [
  { name: "verify", group: "verify", script: "verify/verify.ts", words: ["--json"], seconds: 180, read: readVerify },
  { name: "run", group: "run", script: "run/steps.ts", words: ["--json"], seconds: 120, read: readRun },
  workload("true", "15", 45),
  workload("ts", "3", 120),
  workload("go", "3", 120),
  workload("c", "3", 180),
  {
    name: "log",
    group: "log",
    script: "log/log.bench.ts",
    words: ["--json", "--seconds", isShort ? "1" : "5"],
    seconds: 150,
    read: readLog,
  },
  {
    name: "store",
    group: "store",
    script: "store/store.ts",
    words: isShort ? ["500", "1"] : ["20000", "3"],
    seconds: 90,
    read: readStore,
  },
];

/** Path of a part's program, or undefined where it does not exist yet. */
export function programOf(part: Part): string | undefined {
  const path = join(import.meta.dirname, part.script);
  return existsSync(path) ? path : undefined;
}
