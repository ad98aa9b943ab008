import { spawnSync } from "node:child_process";
import { backendWorker, sandboxBackends } from "@touchmark/worker";
import { casesWithImages, makeImage, openBench } from "@touchmark/worker/fixture";
import { median } from "../interleave.ts";
import { describeMachine, isShort } from "../machine.ts";

/**
 * The fixed cost of a sandbox beside its command, without observer, evidence and log:
 * `node bench/worker/sandbox.ts [--rounds N]`. A step of `true` by each backend that works here, on the host's view
 * and on an image, in turns with a bare shell. Medians of one process's calls; on a machine with other work they say
 * only which is dearer.
 */
const at = process.argv.indexOf("--rounds");
const rounds = at < 0 ? (isShort ? 2 : 40) : Number(process.argv[at + 1]);
const machine = describeMachine();
const bench = openBench(process.getuid?.() === 0 ? "root" : "user");
const canImage = casesWithImages.some((row) => row.caller === bench.caller && row.missing === null);
const image = canImage ? makeImage(bench, "bench") : undefined;
const subjects = new Map<string, () => Promise<unknown>>();
subjects.set("bare shell", async () => spawnSync("/bin/sh", ["-c", "true"]));
const workers = sandboxBackends.map((backend) => [backend, backendWorker(backend, bench.make(backend))] as const);

async function must(backend: (typeof workers)[number][1], rootfs: { directory: string } | undefined): Promise<void> {
  const ran = await backend.run(bench.job("true", rootfs === undefined ? {} : { rootfs }));
  if (ran.outcome !== "succeeded") throw new Error(`the step ended: ${ran.outcome}`);
}

try {
  for (const [name, worker] of workers) {
    if ((await worker.probe()).tier === null) continue;
    subjects.set(`${name}, host's programs`, () => must(worker, undefined));
    if (image !== undefined) subjects.set(`${name}, image`, () => must(worker, { directory: image }));
  }
  const times = new Map<string, number[]>([...subjects.keys()].map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, perform] of subjects) {
      const begun = performance.now();
      await perform();
      if (round > 0) times.get(name)?.push(performance.now() - begun);
    }
  }
  const milliseconds = Object.fromEntries([...times].map(([name, all]) => [name, Number(median(all).toFixed(1))]));
  console.log(JSON.stringify({ machine, rounds, quiet: machine.load < 0.5, milliseconds }, undefined, 2));
} finally {
  for (const [, worker] of workers) await worker.close();
  await bench.close();
}
