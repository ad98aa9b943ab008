import type { Vector } from "./vector.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Vectors of one file of the specification, by what became of them. */
export type Tally = Readonly<Record<Verdict, number>>;

/** Judges all vectors, file by file. */
export function tallies(vectors: readonly Vector[]): ReadonlyMap<string, Tally> {
  const files = new Map<string, Record<Verdict, number>>();
  for (const vector of vectors) {
    const tally = files.get(vector.file) ?? { passed: 0, failed: 0, messages: 0, types: 0, blocks: 0 };
    tally[judge(vector)] += 1;
    files.set(vector.file, tally);
  }
  return files;
}

/** The sum of them. */
export function total(files: ReadonlyMap<string, Tally>): Tally {
  const sum: Record<Verdict, number> = { passed: 0, failed: 0, messages: 0, types: 0, blocks: 0 };
  for (const tally of files.values()) {
    for (const verdict of ["passed", "failed", "messages", "types", "blocks"] as const) sum[verdict] += tally[verdict];
  }
  return sum;
}
