import type { Layout, Policy } from "@touchmark/formats/policy";
import { type Decision, type DecisionInput, decide, type InspectionResult, pinned } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { type EvidenceHere, evidenceHere } from "../policy/index.ts";
import type { InspectionRun, Inspector } from "./inspector.ts";

/** An artifact that is to follow a layout of ours. */
export interface OwnLayoutQuestion {
  readonly layout: Layout;
  readonly artifact: Required<DecisionInput["subject"]>;
  /** Values of `params.NAME`: texts. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly now: Date;
  readonly inspector: Inspector;
}

/** What came of it. */
export interface OwnLayoutVerdict {
  readonly decision: Decision;
  readonly inspections: readonly InspectionRun[];
}

/**
 * Decides by one layout alone, over the evidence of this factory's store. Its inspections run when everything else
 * holds; rules of steps, inspections and subjects are those of the engine.
 */
export async function verifyOwnLayout(factory: Factory, question: OwnLayoutQuestion): Promise<OwnLayoutVerdict> {
  const { layout, inspector } = question;
  const evidence = await evidenceHere(factory, question.artifact.digest);
  const { inspections: wanted = [], ...withoutInspections } = layout;
  const before = decide(inputOf(factory, question, withoutInspections, evidence));
  if (before.result === "deny" || wanted.length === 0) {
    // What is shown is a decision by the layout itself.
    return { decision: decide(inputOf(factory, question, layout, evidence)), inspections: [] };
  }
  const inspections: InspectionRun[] = [];
  const results = new Map<string, InspectionResult>();
  for (const { name, command } of wanted) {
    const done = await inspector.run(name, command);
    inspections.push(done);
    results.set(name, done);
    if (done.exitCode !== 0) break;
  }
  return { decision: decide({ ...inputOf(factory, question, layout, evidence), inspections: results }), inspections };
}

/** A policy that demands the layout, and nothing else. */
function inputOf(
  factory: Factory,
  { artifact, now, parameters }: OwnLayoutQuestion,
  layout: Layout,
  { statements, chains, refused }: EvidenceHere,
): DecisionInput {
  const inForce = pinned(layout);
  const policy: Policy = {
    touchmark: "policy/v1",
    ...{ name: layout.name, version: layout.version, expires: layout.expires },
    point: "deploy",
    layout: inForce.digest,
    parameters: Object.fromEntries([...parameters.keys()].map((name) => [name, { type: "string" }] as const)),
  };
  return {
    ...{ point: "deploy", subject: artifact, request: {}, now, issuer: factory.names().issuer },
    parameters: Object.fromEntries(parameters),
    ...{ policies: [pinned(policy)], layouts: [inForce], evidence: statements, chains, refused },
  };
}
