import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { parsePipelineFile } from "@touchmark/formats/pipeline";
import { chosenWorker } from "@touchmark/worker";
import { pipelineErrors } from "./errors.ts";
import { type ResolvedInput, resolveInputs, stepJob } from "./execute-step.ts";
import { type Factory, sandboxDirectory } from "./factory.ts";
import type { RunImages } from "./images/run-images.ts";
import { findRun } from "./lookup.ts";
import type { FetchNetwork } from "./materials/fetch-network.ts";
import { makePlan, type Plan, type PlannedStep } from "./plan.ts";
import { PIPELINE_FILE } from "./take-source.ts";

/** What a debugging session may use of its surroundings. */
export interface DebugSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

interface RecordedRequest {
  readonly source?: { readonly treeDigest?: Digest; readonly committedAt?: string };
  readonly request?: { readonly parameters?: Readonly<Record<string, string>> };
}

/**
 * Opens a shell in the sandbox of a step, made again from what the run recorded. It has no observer, no signer and no
 * way to keep its output: whatever is done in it can never become evidence.
 * @throws RUN_UNKNOWN | STEP_UNKNOWN | RUN_INCOMPLETE
 */
export async function debugStep(
  factory: Factory,
  runName: string,
  stepName: string,
  surroundings: DebugSurroundings,
): Promise<number> {
  const run = await findRun(factory, runName);
  const details = run.details as RecordedRequest;
  const sourceTree = details.source?.treeDigest;
  if (sourceTree === undefined || !(await factory.trees.use(sourceTree))) throw incomplete(run.id, "the source");
  const text = readFileSync(join(factory.trees.root(sourceTree), PIPELINE_FILE), "utf8");
  const plan = makePlan(parsePipelineFile(text, PIPELINE_FILE), run.pipeline, details.request?.parameters ?? {});
  const step = plan.steps.find((candidate) => candidate.name === stepName);
  if (step === undefined) {
    const names = plan.steps.map((candidate) => candidate.name).join(", ");
    throw pipelineErrors.make(
      "STEP_UNKNOWN",
      `expected one of ${names}, found ${JSON.stringify(stepName.slice(0, 80))}`,
    );
  }
  const trees = new Map<string, Digest>([["source", sourceTree]]);
  for (const name of new Set(step.after)) {
    const output = run.steps.find((done) => done.name === name)?.output;
    if (output === undefined || output === null || !(await factory.trees.use(output)))
      throw incomplete(run.id, `the output of ${name}`);
    trees.set(name, output);
  }
  const worker = chosenWorker({ stateDirectory: sandboxDirectory(factory) });
  const inputs = resolveInputs(step, trees);
  const network =
    step.definition.network === "fetch" ? await openNetwork(factory, step, inputs, surroundings) : undefined;
  const images = await imagesOf(factory, step, plan, surroundings);
  const image = images?.ofStep(step.name);
  try {
    const job = stepJob(
      {
        run: `debug-${run.id}`,
        trees: factory.trees,
        sourceDateEpoch: Math.floor(Date.parse(details.source?.committedAt ?? "1970-01-01T00:00:00Z") / 1000),
        clientEnvironment: {},
        ...(image === undefined ? {} : { image }),
        signal: surroundings.signal,
        onOutput: () => undefined,
      },
      step,
      inputs,
      await factory.home.scratch("debug"),
      undefined,
      network,
    );
    if (worker.shell === undefined) throw new TypeError("this worker has no shell");
    surroundings.say(`the command of the step is: ${step.definition.script ?? step.definition.command.join(" ")}`);
    return await worker.shell({ ...job, command: ["/bin/sh", "-i"] });
  } finally {
    await network?.close();
    await images?.close();
    await worker.close?.();
  }
}

/** The image of the step, judged as for a run; a step that took one without a voucher is entered with it again. */
async function imagesOf(
  factory: Factory,
  step: PlannedStep,
  plan: Plan,
  { environment, say }: DebugSurroundings,
): Promise<RunImages | undefined> {
  if (step.definition.image === undefined) return undefined;
  const { openRunImages } = await import("./images/run-images.ts");
  const only = { ...plan, steps: [step], pipeline: { ...plan.pipeline, images: [] } };
  return openRunImages(factory, only, { environment, offline: false, insecureImage: true, note: say });
}

/** The recording proxy of a fetch step, for the shell as for the step: nothing else comes in, and nothing is signed. */
async function openNetwork(
  factory: Factory,
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  { environment, say }: DebugSurroundings,
): Promise<Pick<FetchNetwork, "environment" | "provided" | "bridge" | "close">> {
  const { openFetchNetwork } = await import("./materials/fetch-network.ts");
  const { openRunMaterials } = await import("./materials/run-materials.ts");
  const { lazyAdvisories } = await import("./analysis/lazy-advisories.ts");
  const { lockfilesOfStep } = await import("./materials/lockfiles-of-step.ts");
  const materials = await openRunMaterials(factory, {
    environment,
    offline: false,
    trusted: true,
    project: {},
    advisories: lazyAdvisories(factory).open,
    note: say,
  });
  const lockfiles = lockfilesOfStep(step, inputs, (tree) => factory.trees.root(tree));
  const network = await openFetchNetwork(materials, step, lockfiles, await factory.home.scratch("fetch"));
  return {
    ...network,
    close: async () => {
      const report = await network.close();
      await materials.close();
      return report;
    },
  };
}

function incomplete(run: string, what: string): Error {
  return pipelineErrors.make("RUN_INCOMPLETE", `run ${run} cannot be entered: ${what} is not stored`);
}
