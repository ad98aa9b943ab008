import type { Digest } from "@touchmark/core";
import type { Selector } from "@touchmark/formats/predicates";
import { predicateType } from "@touchmark/formats/predicates";
import { builderId, stepId } from "@touchmark/identity";
import type { ImageFacts, StepFacts } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { Draft, EvidenceRecorder } from "../evidence/recorder.ts";
import { chainOf, type RunFacts } from "../evidence/run-facts.ts";
import type { ResolvedInput } from "../execute-step.ts";
import type { Factory } from "../factory.ts";
import type { RunImages } from "../images/run-images.ts";
import type { RunMaterials } from "../materials/run-materials.ts";
import type { Plan, PlannedStep } from "../plan.ts";
import type { PoliciesInForce } from "../policy/index.ts";
import { askGate, type GateAnswer, type GateQuestion } from "./ask-gate.ts";
import { decisionNames } from "./decision-names.ts";
import { dependencyGate } from "./dependency-gate.ts";
import { relyOn } from "./earlier-decision.ts";
import { gateErrors } from "./errors.ts";
import { pipelineSigners } from "./pipeline-signers.ts";
import { imageFacts, requestFacts } from "./request-facts.ts";
import { type RunEvidence, runEvidence } from "./run-evidence.ts";

/** What a gate of a run answered: a statement to sign with the next ones, or a refusal that is signed already. */
export interface PassedGate {
  readonly draft: Draft;
  /** The passed check, as a fact about who goes on: it names the decision. */
  readonly label: Selector;
}

/** What a step is about to be. */
export interface StepQuestion {
  readonly step: PlannedStep;
  readonly inputs: readonly ResolvedInput[];
  /** Strength of the sandbox that it would run, or once ran, in. */
  readonly tier: string;
}

/** The gates of one run. Each asks the same decision function, by policies that were read once. */
export interface RunGates {
  readonly evidence: RunEvidence;
  readonly policies: PoliciesInForce;
  /** May this caller start this pipeline so. @throws GATE_REFUSED, once the refusal is signed */
  request(images: RunImages | undefined): Promise<PassedGate>;
  /** May this step start so. @throws GATE_REFUSED | GATE_DECISION_… */
  step(question: StepQuestion, images: RunImages | undefined): Promise<PassedGate>;
  /** Asks about each package that a fetch step brings, and answers with one statement about all of them. */
  dependencies(step: string): RunDependencyGate;
  /** Whether an identity may have a key: that of a step, when its gate let it in. @throws GATE_LABEL_MISSING */
  assertAdmitted(spiffeId: string): void;
  /** Any other question of the run. @throws GATE_REFUSED */
  ask<Point extends "dependency" | "publish">(name: string, question: RunQuestion<Point>): Promise<PassedGate>;
}

/** The dependency gate of one step of a run. */
export interface RunDependencyGate {
  over(materials: RunMaterials): RunMaterials;
  /** To sign with the step's own statements; empty where nothing came in. */
  drafts(output: Digest | undefined): readonly Draft[];
}

/** A question whose decider and place in the chain are the run's. */
export type RunQuestion<Point extends "request" | "dependency" | "step" | "publish"> = Omit<
  GateQuestion<Point>,
  "verifier" | "chain" | "now"
> & { readonly predecessors: readonly { readonly name: string; readonly digest: Digest }[] };

/** What the gates of a run are made of. */
export interface RunGateParts {
  readonly factory: Factory;
  readonly facts: RunFacts;
  readonly plan: Plan;
  readonly recorder: EvidenceRecorder;
  readonly policies: PoliciesInForce;
}

/** Opens the gates of a run. */
export function runGates(parts: RunGateParts): RunGates {
  const { factory, facts, plan, recorder, policies } = parts;
  const builder = builderId(facts.trustDomain);
  const evidence = runEvidence(factory, recorder);
  const asked = new Map<string, Digest>();
  const labels = new Map<string, Selector>();
  const fetched = new Set<string>();

  const ask = async <Point extends "request" | "dependency" | "step" | "publish">(
    name: string,
    { predecessors, ...question }: RunQuestion<Point>,
  ): Promise<PassedGate> => {
    const answer: GateAnswer = askGate(factory, policies, {
      ...question,
      verifier: builder,
      chain: chainOf(facts, predecessors),
      now: facts.now(),
    });
    const draft: Draft = { name, spiffeId: builder, statement: answer.statement };
    if (answer.refusal !== undefined) {
      await recorder.record([draft]);
      throw answer.refusal;
    }
    asked.set(name, answer.decided.decision.inputs.request);
    return { draft, label: { type: `gate-${question.point}`, value: answer.decided.digest, label: "gate" } };
  };

  /** The decision on the request, verified from its bundle: read once, and checked against the time at each use. */
  const relyOnRequest = async (): Promise<void> => {
    const statement = await evidence.named(decisionNames.request);
    relyOn(statement, {
      ...{ point: "request", what: `${facts.project}/${facts.pipeline}`, deciders: [builder], now: facts.now() },
      ...{ run: facts.run, request: asked.get(decisionNames.request) ?? "sha256:" },
    });
  };

  /** What came into an earlier step passed, each package of it. */
  const relyOnDependencies = async (from: string): Promise<void> => {
    const statement = await evidence.named(decisionNames.dependencies(from));
    const what = `${facts.project}/${facts.pipeline}/${from}`;
    relyOn(statement, { point: "dependency", what, deciders: [builder], now: facts.now(), run: facts.run });
  };

  const dependencies = (step: string): RunDependencyGate => {
    const gate = dependencyGate(parts, step);
    return {
      over: gate.over,
      drafts(output) {
        const draft = gate.statement(
          {
            verifier: builder,
            version: facts.version,
            resourceUri: `touchmark:project/${facts.project}/pipeline/${facts.pipeline}/step/${step}`,
            levels: ["TOUCHMARK_DEPENDENCIES_ADMITTED"],
            chain: chainOf(facts, recorder.predecessors("trigger", "source", decisionNames.request)),
          },
          output,
        );
        if (draft !== undefined) fetched.add(step);
        return draft === undefined ? [] : [draft];
      },
    };
  };

  return {
    evidence,
    policies,
    ask,
    dependencies,
    request: async (images) =>
      ask(decisionNames.request, {
        point: "request",
        subject: { name: `${facts.project}/${facts.pipeline}` },
        facts: requestFacts(facts, plan, images, await pipelineSigners(factory, facts, policies)),
        evidence: [],
        resourceUri: `touchmark:project/${facts.project}/pipeline/${facts.pipeline}`,
        levels: ["TOUCHMARK_REQUEST_ADMITTED"],
        predecessors: recorder.predecessors("trigger"),
      }),
    async step({ step, inputs, tier }, images) {
      await relyOnRequest();
      for (const from of step.after) if (fetched.has(from)) await relyOnDependencies(from);
      const before = await previousEvidence(evidence, step);
      const passed = await ask(decisionNames.step(step.name), {
        point: "step",
        subject: { name: `${facts.project}/${facts.pipeline}/${step.name}` },
        facts: stepFacts(facts, step, inputs, before, tier, imageOf(images, step)),
        evidence: [...before.values()],
        resourceUri: `touchmark:project/${facts.project}/pipeline/${facts.pipeline}/step/${step.name}`,
        levels: ["TOUCHMARK_STEP_ADMITTED"],
        predecessors: recorder.predecessors("trigger", "source", decisionNames.request),
      });
      labels.set(stepId(facts.trustDomain, facts.project, facts.pipeline, step.name), passed.label);
      return passed;
    },
    assertAdmitted(spiffeId) {
      if (!spiffeId.includes("/step/") || labels.has(spiffeId)) return;
      throw gateErrors.make("GATE_LABEL_MISSING", `${spiffeId} may have no key: no gate let the step in`);
    },
  };
}

/** Statements that name the inputs of a step: of the source, and the links of the steps before it. */
async function previousEvidence(
  evidence: RunEvidence,
  { definition }: PlannedStep,
): Promise<ReadonlyMap<string, VerifiedStatement>> {
  const found = new Map<string, VerifiedStatement>();
  for (const { from } of definition.inputs) {
    const statement = await evidence.named(from === "source" ? "source" : `step/${from}/link`);
    if (statement !== undefined) found.set(from, statement);
  }
  return found;
}

function imageOf(images: RunImages | undefined, { name }: PlannedStep): ImageFacts | undefined {
  const admitted = images?.admitted.find(({ wanted }) => wanted.use === "step" && wanted.users.includes(name));
  return admitted === undefined ? undefined : imageFacts(admitted);
}

function stepFacts(
  facts: RunFacts,
  { name, definition }: PlannedStep,
  inputs: readonly ResolvedInput[],
  before: ReadonlyMap<string, VerifiedStatement>,
  tier: string,
  image: ImageFacts | undefined,
): StepFacts {
  const fetched = definition.network === "fetch" ? "proxy" : "none";
  return {
    run: facts.run,
    project: facts.project,
    pipeline: facts.pipeline,
    step: name,
    command: definition.command,
    network: definition.insecureProcess ? "open" : fetched,
    tier: definition.insecureProcess ? "process" : tier,
    ...(image === undefined ? {} : { image }),
    inputs: inputs.map(({ from, tree, access }) => ({
      ...{ from, digest: tree, access },
      verified: names(before.get(from), from, tree),
    })),
    secrets: [],
    insecureOptions: [...facts.request.insecureOptions],
  };
}

/** True when the statement of who made an input names this very tree. */
function names(statement: VerifiedStatement | undefined, from: string, tree: Digest): boolean {
  const kind = from === "source" ? "source" : "link";
  return (
    statement?.statement.predicateType === predicateType(kind) &&
    statement.statement.subject.some(
      ({ name, digest }) => `sha256:${digest["sha256"]}` === tree && (from === "source" || name === `output/${from}`),
    )
  );
}
