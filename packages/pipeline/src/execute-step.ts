import type { Clock, Digest, TreeEntry } from "@touchmark/core";
import { mountOrder } from "@touchmark/formats/pipeline";
import type { Observation, Observer } from "@touchmark/observer";
import type { IngestedTree, TreeStore } from "@touchmark/store";
import type { StepJob, StepResult, Worker } from "@touchmark/worker";
import { pipelineErrors } from "./errors.ts";
import type { StepImage } from "./images/run-images.ts";
import { type InputWatch, watchInput } from "./input-watch.ts";
import type { FetchNetwork } from "./materials/fetch-network.ts";
import type { FetchReport } from "./materials/fetch-report.ts";
import type { PlannedStep } from "./plan.ts";

/** An input of a step, with the tree that it is. */
export interface ResolvedInput {
  /** `source`, or the step whose output it is. */
  readonly from: string;
  readonly at: string;
  readonly access: "read-only" | "copy-on-write";
  readonly tree: Digest;
}

/** What a step is executed with. */
export interface StepContext {
  readonly run: string;
  readonly clock: Clock;
  readonly worker: Worker;
  /** A new observer for one step, writing into a directory of its own. */
  readonly observe: (traceDirectory: string) => Promise<Observer>;
  readonly trees: TreeStore;
  readonly scratch: (prefix: string) => Promise<string>;
  readonly sourceDateEpoch: number;
  /** Opens the recording proxy that a step with `network: fetch` has in place of a network. */
  readonly fetchNetwork: (
    step: PlannedStep,
    inputs: readonly ResolvedInput[],
    scratch: string,
  ) => Promise<FetchNetwork>;
  /** The user's own network settings, for a step without a sandbox, which nothing keeps from the network. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** What the step sees in place of the host's files. */
  readonly image?: StepImage;
  readonly signal: AbortSignal;
  readonly onOutput: (chunk: Uint8Array) => void;
}

/** A step that ran; everything in it was measured by the control plane. */
export interface ExecutedStep {
  readonly step: PlannedStep;
  readonly inputs: readonly ResolvedInput[];
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly result: StepResult;
  readonly observation: Observation;
  readonly image: StepImage | undefined;
  /** The output tree; undefined when the command did not succeed. */
  readonly output: IngestedTree | undefined;
  /** What came in through the recording proxy; undefined for a step without network. */
  readonly fetched: FetchReport | undefined;
}

/** Mounts that show files of the host. */
const hostKinds: ReadonlySet<string> = new Set(["system", "toolchain", "generated", "image"]);

/** The inputs of a step in mount order, by the trees made so far. */
export function resolveInputs(step: PlannedStep, trees: ReadonlyMap<string, Digest>): ResolvedInput[] {
  return mountOrder(step.definition.inputs).map(({ from, at, access }) => {
    const tree = trees.get(from);
    if (tree === undefined) throw new TypeError(`step ${step.name} started before ${from} was done`);
    return { from, at, access, tree };
  });
}

/** Runs one step: inputs hashed again, sandbox, observation, and, once the worker is dead, the products hashed. */
export async function executeStep(
  context: StepContext,
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
): Promise<ExecutedStep> {
  const inputEntries = await verifyInputs(context.trees, step, inputs);
  const outputDirectory = await context.scratch("output");
  const observer = await context.observe(await context.scratch("trace"));
  const { definition } = step;
  const wantsProxy = definition.network === "fetch" && !definition.insecureProcess;
  const network = wantsProxy ? await context.fetchNetwork(step, inputs, await context.scratch("fetch")) : undefined;
  const startedAt = context.clock.now();
  let fetched: FetchReport | undefined;
  const job = stepJob(context, step, inputs, outputDirectory, observer, network);
  let result: StepResult;
  try {
    result = await context.worker.run(job);
  } finally {
    // With the worker dead, nothing may enter any more.
    fetched = await network?.close();
  }
  const finishedAt = context.clock.now();
  refuseTouched(step, inputs, inputEntries.watches);
  const observation = await observer.finish({
    command: job.command,
    mounts: job.mounts,
    output: job.output,
    view: result.evidence.mounts.flatMap((row) =>
      row.kind === "temporary" || (row.source !== null && hostKinds.has(row.kind))
        ? [{ host: row.source, at: row.at }]
        : [],
    ),
    inputDigests: inputEntries.entries,
    exit: result,
    refused: result.refused,
    refusedRecorded: result.evidence.seccomp?.recorded ?? false,
  });
  const output =
    result.outcome === "succeeded"
      ? await context.trees.ingest(outputDirectory, {
          limits: { maxBytes: step.definition.limits.outputBytes },
          epoch: context.sourceDateEpoch,
          // Package managers link workspaces to places outside their own tree; such links are recorded, and no
          // artifact may hold one.
          linksOutside: "keep",
        })
      : undefined;
  return { step, inputs, startedAt, finishedAt, result, observation, image: context.image, output, fetched };
}

/** The job of a step for the worker; also what `touchmark debug` opens a shell in. */
export function stepJob(
  context: Pick<
    StepContext,
    "run" | "trees" | "sourceDateEpoch" | "clientEnvironment" | "image" | "signal" | "onOutput"
  >,
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  outputDirectory: string,
  observer: Observer | undefined,
  network: Pick<FetchNetwork, "environment" | "provided" | "bridge"> | undefined,
): StepJob {
  const { definition } = step;
  const isOpen = definition.network === "fetch" && definition.insecureProcess;
  return {
    id: `${context.run}.${step.name}`.slice(-100),
    command: definition.command,
    directory: definition.directory,
    environment: {
      ...(isOpen ? context.clientEnvironment : {}),
      ...network?.environment,
      ...step.environment,
    },
    mounts: inputs.map((input) => ({ host: context.trees.root(input.tree), at: input.at, access: input.access })),
    output: { host: outputDirectory, at: definition.output },
    view: { toolchains: definition.toolchains },
    ...(context.image === undefined
      ? {}
      : { rootfs: { directory: context.image.rootfs.directory, environment: context.image.rootfs.environment } }),
    network: isOpen ? "open" : network === undefined ? "none" : "proxy",
    ...(network === undefined ? {} : { bridge: network.bridge, provided: network.provided }),
    limits: definition.limits,
    sourceDateEpoch: context.sourceDateEpoch,
    ...(observer === undefined ? {} : { tracer: observer.tracer }),
    onOutput: context.onOutput,
    signal: context.signal,
  };
}

/** What was found when the inputs were hashed. */
interface VerifiedInputs {
  /** By the place of the mount. */
  readonly entries: ReadonlyMap<string, readonly TreeEntry[]>;
  readonly watches: ReadonlyMap<string, InputWatch>;
}

/** Hashes every input again, since what was written once may have been altered since. @throws INPUT_CHANGED */
async function verifyInputs(
  trees: TreeStore,
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
): Promise<VerifiedInputs> {
  const entries = new Map<string, readonly TreeEntry[]>();
  const watches = new Map<string, InputWatch>();
  for (const input of inputs) {
    try {
      const listed = await trees.entries(input.tree);
      watches.set(input.at, watchInput(trees.root(input.tree), listed));
      await trees.verify(input.tree);
      entries.set(input.at, listed);
    } catch (cause) {
      throw pipelineErrors.make(
        "INPUT_CHANGED",
        `step ${step.name}: input ${input.from} was recorded as ${input.tree}, and is something else now`,
        { cause },
      );
    }
  }
  return { entries, watches };
}

/** Refuses a step whose input was touched while it ran, also when it was put back: it may have read the other. @throws INPUT_CHANGED */
function refuseTouched(
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  watches: ReadonlyMap<string, InputWatch>,
): void {
  for (const input of inputs) {
    const path = watches.get(input.at)?.touched();
    if (path !== undefined) {
      throw pipelineErrors.make(
        "INPUT_CHANGED",
        `step ${step.name}: ${JSON.stringify(path)} of input ${input.from} was touched while the step ran`,
      );
    }
  }
}
