import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Attempt, Experiment } from "./experiment.ts";

/** Runs the unchanged pipeline, nothing of it from the cache. */
async function runWhole(
  bench: Bench,
  environment: Readonly<Record<string, string>> = {},
  canCount = true,
): Promise<Attempt> {
  const released = canCount ? await bench.releases() : 0;
  const { exitCode, words } = await bench.tell(["run", bench.pipeline, "--no-cache", "--jobs", "1"], environment);
  return { exitCode, words, passed: exitCode === 0 || (canCount && (await bench.releases()) > released) };
}

function brokenProgram(id: string, control: string, practices: readonly string[], ...programs: string[]): Experiment {
  return {
    ...{ id, control, practices },
    kind: "control-off",
    attempt: `${programs.join(", ")} of the host does not work`,
    attack: (bench) => runWhole(bench, { PATH: bench.pathWithBroken(...programs) }),
  };
}

/** A part of the factory is gone while a run is asked for, and back afterwards. */
function withoutPart(id: string, part: string, control: string, attempt: string): Experiment {
  return {
    ...{ id, control, attempt },
    kind: "stopped",
    practices: ["test-pipeline-security-controls"],
    async attack(bench) {
      const place = join(bench.home, part);
      const released = await bench.releases();
      renameSync(place, `${place}.aside`);
      let attempted: Attempt;
      try {
        attempted = await runWhole(bench, {}, false);
      } finally {
        // What a command made anew in its place goes.
        rmSync(place, { recursive: true, force: true });
        renameSync(`${place}.aside`, place);
      }
      return { ...attempted, passed: attempted.passed || (await bench.releases()) > released };
    },
  };
}

/** Controls switched off, and components stopped: no release may come out. */
export const stops: readonly Experiment[] = [
  brokenProgram("no-observer", "every step is observed", ["RA-OBS-03"], "strace"),
  brokenProgram("no-sandbox", "every step runs in a sandbox", ["single-use-build-workers"], "bwrap", "runc", "crun"),
  withoutPart(
    "no-log",
    join("log", "checkpoint"),
    "nothing is released that is not in the transparency log",
    "the transparency log's head is gone",
  ),
  withoutPart(
    "no-log-key",
    join("identity", "log"),
    "nothing is released that the log did not sign for",
    "the keys of the transparency log are gone",
  ),
  withoutPart(
    "no-identity",
    join("identity", "authority"),
    "nothing is released that nobody known signed",
    "the keys of the factory's authority are gone",
  ),
  {
    id: "no-store",
    kind: "stopped",
    control: "evidence is kept before anything is released",
    attempt: "the store cannot be written",
    practices: ["test-pipeline-security-controls"],
    async attack(bench) {
      const place = join(bench.home, "store");
      const released = await bench.releases();
      renameSync(place, `${place}.aside`);
      // A file in its place: nothing can be made there anew.
      writeFileSync(place, "");
      let attempted: Attempt;
      try {
        attempted = await runWhole(bench, {}, false);
      } finally {
        rmSync(place);
        renameSync(`${place}.aside`, place);
      }
      return { ...attempted, passed: attempted.passed || (await bench.releases()) > released };
    },
  },
];
