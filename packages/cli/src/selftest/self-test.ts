import { alterations } from "./alterations.ts";
import { type BenchOptions, openBench } from "./bench.ts";
import { selfTestErrors } from "./errors.ts";
import { type Experiment, type ExperimentResult, judge } from "./experiment.ts";
import { stops } from "./stops.ts";
import { violations } from "./violations.ts";

/** Every experiment, in the order in which they are made. One visible list; nothing registers itself. */
export const experiments: readonly Experiment[] = [...violations, ...stops, ...alterations];

/** What the attacks showed. */
export interface SelfTestReport {
  readonly baseline: string;
  readonly experiments: readonly ExperimentResult[];
  readonly outcome: "passed" | "failed";
}

/** What is asked. */
export interface SelfTestRequest extends BenchOptions {
  /** Ids; all when empty. */
  readonly only: readonly string[];
  readonly onResult: (result: ExperimentResult | { readonly id: "baseline"; readonly detail: string }) => void;
}

/**
 * Attacks the user's own pipeline on a copy, in a factory of its own: plants violations, switches controls off, stops
 * components, alters evidence. Every attempt must be refused. SPEC ST1.
 * @throws SELFTEST_SOURCE | SELFTEST_BASELINE | SELFTEST_UNKNOWN
 */
export async function selfTest(request: SelfTestRequest): Promise<SelfTestReport> {
  const unknown = request.only.find((id) => !experiments.some((each) => each.id === id));
  if (unknown !== undefined) {
    throw selfTestErrors.make(
      "SELFTEST_UNKNOWN",
      `expected one of ${experiments.map(({ id }) => id).join(", ")}, found ${unknown}`,
    );
  }
  const chosen = experiments.filter(({ id }) => request.only.length === 0 || request.only.includes(id));
  const bench = await openBench(request);
  try {
    const told = await bench.tell(["run", request.pipeline, "--json"]);
    const outcome = told.exitCode === 0 ? (JSON.parse(told.out) as { artifacts?: readonly { digest: string }[] }) : {};
    const digest = outcome.artifacts?.[0]?.digest;
    if (digest === undefined) {
      const found = told.words.trim().split("\n").at(-1)?.slice(0, 500) ?? "";
      throw selfTestErrors.make(
        "SELFTEST_BASELINE",
        `expected a released artifact, found exit ${told.exitCode}: ${found}`,
      );
    }
    bench.artifact = digest;
    request.onResult({ id: "baseline", detail: digest });
    const results: ExperimentResult[] = [];
    for (const experiment of chosen) {
      const skipped = experiment.skip?.(bench);
      const { id, kind, control, attempt, practices } = experiment;
      const result: ExperimentResult =
        skipped === undefined
          ? judge(experiment, await experiment.attack(bench))
          : { id, kind, control, attempt, practices, outcome: "skipped", detail: skipped };
      results.push(result);
      request.onResult(result);
    }
    const isHeld = results.every(({ outcome }) => outcome === "held" || outcome === "skipped");
    return { baseline: digest, experiments: results, outcome: isHeld ? "passed" : "failed" };
  } finally {
    bench.close();
  }
}
