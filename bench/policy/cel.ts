/**
 * What evaluating CEL costs, beside the evaluators of the field and OPA: evaluations and compilations a second of
 * processor time, in one process, in turn. `node bench/policy/cel.ts [--json]`; BENCH_SHORT=1 for a smoke run. Peers
 * that are not installed (bench/peers/install.sh cel opa) are left out, and named.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { median } from "../interleave.ts";
import { isShort } from "../machine.ts";
import { cases, rego, variables } from "./cel-cases.ts";
import { evaluators, peerPackages } from "./cel-evaluators.ts";

const rounds = isShort ? 2 : 7;
const sliceMs = isShort ? 50 : 200;

/** Calls a second of processor time, which what else the machine does hardly touches. */
function rateOf(work: () => unknown): number {
  let count = 0;
  let batch = 1;
  let spent = 0;
  const begin = process.cpuUsage();
  while (spent < sliceMs) {
    for (let call = 0; call < batch; call += 1) work();
    count += batch;
    const { user, system } = process.cpuUsage(begin);
    spent = (user + system) / 1000;
    // Asking costs a microsecond: seldom enough, and often enough to stop in time.
    if (spent < sliceMs / 20) batch *= 2;
  }
  return (count * 1000) / spent;
}

interface Row {
  readonly what: string;
  readonly name: string;
  readonly perSecond: number;
  /** Of ours over this one, round by round: above 1, ours is faster. */
  readonly oursFaster: number;
}

/** All contestants in turn, after one round that does not count. */
function compare(what: string, works: readonly (readonly [string, () => unknown])[]): readonly Row[] {
  const rates = works.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [, work]] of works.entries()) {
      const rate = rateOf(work);
      if (round > 0) rates[index]?.push(rate);
    }
  }
  const own = rates[0] ?? [];
  return works.map(([name], index) => {
    const theirs = rates[index] ?? [];
    const ratio = median(theirs.map((rate, round) => (own[round] ?? Number.NaN) / rate));
    return { what, name, perSecond: Math.round(median(theirs)), oursFaster: Number(ratio.toFixed(2)) };
  });
}

/** Microseconds of one evaluation inside OPA, by its own benchmark. */
function opaMicroseconds(opa: string): number {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-bench-opa-"));
  try {
    writeFileSync(join(directory, "rule.rego"), rego);
    writeFileSync(join(directory, "input.json"), JSON.stringify(variables));
    const words = ["bench", "-d", "rule.rego", "-i", "input.json", "--count", String(rounds), "--format", "json"];
    const ended = spawnSync(opa, [...words, "data.provenance.allow"], { cwd: directory, encoding: "utf8" });
    if (ended.status !== 0) throw new Error(`opa ended with ${ended.status}: ${ended.stderr.slice(-400)}`);
    const results = [...ended.stdout.matchAll(/"N":\s*(\d+),\s*"T":\s*(\d+)/g)];
    return median(results.map(([, count, nanoseconds]) => Number(nanoseconds) / Number(count) / 1000));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const contestants = evaluators();
const rows = cases.flatMap(({ name, expression }) => {
  const works = contestants.map((one) => [one.name, one.compile(expression, variables)] as const);
  for (const [contestant, work] of works) {
    if (work() !== true) throw new Error(`${contestant} does not find ${name} true: ${String(work())}`);
  }
  return compare(name, works);
});
const [, rule = { expression: "true" }] = cases;
const compilers = contestants.filter(({ name }) => name !== "touchmark, converting each time");
const compiling = compare(
  "compiling the provenance rule",
  compilers.map(({ name, compile }) => [name, () => compile(rule.expression, variables)] as const),
);
const opa = findProgram("opa");
const inOpa = opa === undefined ? null : opaMicroseconds(opa);
const peers: readonly string[] = peerPackages.map(([name]) => name);
const wanted = peers.filter((name) => !contestants.some((one) => one.name === name));
const missing = opa === undefined ? [...wanted, "opa"] : wanted;

if (process.argv.includes("--json"))
  console.log(JSON.stringify({ rows: [...rows, ...compiling], opaMicroseconds: inOpa, missing }));
else {
  for (const { what, name, perSecond, oursFaster } of [...rows, ...compiling]) {
    console.log(`${what.padEnd(30)} ${name.padEnd(32)} ${String(perSecond).padStart(9)}/s   ours ${oursFaster}x`);
  }
  if (inOpa !== null) console.log(`provenance rule in OPA: ${inOpa.toFixed(1)} µs an evaluation`);
  if (missing.length > 0) console.log(`not installed: ${missing.join(", ")}`);
}
