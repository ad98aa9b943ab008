import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Attempt, Experiment } from "./experiment.ts";

/** Runs the unchanged pipeline, nothing of it from the cache. */
async function runWhole(bench: Bench, environment: Readonly<Record<string, string>> = {}): Promise<Attempt> {
  const released = await bench.releases();
  const { exitCode, words } = await bench.tell(["run", bench.pipeline, "--no-cache", "--jobs", "1"], environment);
  return { exitCode, words, passed: exitCode === 0 || (await bench.releases().catch(() => released)) > released };
}

function withoutProgram(id: string, control: string, practices: readonly string[], ...programs: string[]): Experiment {
  return {
    ...{ id, control, practices },
    kind: "control-off",
    attempt: `the host has no ${programs.join(", ")}`,
    attack: (bench) => runWhole(bench, { PATH: bench.pathWithout(...programs) }),
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
      const aside = `${place}.aside`;
      const released = await bench.releases();
      renameSync(place, aside);
      // A file in its place: nothing can be made there anew.
      writeFileSync(place, "");
      let told: Awaited<ReturnType<Bench["tell"]>>;
      try {
        told = await bench.tell(["run", bench.pipeline, "--no-cache", "--jobs", "1"]);
      } finally {
        renameSync(place, `${place}.left`);
        renameSync(aside, place);
      }
      return { exitCode: told.exitCode, words: told.words, passed: (await bench.releases()) > released };
    },
  };
}

/** Controls switched off, and components stopped: no release may come out. */
export const stops: readonly Experiment[] = [
  withoutProgram("no-observer", "every step is observed", ["RA-OBS-03"], "strace"),
  withoutProgram("no-sandbox", "every step runs in a sandbox", ["single-use-build-workers"], "bwrap", "runc", "crun"),
  withoutPart(
    "no-log",
    "log",
    "nothing is released that is not in the transparency log",
    "the transparency log is gone",
  ),
  withoutPart("no-identity", "identity", "nothing is released that nobody signed", "the factory's keys are gone"),
  withoutPart("no-store", "store", "evidence is kept before anything is released", "the store cannot be written"),
  withoutPart("no-run-record", "runs", "a run is recorded before it begins", "records of runs cannot be written"),
];
