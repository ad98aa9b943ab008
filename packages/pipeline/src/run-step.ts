import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import { cacheHitStatement, signerIds } from "./evidence/run-statements.ts";
import { linkStatement, mountsStatement, traceStatement, workloadStatement } from "./evidence/step-statements.ts";
import { type ExecutedStep, executeStep, type ResolvedInput, resolveInputs } from "./execute-step.ts";
import type { PlannedStep } from "./plan.ts";
import type { StepStatus } from "./progress.ts";
import { type RunSession, readersOf, type StepReport } from "./run-session.ts";
import { type CachedStep, recall, remember, stepKey } from "./step-cache.ts";
import { lastLines, shortObservation, touchedBy } from "./step-report.ts";

/** Runs one step of a run, or finds that it need not; signs what there is to sign. */
export async function runStep(session: RunSession, step: PlannedStep): Promise<StepReport> {
  const begun = performance.now();
  const { definition } = step;
  const inputs = resolveInputs(step, session.trees);
  const epoch = Math.floor(session.facts.source.committedAt.getTime() / 1000);
  const key = stepKey(step, inputs, session.profile, epoch);
  const base = { name: step.name, network: definition.network, cached: false, exitCode: null, bundles: [] } as const;
  try {
    const hit = await recallIfAllowed(session, step, key, inputs);
    if (hit !== undefined) return await useCached(session, step, key, inputs, hit, begun);
    const executed = await execute(session, step, inputs, epoch);
    return await concludeStep(session, executed, key, begun);
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    const { code, message, hint } = error;
    return {
      ...base,
      status: "refused",
      durationMs: performance.now() - begun,
      error: { code, message, ...(hint === undefined ? {} : { hint }) },
    };
  }
}

async function recallIfAllowed(
  session: RunSession,
  step: PlannedStep,
  key: Digest,
  inputs: readonly ResolvedInput[],
): Promise<CachedStep | undefined> {
  // What came through an open network was not recorded: it may be something else next time.
  if (!session.useCache || !step.definition.cache || step.definition.network === "fetch") return undefined;
  return recall(cacheScope(session), step, key, inputs);
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
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  epoch: number,
): Promise<ExecutedStep> {
  const log = session.run.log(step.name);
  try {
    return await executeStep(
      {
        run: session.run.id,
        worker: (step.definition.insecureProcess ? session.unsealed : undefined) ?? session.worker,
        observe: session.observe,
        trees: session.factory.trees,
        scratch: (prefix) => session.factory.home.scratch(prefix),
        sourceDateEpoch: epoch,
        clientEnvironment: session.clientEnvironment,
        signal: session.signal,
        onOutput: (chunk) => {
          log.write(chunk);
          session.listener({ type: "step-output", step: step.name, chunk });
        },
      },
      step,
      inputs,
    );
  } finally {
    log.close();
  }
}

/** Signs link, trace, workload and storage of a performed step, also of one whose command failed. */
async function concludeStep(
  session: RunSession,
  executed: ExecutedStep,
  key: Digest,
  begun: number,
): Promise<StepReport> {
  const { facts, recorder } = session;
  const { step, result, observation } = executed;
  const name = step.name;
  const logBytes = await session.factory.runs.readLog(session.run.id, name, {
    maxBytes: step.definition.limits.logBytes,
  });
  const logDigest = sha256(logBytes);
  await session.factory.content.put(logBytes);
  if (observation.log !== undefined) {
    await session.factory.content.put({ file: observation.log.path, move: true }, { expected: observation.log.digest });
  }
  const stepFacts = {
    executed,
    key,
    logDigest,
    predecessors: recorder.predecessors("trigger", "source", "node", ...step.after.flatMap(linkNames)),
    sharedWith: readersOf(session, step),
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
  ]);
  const link = signed.find((bundle) => bundle.predicateType === predicateType("link"));
  const trace = signed.find((bundle) => bundle.predicateType === predicateType("runtime-trace"));
  const status = statusOf(result.outcome);
  const output = executed.output?.digest;
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
      files: observation.files.read.flatMap((file) =>
        file.origin === "toolchain" && file.digest !== undefined ? [{ path: file.path, digest: file.digest }] : [],
      ),
    });
    if (step.definition.cache && step.definition.network === "none") {
      remember(session.factory, { key, run: session.run.id, output, bundles: signed });
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
    ...(status === "succeeded" ? {} : { lastLines: lastLines(logBytes), touched: touchedBy(observation) }),
  };
}

async function useCached(
  session: RunSession,
  step: PlannedStep,
  key: Digest,
  inputs: readonly ResolvedInput[],
  hit: CachedStep,
  begun: number,
): Promise<StepReport> {
  const { facts, recorder } = session;
  recorder.adopt(hit.bundles);
  const predecessors = [
    ...recorder.predecessors("trigger", "source", "node", ...step.after.flatMap(linkNames)),
    { name: `step/${step.name}/link`, digest: hit.link },
  ];
  const [signed] = await recorder.record([
    {
      name: `step/${step.name}/cache-hit`,
      spiffeId: signerIds.builder(facts),
      statement: cacheHitStatement(facts, predecessors, {
        step: step.name,
        key,
        output: hit.output,
        materials: inputs.map((input) => ({ name: input.from, digest: input.tree })),
        original: {
          run: hit.run,
          functionary: hit.functionary,
          link: hit.link,
          bundles: hit.bundles.map((bundle) => bundle.digest),
        },
      }),
    },
  ]);
  session.trees.set(step.name, hit.output);
  session.outcomes.set(step.name, {
    step,
    output: hit.output,
    tier: hit.tier,
    observer: hit.observer,
    complete: hit.complete,
    network: "none",
    link: hit.link,
    trace: hit.trace,
    files: hit.files,
    ...(signed === undefined ? {} : { cached: signed.digest }),
  });
  return {
    name: step.name,
    status: "succeeded",
    cached: true,
    durationMs: performance.now() - begun,
    exitCode: 0,
    output: hit.output,
    network: step.definition.network,
    isolation: hit.tier,
    observation: { tier: hit.observer, complete: hit.complete, losses: [] },
    bundles: [...hit.bundles.map((bundle) => bundle.digest), ...(signed === undefined ? [] : [signed.digest])],
  };
}

const linkNames = (step: string): string[] => [`step/${step}/link`, `step/${step}/cache-hit`];

function statusOf(outcome: ExecutedStep["result"]["outcome"]): StepStatus {
  if (outcome === "succeeded") return "succeeded";
  return outcome === "cancelled" ? "cancelled" : "failed";
}
