import { reconcile, reconciliationSummary } from "@touchmark/materials";
import { locked, lockfile, world } from "../../packages/materials/src/reconcile/world.fixture.ts";

/**
 * What reconciliation costs, in milliseconds: `node bench/materials/reconcile.ts [PACKAGES] [FILES] [ROUNDS]`, JSON on
 * standard output: wall and processor time of the first round, the median and the slowest. Each round compares a lockfile with its records, the files
 * of all archives, the tree of the step and what a later step read of it; a twenty-fifth is for other platforms.
 */
const packages = Number(process.argv[2] ?? 1500);
const files = Number(process.argv[3] ?? 30_000);
const rounds = Number(process.argv[4] ?? 15);

const names = Array.from({ length: packages }, (_, index): [string, string] => [
  index % 5 === 0 ? `@scope-${index % 50}/package-${index}` : `package-${index}`,
  `1.${index % 17}.${index % 7}`,
]);
const input = world(names, Math.ceil(files / packages));
const others = Array.from({ length: Math.round(packages / 25) }, (_, index) =>
  locked(`other-${index}`, "1.0.0", { platform: { os: ["aix"] } }),
);
const all = { ...input, lockfiles: [lockfile([...(input.lockfiles[0]?.packages ?? []), ...others])] };

const walls: number[] = [];
const processor: number[] = [];
let line = "";
for (let round = 0; round < rounds; round += 1) {
  const before = process.cpuUsage();
  const start = performance.now();
  const result = reconcile(all);
  walls.push(performance.now() - start);
  const { user, system } = process.cpuUsage(before);
  processor.push((user + system) / 1000);
  if (!result.accounted) throw new Error("expected no difference that refuses");
  line = reconciliationSummary(result);
}
// The first is the one that a run pays.
const figures = (values: readonly number[]) => {
  const rounded = (value: number | undefined): number => Math.round((value ?? 0) * 100) / 100;
  const sorted = [...values].sort((a, b) => a - b);
  return { first: rounded(values[0]), median: rounded(sorted[sorted.length >> 1]), slowest: rounded(sorted.at(-1)) };
};
console.log(
  JSON.stringify({
    ...{ packages, files: input.used.length, summary: line },
    milliseconds: { wall: figures(walls), processor: figures(processor) },
  }),
);
