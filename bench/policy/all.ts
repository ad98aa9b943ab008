/**
 * Everything about policy and admission in one session: `node bench/policy/all.ts`, some minutes on a quiet machine;
 * BENCH_SHORT=1 for a smoke run. Prints the figures of docs/benchmarks-policy.md. A part that fails is named, and the
 * others go on; `node bench/policy/all.ts admission run` measures those parts alone.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describeMachine, isShort } from "../machine.ts";
import { type Part, parts } from "./tables.ts";

const wanted = process.argv.slice(2);
const machine = describeMachine();
const failures: string[] = [];
const sections = parts
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  .map((part) => {
    console.error(`${part.name} ...`);
    return measured(part);
  });
const [date = ""] = new Date().toISOString().split("T");
const { cpu, cores, memoryGiB, kernel, node, load } = machine;
const kind = isShort ? " **A smoke run: these figures say that everything works, and nothing else.**" : "";
console.log(`## Figures

${date}: ${cores} cores of ${cpu}, ${memoryGiB} GiB, ${kernel}, Node ${node}, load ${load} at the start.${kind}
${sections.join("")}`);
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exitCode = 1;
}

function measured({ name, script, words, table }: Part): string {
  const path = join(import.meta.dirname, "..", script);
  const ended = spawnSync(process.execPath, [path, "--json", ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    timeout: 600_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (ended.status !== 0) {
    failures.push(`${name} ended with ${ended.status ?? ended.signal}: ${ended.stderr.slice(-1500)}`);
    return `\n${name}: not measured.\n`;
  }
  return `\n${table(JSON.parse(ended.stdout))}\n`;
}
