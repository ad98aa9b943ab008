import { join } from "node:path";
import { type Digest, isFactoryError } from "@touchmark/core";
import type { PipelineFile } from "@touchmark/formats/pipeline";
import type { TriggerRequest } from "@touchmark/formats/predicates";
import { straceObserver } from "@touchmark/observer";
import type { SourceRecord } from "@touchmark/source";
import { type OpenRun, openIndex, type RunRecord } from "@touchmark/store";
import { readTrustRoot } from "@touchmark/verify";
import { chosenWorker, insecureProcessWorker, reclaim, type SandboxBackend, type Worker } from "@touchmark/worker";
import { lazyAdvisories } from "./analysis/lazy-advisories.ts";
import { loadWhileRunning } from "./analysis/load-while-running.ts";
import { clientEnvironment } from "./client-environment.ts";
import { pipelineErrors } from "./errors.ts";
import { EvidenceRecorder } from "./evidence/recorder.ts";
import type { RunFacts } from "./evidence/run-facts.ts";
import type { Factory } from "./factory.ts";
import { sandboxDirectory } from "./factory.ts";
import { finishRun, type ReleasedArtifact } from "./finish-run.ts";
import { type LoadedGates, loadGates } from "./gates/load-gates.ts";
import { hostFiles } from "./host-files.ts";
import type { Publication } from "./images/publish-artifact.ts";
import { admitImages, publishReleased } from "./images/run-parts.ts";
import { lazyMaterials } from "./materials/lazy-materials.ts";
import { learnNames } from "./materials/learn-names.ts";
import type { RunMaterials } from "./materials/run-materials.ts";
import { makePlan, type Plan, type PlannedStep } from "./plan.ts";
import type { PolicyFile } from "./policy/policies-in-force.ts";
import type { RunListener, StepStatus } from "./progress.ts";
import { recordProject } from "./project-record.ts";
import { type RunSession, recordSteps, type StepError, type StepReport } from "./run-session.ts";
import { errorFacts, type FoundStep, findStep, refusedReport, runStep } from "./run-step.ts";
import { type SandboxProfile, sandboxProfile } from "./sandbox-profile.ts";
import { schedule } from "./schedule.ts";
import { signRequest } from "./sign-request.ts";
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
  /** Fetch steps are answered by the mirror alone, and nothing else asks the network. */
  readonly offline?: boolean;
  /** False for a change from outside: its steps get no secret. Default true: whoever runs the command is trusted. */
  readonly trusted?: boolean;
  readonly insecureWorkingTree?: boolean;
  readonly insecureProcess?: boolean;
  /** What makes the sandboxes. Default: the first that works here. */
  readonly worker?: SandboxBackend;
  /** Allows steps to take images that nobody vouches for, where they say so. */
  readonly insecureImage?: boolean;
  /** Policies that decide in place of those of the home. */
  readonly policies?: readonly PolicyFile[];
  /** Shape of the bundles: `v1` is the compatibility profile for older verifiers. Default `v2`. */
  readonly bundleProfile?: "v1" | "v2";
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
  /** What is in registries now; a publication that failed is the error. */
  readonly published: readonly Publication[];
  /** Why every step succeeded and nothing was released, or not everything published; or why no step began. */
  readonly error?: StepError;
  /** Signed statements that the run rests on. */
  readonly evidence: number;
  readonly durationMs: number;
}

/**
 * Runs a pipeline on a revision: source, steps, evidence, artifacts. A failed command is a result, not an error, and so
 * is an artifact that is not what was declared.
 */
export async function runPipeline(factory: Factory, request: RunRequest): Promise<RunOutcome> {
  const begun = performance.now();
  const startedAt = factory.clock.now();
  const backend = request.worker;
  const worker = chosenWorker({
    stateDirectory: sandboxDirectory(factory),
    ...(backend === undefined ? {} : { backend }),
  });
  const sandbox = sandboxProfile(factory, worker, backend);
  const closing: { close?(): Promise<void> }[] = [worker];
  try {
    // Where steps will run for certain, the sandbox is tried while the source is fetched.
    const needed = !request.cache || !sandbox.isRemembered;
    if (needed && process.platform === "linux") void sandbox.ready().catch(() => undefined);
    // What killed runs left: private views, pipes, control groups.
    const reclaimed = reclaim(sandboxDirectory(factory)).catch(() => 0);
    const policies = loadGates(factory, request.policies);
    // Awaited once the source is there: until then nobody listens.
    policies.catch(() => undefined);
    const { source, file } = await takeSource(factory, request, begun);
    await reclaimed;
    const plan = makePlan(file, request.pipeline, request.parameters ?? {});
    const unsealed = unsealedWorker(factory, request, plan);
    if (unsealed !== undefined) closing.push(unsealed);
    if (needed && plan.steps.some(({ definition }) => !definition.insecureProcess)) await sandbox.ready();
    const advisories = lazyAdvisories(factory);
    const materials = lazyMaterials(factory, request, file, advisories.open);
    closing.push(materials, advisories);
    const opening = {
      ...{ source, file, plan, sandbox, unsealed, startedAt },
      ...{ materials: materials.open, advisories: advisories.open, policies },
    };
    const session = await openSession(factory, request, opening);
    try {
      return await performRun(session, request, begun);
    } catch (error) {
      await abandon(session.run, error);
      throw error;
    } finally {
      await session.images?.close();
    }
  } finally {
    for (const each of closing) await each.close?.();
  }
}

interface Opening {
  readonly policies: Promise<LoadedGates>;
  readonly advisories: RunSession["advisories"];
  readonly materials: () => Promise<RunMaterials>;
  readonly source: SourceRecord;
  readonly file: PipelineFile;
  readonly plan: Plan;
  readonly sandbox: SandboxProfile;
  readonly unsealed: Worker | undefined;
  readonly startedAt: Date;
}

/** Begins the run's record, and gathers what its parts share. */
async function openSession(factory: Factory, request: RunRequest, opening: Opening): Promise<RunSession> {
  const { source, file, plan, sandbox, unsealed, startedAt, materials, advisories } = opening;
  const identity = await factory.identity();
  const { runGates, policies } = await opening.policies;
  const triggered: TriggerRequest = {
    source: { uri: source.uri, revision: request.revision ?? "HEAD" },
    pipeline: { file: PIPELINE_FILE, name: plan.pipeline.name },
    parameters: { ...plan.parameters },
    insecureOptions: [
      ...(request.insecureWorkingTree === true ? ["insecure-working-tree"] : []),
      ...(request.insecureProcess === true ? ["insecure-process"] : []),
      ...(request.insecureImage === true ? ["insecure-image"] : []),
    ],
    cache: request.cache,
    jobs: request.jobs,
    ...(request.trusted === false ? { trusted: false } : {}),
  };
  const { uri, revision, commit, tree, treeDigest, committedAt } = source;
  const run = await factory.runs.create({
    project: file.project,
    pipeline: plan.pipeline.name,
    details: {
      source: { uri, revision, commit, tree, treeDigest, committedAt: committedAt.toISOString() },
      pipelineFile: file.digest,
      request: JSON.parse(JSON.stringify(triggered)),
    },
  });
  try {
    await recordProject(factory, file.project, uri, plan.pipeline.name);
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
    const recorder = new EvidenceRecorder(identity, await factory.log(), factory.content, request.bundleProfile);
    const gates = runGates({ factory, facts, plan, recorder, policies });
    recorder.grantBy(gates.assertAdmitted);
    return {
      factory,
      identity,
      issuedBefore: identity.issuances().length,
      trustRoot: readTrustRoot(await factory.trustRoot()),
      plan,
      facts,
      run,
      recorder,
      gates,
      ready: sandbox.ready,
      ...(unsealed === undefined ? {} : { unsealed }),
      observe: (traceDirectory) =>
        straceObserver({ traceDirectory, digestCache: join(factory.home.paths.cache, "host-digests") }),
      hostFiles: hostFiles(),
      profile: sandbox.digest,
      clientEnvironment: clientEnvironment(request.environment),
      materials,
      advisories,
      used: new Map(),
      useCache: request.cache,
      signal: request.signal,
      listener: request.listener,
      trees: new Map([["source", treeDigest]]),
      outcomes: new Map(),
      reports: new Map(),
    };
  } catch (error) {
    await abandon(run, error);
    throw error;
  }
}

async function performRun(session: RunSession, request: RunRequest, begun: number): Promise<RunOutcome> {
  const { facts, recorder, plan, listener, run } = session;
  listener({ type: "run-started", run: run.id, pipeline: facts.pipeline, steps: plan.steps.map((step) => step.name) });
  let error = (await signRequest(session)) ?? (await admitImages(session, request));
  if (error === undefined) {
    await takeCached(session);
    loadWhileRunning(session);
    await performSteps(session, request.jobs);
  }
  let status = error === undefined ? overall([...session.reports.values()].map((report) => report.status)) : "refused";
  let artifacts: readonly ReleasedArtifact[] = [];
  if (status === "succeeded") {
    try {
      artifacts = await finishRun(session);
      await learnNames(session);
    } catch (thrown) {
      if (!isFactoryError(thrown) || thrown.nature !== "refused") throw thrown;
      status = "refused";
      error = errorFacts(thrown);
    }
  }
  await recorder.settle();
  await recordSteps(session, new Set());
  const record = await run.finish(status, {
    artifacts: artifacts.map(({ name, kind, digest, bytes, bundles, step, path, repository, content }) => ({
      name,
      kind,
      digest,
      size: bytes,
      bundles,
      details: {
        ...{ step, path },
        ...(repository === undefined ? {} : { repository }),
        ...(content === undefined ? {} : { content: [...content] }),
      },
    })),
    ...(error === undefined ? {} : { details: withError(run.record.details, error) }),
  });
  const index = await openIndex(session.factory.home);
  try {
    index.putRun(record);
  } finally {
    index.close();
  }
  const released = status === "succeeded" ? await publishReleased(session, request, record) : { published: [] };
  if ("error" in released) error = released.error;
  const durationMs = performance.now() - begun;
  listener({ type: "run-finished", status, durationMs });
  const { uri, revision, commit, treeDigest } = facts.source;
  return {
    run: run.id,
    status,
    source: { uri, revision, commit, treeDigest },
    pipeline: facts.pipeline,
    steps: plan.steps.flatMap((step) => session.reports.get(step.name) ?? []),
    artifacts,
    published: released.published,
    ...(error === undefined ? {} : { error }),
    evidence: recorder.bundles.length,
    durationMs,
  };
}

function withError(details: RunRecord["details"], error: StepError): RunRecord["details"] {
  return { ...(details as Readonly<Record<string, unknown>>), error: { ...error } };
}

/** Finds every step that the cache answers, as far as the answers reach, and signs them together. */
async function takeCached(session: RunSession): Promise<void> {
  const found: FoundStep[] = [];
  for (const step of session.plan.steps) {
    if (session.signal.aborted) break;
    if (!step.after.every((name) => session.trees.has(name))) continue;
    try {
      const one = await findStep(session, step);
      if (one === undefined) continue;
      session.trees.set(step.name, one.hit.output);
      found.push(one);
    } catch (error) {
      if (!isFactoryError(error) || error.nature === "bug") throw error;
      announce(session, step);
      conclude(session, refusedReport(step, error, 0));
    }
  }
  if (found.length === 0) return;
  const { useCached } = await import("./use-cached.ts");
  for (const report of await useCached(session, found)) {
    announce(session, found.find(({ step }) => step.name === report.name)?.step);
    conclude(session, report);
  }
}

/** Performs what is left to do; steps that never started are reported as skipped or cancelled. */
async function performSteps(session: RunSession, jobs: number): Promise<void> {
  const { plan, reports } = session;
  const running = new Set<string>();
  const succeeded = (name: string) => reports.get(name)?.status === "succeeded";
  const tasks = plan.steps
    .filter((step) => !reports.has(step.name))
    .map(({ name, after }) => ({ name, after: after.filter((other) => !succeeded(other)) }));
  const byName = new Map(plan.steps.map((step) => [step.name, step]));
  const left = await schedule(tasks, jobs, session.signal, async ({ name }) => {
    const step = byName.get(name);
    if (step === undefined) throw new TypeError(`no step ${name}`);
    running.add(name);
    announce(session, step);
    await recordSteps(session, running);
    const report = await runStep(session, step);
    running.delete(name);
    conclude(session, report);
    await recordSteps(session, running);
    return report.status === "succeeded" ? "done" : "stopped";
  });
  for (const name of left) {
    const status = session.signal.aborted ? "cancelled" : "skipped";
    const network = byName.get(name)?.definition.network ?? "none";
    conclude(session, { name, status, cached: false, durationMs: 0, exitCode: null, network, bundles: [] });
  }
}

function announce({ listener }: RunSession, step: PlannedStep | undefined): void {
  if (step === undefined) return;
  const { network, insecureProcess } = step.definition;
  listener({ type: "step-started", step: step.name, network, unsealed: insecureProcess });
}

function conclude({ reports, listener }: RunSession, report: StepReport): void {
  const { name, status, cached, durationMs } = report;
  reports.set(name, report);
  listener({ type: "step-finished", step: name, status, cached, durationMs, summary: summaryOf(report) });
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
  if (report.status === "skipped" || (report.status === "cancelled" && report.outcome === undefined)) return "";
  if (report.error !== undefined) return `${report.error.code}: ${report.error.message}`;
  const observed =
    report.observation === undefined ? "" : `observed ${report.observation.complete ? "completely" : "INCOMPLETELY"}`;
  if (report.status === "succeeded") return observed;
  return report.outcome === "failed" ? `exit ${report.exitCode}, ${observed}` : `${report.outcome}, ${observed}`;
}
