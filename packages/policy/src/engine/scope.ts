import type { Digest } from "@touchmark/core";
import type { Layout, WantedAttestation } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { DecisionSubject, InspectionResult, Pinned } from "../decision.ts";
import type { LayoutJudgement, LayoutSource } from "../layout/judgement.ts";
import type { Budget } from "./budget.ts";
import { digestOf, type Evidence, isAbout } from "./evidence.ts";

/** A chain as rules and wanted attestations see it, whichever door it came through. */
export interface ChainView {
  readonly facts: CelInput;
  /** What it leads to. */
  readonly artifact: Digest;
  readonly source: LayoutSource | undefined;
  /** True for a bundle of the chain. */
  has(bundle: Digest): boolean;
}

/** What all policies of one decision are judged over, with the chain that is tried. */
export interface Scope {
  readonly subject: DecisionSubject;
  readonly request: { readonly [name: string]: CelInput | undefined };
  readonly parameters: { readonly [name: string]: CelInput };
  readonly evidence: readonly Evidence[];
  readonly chain: ChainView | undefined;
  readonly layouts: readonly Pinned<Layout>[];
  readonly inspections: ReadonlyMap<string, InspectionResult> | undefined;
  readonly now: Date;
  readonly issuer: string;
  readonly budget: Budget;
  /** What a test of policies says of every layout. */
  readonly statedLayout: LayoutJudgement | undefined;
}

/** True when a statement is about what a wanted attestation must be about. */
export function isAboutWanted(
  evidence: Evidence,
  about: NonNullable<WantedAttestation["about"]>,
  { subject, request, chain }: Scope,
): boolean {
  switch (about) {
    case "subject":
      return subject.digest !== undefined && isAbout(evidence, subject.digest);
    case "inputs":
      return inputsOf(request["inputs"]).some((digest) => isAbout(evidence, digest));
    case "source":
      return chain?.source !== undefined && isOfSource(evidence, chain.source);
    case "run":
      return chain?.has(evidence.bundle) === true;
  }
}

/** Digests that the gate names: a list of them, or of objects with a member `digest`. */
function inputsOf(inputs: CelInput | undefined): readonly string[] {
  if (!Array.isArray(inputs)) return [];
  return (inputs as readonly CelInput[]).flatMap((each) => {
    const digest = isRecord(each) ? each["digest"] : each;
    return typeof digest === "string" ? [digest] : [];
  });
}

function isRecord(value: CelInput): value is { readonly [name: string]: CelInput | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "digest");
}

function isOfSource(evidence: Evidence, source: LayoutSource): boolean {
  return evidence.subject.some(
    (subject) => digestOf(subject) === source.tree || subject.digest["gitCommit"] === source.revision,
  );
}
