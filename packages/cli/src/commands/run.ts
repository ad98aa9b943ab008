import type { RunOutcome } from "@touchmark/pipeline";
import { type Command, given } from "../command.ts";
import { showOutcome } from "../output/run-result.ts";
import { performRun, runOptions } from "../pipeline-run.ts";

/** `touchmark run`: the main job. */
export const command: Command = {
  name: "run",
  summary: "run a pipeline on a revision, sealed and observed",
  description:
    "Fetches the revision, runs each step of the pipeline in a sealed single-use sandbox, observes it from outside, signs and logs evidence, and stores the artifacts.",
  arguments: [{ name: "pipeline", description: "name of a pipeline in touchmark.yaml (default: default)" }],
  options: [...runOptions, { flags: "--json", description: "print the result as JSON" }],
  examples: [
    ["touchmark run", "build HEAD of the repository here"],
    ["touchmark run release --revision v1.2.0 --param channel=stable", "another pipeline, a tag, a parameter"],
    ["touchmark run --offline", "the same again, with the network unplugged"],
    ["touchmark run --json | jq .artifacts", "for scripts; progress goes to standard error"],
  ],
  async run(invocation, terminal) {
    return performRun(invocation, terminal, (outcome, factory) => {
      if (given(invocation, "json"))
        terminal.print(JSON.stringify(outcomeJson(outcome, factory.content), undefined, 2));
      else showOutcome(outcome, terminal);
    });
  },
};

/** The contract of `run --json`. */
export function outcomeJson(
  outcome: RunOutcome,
  content: { path(digest: RunOutcome["artifacts"][number]["digest"]): string },
): object {
  const { run, status, source, pipeline, steps, durationMs } = outcome;
  return {
    run,
    status,
    pipeline,
    source,
    steps: steps.map((step) => ({ ...step, durationMs: Math.round(step.durationMs) })),
    artifacts: outcome.artifacts.map((artifact) => ({
      name: artifact.name,
      kind: artifact.kind,
      digest: artifact.digest,
      bytes: artifact.bytes,
      path: content.path(artifact.digest),
      bundles: artifact.bundles.map((digest) => content.path(digest)),
    })),
    ...(outcome.published.length === 0 ? {} : { published: outcome.published }),
    ...(outcome.error === undefined ? {} : { error: outcome.error }),
    durationMs: Math.round(durationMs),
  };
}
