import { type Digest, type FactoryError, isFactoryError } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import type { Worker } from "@touchmark/worker";
import { materialsStatement } from "./evidence/materials-statement.ts";
import { signerIds } from "./evidence/run-statements.ts";
import { linkStatement, mountsStatement, traceStatement, workloadStatement } from "./evidence/step-statements.ts";
import { type ExecutedStep, executeStep, type ResolvedInput, resolveInputs } from "./execute-step.ts";
import { isDecision } from "./gates/decision-names.ts";
import type { PassedGate, RunDependencyGate } from "./gates/run-gates.ts";
import type { FetchNetwork } from "./materials/fetch-network.ts";
import { type FetchReport, fetchSummary, refusalOf } from "./materials/fetch-report.ts";
import { isOurs } from "./materials/provided-files.ts";
import { reconcileFetch } from "./materials/reconcile-run.ts";
import { noteUsed, unaccountedOf } from "./materials/used-files.ts";
import type { PlannedStep } from "./plan.ts";
import type { StepStatus } from "./progress.ts";
import { type RunSession, readersOf, type StepError, type StepReport } from "./run-session.ts";
import { unsealedProfile } from "./sandbox-profile.ts";
import { type CachedStep, recall, remember, stepKey } from "./step-cache.ts";
import { lastLines, shortObservation, touchedBy } from "./step-report.ts";

/** Runs one step of a run, or finds that it need not; signs what there is to sign. */
export async function runStep(session: RunSession, step: PlannedStep): Promise<StepReport> {
  const begun = performance.now();
  try {
    const found = await findStep(session, step);
    if (found !== undefined) {
      const { useCached } = await import("./use-cached.ts");
      const [report] = await useCached(session, [found]);
      if (report === undefined) throw new TypeError("a cached step has no report");
      return report;
    }
    const inputs = resolveInputs(step, session.trees);
    const epoch = epochOf(session);
    const { unsealed } = session;
    const bare = step.definition.insecureProcess && unsealed !== undefined;
    const worker = bare ? unsealed : await session.ready();
    const functionary = signerIds.step(session.facts, step.name);
    const profile = bare ? unsealedProfile : await session.profile();
    const image = session.images?.ofStep(step.name);
    if (image !== undefined) await session.images?.verify(image);
    const { tier } = await worker.probe();
    const passed = await session.gates.step({ step, inputs, tier: tier ?? "none" }, session.images);
    const key = stepKey(step, functionary, inputs, profile, epoch, image?.manifest);
    const dependencies = session.gates.dependencies(step.name);
    const executed = await execute(session, worker, step, inputs, epoch, dependencies);
    return await concludeStep(session, executed, { passed, dependencies }, key, begun);
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    return refusedReport(step, error, performance.now() - begun);
  }
}

/** The report of a step that our side ended. */
export function refusedReport(step: PlannedStep, error: FactoryError, durationMs: number): StepReport {
  const { name, definition } = step;
  const network = definition.network;
  return {
    name,
    network,
    cached: false,
    exitCode: null,
    bundles: [],
    status: "refused",
    durationMs,
    error: errorFacts(error),
  };
}

/** What a report keeps of an error. */
export function errorFacts(error: FactoryError): StepError {
  const { code, nature, message, hint } = error;
  return { code, nature, message, ...(hint === undefined ? {} : { hint }) };
}

/** A step that an earlier run performed, before this run's word on it is signed. */
export interface FoundStep {
  readonly step: PlannedStep;
  readonly key: Digest;
  readonly inputs: readonly ResolvedInput[];
  readonly hit: CachedStep;
  readonly lookupMs: number;
}

/** Looks a step up in the cache, when the caller and the step allow it. @throws CACHE_POISONED */
export async function findStep(session: RunSession, step: PlannedStep): Promise<FoundStep | undefined> {
  const begun = performance.now();
  if (!mayCache(step) || !session.useCache) return undefined;
  const inputs = resolveInputs(step, session.trees);
  const functionary = signerIds.step(session.facts, step.name);
  const image = session.images?.ofStep(step.name)?.manifest;
  const key = stepKey(step, functionary, inputs, await session.profile(), epochOf(session), image);
  const hit = await recall(cacheScope(session), step, key, inputs);
  return hit === undefined ? undefined : { step, key, inputs, hit, lookupMs: performance.now() - begun };
}

/**
 * What a step fetches is judged by the rules of today, each time; the mirror makes that quick. A step without a sandbox
 * has an open network.
 */
function mayCache(step: PlannedStep): boolean {
  const { cache, network, insecureProcess } = step.definition;
  return cache && network === "none" && !insecureProcess;
}

function epochOf(session: RunSession): number {
  return Math.floor(session.facts.source.committedAt.getTime() / 1000);
}

function cacheScope(session: RunSession) {
  const { factory, trustRoot, identity, facts, hostFiles } = session;
  return {
    factory,
    trustRoot,
    hostFiles,
    trustDomain: identity.trustDomain,
    issuer: identity.issuer,
    project: facts.project,
    pipeline: facts.pipeline,
  };
}

async function execute(
  session: RunSession,
  worker: Worker,
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  epoch: number,
  dependencies: RunDependencyGate,
): Promise<ExecutedStep> {
  const log = session.run.log(step.name);
  const image = session.images?.ofStep(step.name);
  // What a step prints arrives in a stream's callback, where an exception would end the process: a log that cannot be
  // written stops the step, and is reported by it.
  const lost = new AbortController();
  try {
    const executed = await executeStep(
      {
        run: session.run.id,
        clock: session.factory.clock,
        worker,
        observe: session.observe,
        trees: session.factory.trees,
        scratch: (prefix) => session.factory.home.scratch(prefix),
        sourceDateEpoch: epoch,
        fetchNetwork: async (fetching, resolved, scratch) => {
          const { openFetchNetwork } = await import("./materials/fetch-network.ts");
          const { lockfilesOfStep } = await import("./materials/lockfiles-of-step.ts");
          const lockfiles = lockfilesOfStep(fetching, resolved, (tree) => session.factory.trees.root(tree));
          const network = await openFetchNetwork(
            dependencies.over(await session.materials()),
            fetching,
            lockfiles,
            scratch,
          );
          return withProgress(session, fetching.name, network);
        },
        clientEnvironment: session.clientEnvironment,
        ...(image === undefined ? {} : { image }),
        signal: AbortSignal.any([session.signal, lost.signal]),
        onOutput: (chunk) => {
          if (lost.signal.aborted) return;
          try {
            log.write(chunk);
          } catch (error) {
            lost.abort(error);
          }
          session.listener({ type: "step-output", step: step.name, chunk });
        },
      },
      step,
      inputs,
    );
    if (lost.signal.aborted) throw lost.signal.reason;
    return executed;
  } finally {
    log.close();
  }
}

/** Tells the listener, a few times a second, how much has come in. */
function withProgress(session: RunSession, step: string, network: FetchNetwork): FetchNetwork {
  let last = "";
  const tell = (): void => {
    const progress = network.progress();
    const text = JSON.stringify(progress);
    if (text !== last) session.listener({ type: "materials", step, ...progress });
    last = text;
  };
  const timer = setInterval(tell, 250);
  return {
    ...network,
    close: async () => {
      clearInterval(timer);
      tell();
      return network.close();
    },
  };
}

/** Signs link, trace, workload and storage of a performed step, also of one whose command failed. */
async function concludeStep(
  session: RunSession,
  executed: ExecutedStep,
  { passed, dependencies }: { readonly passed: PassedGate; readonly dependencies: RunDependencyGate },
  key: Digest,
  begun: number,
): Promise<StepReport> {
  const { facts, recorder } = session;
  const { step, result, observation, fetched } = executed;
  const name = step.name;
  const logBytes = await session.factory.runs.readLog(session.run.id, name, {
    maxBytes: step.definition.limits.logBytes,
  });
  const { digest: logDigest } = await session.factory.content.put(logBytes);
  if (observation.log !== undefined) {
    await session.factory.content.put({ file: observation.log.path, move: true }, { expected: observation.log.digest });
  }
  const stepFacts = {
    executed,
    key,
    logDigest,
    logBytes: logBytes.length,
    predecessors: recorder.predecessors("trigger", "source", "node", "images", ...step.after.flatMap(linkNames)),
    sharedWith: readersOf(session, step),
    admitted: passed.label,
  };
  const signed = await recorder.record([
    {
      name: `step/${name}/workload`,
      spiffeId: signerIds.builder(facts),
      statement: workloadStatement(facts, stepFacts),
    },
    { name: `step/${name}/link`, spiffeId: signerIds.step(facts, name), statement: linkStatement(facts, stepFacts) },
    { name: `step/${name}/trace`, spiffeId: signerIds.step(facts, name), statement: traceStatement(facts, stepFacts) },
    { name: `step/${name}/mounts`, spiffeId: signerIds.builder(facts), statement: mountsStatement(facts, stepFacts) },
    passed.draft,
    ...dependencies.drafts(executed.output?.digest),
    ...(fetched === undefined
      ? []
      : [
          {
            name: `step/${name}/materials`,
            spiffeId: signerIds.builder(facts),
            statement: materialsStatement(facts, stepFacts.predecessors, name, executed.output?.digest, fetched),
          },
        ]),
  ]);
  const link = signed.find((bundle) => bundle.predicateType === predicateType("link"));
  const trace = signed.find((bundle) => bundle.predicateType === predicateType("runtime-trace"));
  const reconciled = fetched && (await reconcileFetch(fetched, executed.output?.entries ?? [], []));
  const composed =
    fetched === undefined || executed.output === undefined
      ? undefined
      : await compose(session, name, executed.output.digest, fetched);
  const refusal =
    (fetched && (refusalOf(fetched) ?? (reconciled?.refusal && errorFacts(reconciled.refusal)))) ??
    (composed && errorFacts(composed)) ??
    (await reportFault(session, step, executed.output?.digest));
  if (reconciled !== undefined) session.listener({ type: "reconciled", step: name, summary: reconciled.summary });
  const status = refusal === undefined ? statusOf(result.outcome) : "refused";
  const output = refusal === undefined ? executed.output?.digest : undefined;
  noteUsed(session.used, executed.inputs, name, observation.files.read);
  if (output !== undefined && link !== undefined && trace !== undefined) {
    session.trees.set(name, output);
    session.outcomes.set(name, {
      step,
      output,
      tier: result.evidence.tier,
      observer: observation.tier,
      complete: observation.complete,
      network: result.evidence.network,
      link: link.digest,
      trace: trace.digest,
      ...(fetched === undefined ? {} : { fetched }),
      made: executed.output?.entries ?? [],
      unaccounted: unaccountedOf(observation.files.read),
      files: observation.files.read.flatMap((file) =>
        executed.image === undefined &&
        file.origin === "toolchain" &&
        file.digest !== undefined &&
        !isOurs(file.path, fetched !== undefined)
          ? [{ path: file.path, digest: file.digest }]
          : [],
      ),
    });
    if (mayCache(step) && result.evidence.network === "none") {
      const bundles = signed.filter((bundle) => !isDecision(bundle));
      remember(session.factory, { key, run: session.run.id, output, bundles });
    }
  }
  return {
    name,
    status,
    cached: false,
    durationMs: performance.now() - begun,
    exitCode: result.exitCode,
    outcome: result.outcome,
    network: step.definition.network,
    isolation: result.evidence.tier,
    observation: shortObservation(observation),
    bundles: signed.map((bundle) => bundle.digest),
    ...(output === undefined ? {} : { output }),
    ...(refusal === undefined ? {} : { error: refusal }),
    ...(fetched === undefined ? {} : { materials: fetchSummary(fetched) }),
    ...(status === "succeeded" ? {} : { lastLines: lastLines(logBytes), touched: touchedBy(observation) }),
  };
}

/** Signs what the packages of a fetch step are known for, before any step may read them; why they are refused, if so. */
async function compose(
  session: RunSession,
  step: string,
  output: Digest,
  fetched: FetchReport,
): Promise<FactoryError | undefined> {
  const { composeFetch } = await import("./analysis/composition.ts");
  return composeFetch(session, step, output, fetched);
}

/** Why a step that declares reports is refused: one is missing, or is none. */
async function reportFault(
  session: RunSession,
  step: PlannedStep,
  output: Digest | undefined,
): Promise<StepError | undefined> {
  if (output === undefined || step.definition.reports.length === 0) return undefined;
  const { readReports } = await import("./analysis/step-reports.ts");
  try {
    await readReports(session.factory.trees, step, output);
    return undefined;
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    return errorFacts(error);
  }
}

const linkNames = (step: string): string[] => [`step/${step}/link`, `step/${step}/cache-hit`];

function statusOf(outcome: ExecutedStep["result"]["outcome"]): StepStatus {
  if (outcome === "succeeded") return "succeeded";
  return outcome === "cancelled" ? "cancelled" : "failed";
}
