import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";

/** What the last run of one test came to. */
export interface TestRecord {
  /** Names of the suites around it and its own, joined by ` > `. */
  readonly title: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly reason?: string;
  readonly durationMs?: number;
}

/** The last run of one test file: its digest then, so that a later change shows. */
export interface FileRecord {
  readonly digest: string;
  readonly tests: readonly TestRecord[];
}

/** Test files by path relative to the repository. */
export type TestResults = Readonly<Record<string, FileRecord>>;

const path = join(repositoryRoot, ".tools", "test-results.json");

/** Results of the last runs; nothing when none were recorded. */
export function readResults(): TestResults | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TestResults;
  } catch {
    return undefined;
  }
}

/** Replaces the results of the files that ran, and keeps the others. */
export function recordResults(ran: TestResults): void {
  const merged = Object.entries({ ...readResults(), ...ran }).sort(([a], [b]) => (a < b ? -1 : 1));
  try {
    mkdirSync(join(repositoryRoot, ".tools"), { recursive: true });
    writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(Object.fromEntries(merged), null, 1)}\n`);
    renameSync(`${path}.${process.pid}`, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A read-only source, as a build step sees it, keeps no record.
    if (code !== "EROFS" && code !== "EACCES") throw error;
  }
}

/** Digest of a file of the repository. */
export function fileDigest(file: string): string {
  return createHash("sha256")
    .update(readFileSync(join(repositoryRoot, file)))
    .digest("hex");
}
