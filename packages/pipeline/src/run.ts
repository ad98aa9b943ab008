import { join } from "node:path";
import { canonicalJson, type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { TriggerRequest } from "@touchmark/formats/predicates";
import { straceObserver } from "@touchmark/observer";
import { type OpenRun, openIndex } from "@touchmark/store";
import { readTrustRoot } from "@touchmark/verify";
import { bubblewrapWorker, insecureProcessWorker, type Worker } from "@touchmark/worker";
import { clientEnvironment } from "./client-environment.ts";
import { pipelineErrors } from "./errors.ts";
import { nodeStatement } from "./evidence/node-statement.ts";
import { EvidenceRecorder } from "./evidence/recorder.ts";
import { sourceStatement, triggerStatement } from "./evidence/request-statements.ts";
import type { RunFacts } from "./evidence/run-facts.ts";
import { signerIds } from "./evidence/run-statements.ts";
import type { Factory } from "./factory.ts";
import { sandboxDirectory } from "./factory.ts";
import { finishRun, type ReleasedArtifact } from "./finish-run.ts";
import { hostFiles } from "./host-files.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { RunListener, StepStatus } from "./progress.ts";
import { recordProject } from "./project-record.ts";
import { type RunSession, recordSteps, type StepReport } from "./run-session.ts";
import { runStep } from "./run-step.ts";
import { schedule } from "./schedule.ts";
import { PIPELINE_FILE, takeSource } from "./take-source.ts";
import { productVersion } from "./version.ts";

/** What a caller asks for. */
export interface RunRequest {
  /** A path or URL of a git repository. */
  readonly location: string;
  /** Default `HEAD`. */
  readonly revision?: string;
  /** Default: the pipeline `default`, or the only one. */
  readonly pipeline?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Steps at once. */
  readonly jobs: number;
  readonly cache: boolean;
  readonly insecureWorkingTree?: boolean;
  readonly insecureProcess?: boolean;
  /** The caller's environment, of which only network settings reach a fetch step. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly listener: RunListener;
}

/** How a run ended. */
export interface RunOutcome {
  readonly run: string;
  readonly status: Exclude<StepStatus, "skipped">;
  readonly source: {
    readonly uri: string;
    readonly revision: string;
    readonly commit: string;
    readonly treeDigest: Digest;
  };
  readonly pipeline: string;
  readonly steps: readonly StepReport[];
  readonly artifacts: readonly ReleasedArtifact[];
  /** Signed statements that the run rests on. */
  readonly evidence: number;
  readonly durationMs: number;
}

/** Runs a pipeline on a revision: source, steps, evidence, artifacts. A failed command is a result, not an error. */
export async function runPipeline(factory: Factory, request: RunRequest): Promise<RunOutcome> {
  const begun = performance.now();
  const startedAt = factory.clock.now();
  const { source, file } = await takeSource(factory, request, begun);
  const plan = makePlan(file, request.pipeline, request.parameters ?? {});
  const unsealed = unsealedWorker(factory, request, plan);
  const worker = bubblewrapWorker({ stateDirectory: sandboxDirectory(factory) });
  const probe = await worker.probe();
  if (probe.tier === null) {
    const [first] = probe.missing;
    throw pipelineErrors.make(
      "ISOLATION_BELOW_DEMAND",
      `no sandbox can be made here: ${first?.name ?? "unknown"}: ${first?.why ?? ""}`,
      {
        ...(first === undefined ? {} : { hint: first.remedy }),
      },
    );
  }
  const identity = await factory.identity();
  const triggered: TriggerRequest = {
    source: { uri: source.uri, revision: request.revision ?? "HEAD" },
    pipeline: { file: PIPELINE_FILE, name: plan.pipeline.name },
    parameters: { ...plan.parameters },
    insecureOptions: [
      ...(request.insecureWorkingTree === true ? ["insecure-working-tree"] : []),
      ...(request.insecureProcess === true ? ["insecure-process"] : []),
    ],
    cache: request.cache,
    jobs: request.jobs,
  };
  const run = await factory.runs.create({
    project: file.project,
    pipeline: plan.pipeline.name,
    details: {
      source: {
        uri: source.uri,
        revision: source.revision,
        commit: source.commit,
        tree: source.tree,
        treeDigest: source.treeDigest,
      },
      pipelineFile: file.digest,
      request: JSON.parse(JSON.stringify(triggered)),
    },
  });
  await recordProject(factory, file.project, source.uri, plan.pipeline.name);
  const facts: RunFacts = {
    run: run.id,
    trustDomain: identity.trustDomain,
    project: file.project,
    pipeline: plan.pipeline.name,
    version: productVersion,
    request: triggered,
    source,
    pipelineFile: { path: PIPELINE_FILE, digest: file.digest },
    startedAt,
    now: () => factory.clock.now(),
  };
  const session: RunSession = {
    factory,
    identity,
    trustRoot: readTrustRoot(await factory.trustRoot()),
    plan,
    facts,
    run,
    recorder: new EvidenceRecorder(identity, await factory.log(), factory.content),
    worker,
    ...(unsealed === undefined ? {} : { unsealed }),
    probe,
    observe: (traceDirectory) =>
      straceObserver({ traceDirectory, digestCache: join(factory.home.paths.cache, "host-digests") }),
    hostFiles: hostFiles(),
    profile: sha256(canonicalJson({ backend: probe.backend, version: probe.backendVersion, tier: probe.tier })),
    clientEnvironment: clientEnvironment(request.environment),
    useCache: request.cache,
    signal: request.signal,
    listener: request.listener,
    trees: new Map([["source", source.treeDigest]]),
    outcomes: new Map(),
    reports: new Map(),
  };
  try {
    return await performRun(session, request, begun);
  } catch (error) {
    await abandon(run, error);
    throw error;
  } finally {
    await worker.close?.();
  }
}

async function performRun(session: RunSession, request: RunRequest, begun: number): Promise<RunOutcome> {
  const { facts, recorder, plan, listener, run } = session;
  listener({ type: "run-started", run: run.id, pipeline: facts.pipeline, steps: plan.steps.map((step) => step.name) });
  const builder = signerIds.builder(facts);
  await recorder.record([{ name: "trigger", spiffeId: builder, statement: triggerStatement(facts) }]);
  await recorder.record([
    { name: "source", spiffeId: builder, statement: sourceStatement(facts, recorder.predecessors("trigger")) },
    {
      name: "node",
      spiffeId: signerIds.node(facts),
      statement: await nodeStatement(facts, recorder.predecessors("trigger")),
    },
  ]);
  const running = new Set<string>();
  const byName = new Map(plan.steps.map((step) => [step.name, step]));
  const left = await schedule(plan.steps, request.jobs, session.signal, async ({ name }) => {
    const step = byName.get(name);
    if (step === undefined) throw new TypeError(`no step ${name}`);
    running.add(name);
    listener({ type: "step-started", step: name, network: step.definition.network });
    const report = await runStep(session, step);
    running.delete(name);
    session.reports.set(name, report);
    await recordSteps(session, running);
    const { status, cached, durationMs } = report;
    listener({ type: "step-finished", step: name, status, cached, durationMs, summary: summaryOf(report) });
    return status === "succeeded" ? "done" : "stopped";
  });
  for (const name of left) {
    const status = session.signal.aborted ? "cancelled" : "skipped";
    const network = byName.get(name)?.definition.network ?? "none";
    session.reports.set(name, { name, status, cached: false, durationMs: 0, exitCode: null, network, bundles: [] });
    listener({ type: "step-finished", step: name, status, cached: false, durationMs: 0, summary: "" });
  }
  const status = overall([...session.reports.values()].map((report) => report.status));
  const artifacts = status === "succeeded" ? await finishRun(session) : [];
  await recordSteps(session, running);
  const record = await run.finish(status, {
    artifacts: artifacts.map(({ name, kind, digest, bytes, bundles, step, path }) => ({
      name,
      kind,
      digest,
      size: bytes,
      bundles,
      details: { step, path },
    })),
  });
  const index = await openIndex(session.factory.home);
  try {
    index.putRun(record);
  } finally {
    index.close();
  }
  const durationMs = performance.now() - begun;
  listener({ type: "run-finished", status, durationMs });
  return {
    run: run.id,
    status,
    source: {
      uri: facts.source.uri,
      revision: facts.source.revision,
      commit: facts.source.commit,
      treeDigest: facts.source.treeDigest,
    },
    pipeline: facts.pipeline,
    steps: plan.steps.flatMap((step) => session.reports.get(step.name) ?? []),
    artifacts,
    evidence: recorder.bundles.length,
    durationMs,
  };
}

/** The worker of steps that ask for no sandbox, when the caller allows them. @throws PROCESS_NOT_ALLOWED */
function unsealedWorker(factory: Factory, request: RunRequest, plan: Plan): Worker | undefined {
  const step = plan.steps.find(({ definition }) => definition.insecureProcess);
  if (step === undefined) return undefined;
  if (request.insecureProcess !== true) {
    throw pipelineErrors.make("PROCESS_NOT_ALLOWED", `step ${step.name} declares insecure-process: true`);
  }
  return insecureProcessWorker({ stateDirectory: sandboxDirectory(factory), asked: true });
}

/** Closes the record of a run that an exception ended. */
async function abandon(run: OpenRun, error: unknown): Promise<void> {
  const refused = isFactoryError(error) && error.nature === "refused";
  await run.finish(refused ? "refused" : "failed", {}).catch(() => undefined);
}

function overall(statuses: readonly StepStatus[]): Exclude<StepStatus, "skipped"> {
  for (const status of ["cancelled", "refused", "failed"] as const) if (statuses.includes(status)) return status;
  return "succeeded";
}

/** One line about a finished step. */
function summaryOf(report: StepReport): string {
  if (report.error !== undefined) return `${report.error.code}: ${report.error.message}`;
  const observed =
    report.observation === undefined ? "" : `observed ${report.observation.complete ? "completely" : "INCOMPLETELY"}`;
  if (report.status === "succeeded") return observed;
  return report.outcome === "failed" ? `exit ${report.exitCode}, ${observed}` : `${report.outcome}, ${observed}`;
}
