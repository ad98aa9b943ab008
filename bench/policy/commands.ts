/**
 * What starting costs: `node bench/policy/commands.ts [--json]`; BENCH_SHORT=1 for a smoke run. Whole processes in turn,
 * ours bundled as the package has it: one decision as a command, beside OPA's, and the admission service until it
 * listens.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { type Contestant, interleave, median, pairRatio } from "../interleave.ts";
import { isShort } from "../machine.ts";
import { rego, variables } from "./cel-cases.ts";
import { openScene } from "./scene.ts";
import { startService } from "./service.ts";

const rounds = isShort ? 1 : 15;
const scene = await openScene(1);

function contestants(): readonly Contestant[] {
  const [program, main] = scene.command;
  const environment = { ...process.env, TOUCHMARK_HOME: scene.home, NO_COLOR: "1" };
  const ours = (name: string, ...words: readonly string[]): Contestant => ({
    ...{ name, environment, argv: [program, main, ...words] },
  });
  const [digest = ""] = /sha256:[0-9a-f]{64}$/.exec(scene.images[0] ?? "") ?? [];
  const opa = findProgram("opa");
  const directory = join(scene.base, "opa");
  mkdirSync(directory);
  const [rule, input] = [join(directory, "rule.rego"), join(directory, "input.json")];
  writeFileSync(rule, rego);
  writeFileSync(input, JSON.stringify(variables));
  return [
    { name: "empty Node", argv: [program, "-e", ""] },
    ours("touchmark --help", "--help"),
    ours("touchmark policy status", "policy", "status"),
    ours("touchmark admit, five statements", "admit", digest, "--policy", scene.requestless),
    ...(opa === undefined
      ? []
      : [{ name: "opa eval, no signature", argv: [opa, "eval", "-d", rule, "-i", input, "data.provenance.allow"] }]),
  ];
}

try {
  const timings = await interleave(contestants(), rounds);
  const [empty] = timings;
  if (empty === undefined) throw new Error("nothing was measured");
  const starts: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const service = await startService(scene);
    if (round > 0) starts.push(service.startMs);
    await service.stop();
  }
  const rows = timings.map((timing) => ({
    name: timing.name,
    ms: Number(median(timing.wallMs).toFixed(1)),
    overNode: Number(pairRatio(timing, empty).toFixed(2)),
    peakMiB: timing.peakMiB,
  }));
  const figures = { rows, serviceStartMs: Number(median(starts).toFixed(1)) };
  console.log(JSON.stringify(figures, undefined, process.argv.includes("--json") ? undefined : 2));
} finally {
  await scene.close();
}
