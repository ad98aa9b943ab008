import type { Digest } from "@touchmark/core";
import type { DecisionPoint, Layout, Policy, PolicyMode, PolicySet } from "@touchmark/formats/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { SubExpressionValue } from "./cel/evaluation.ts";
import type { CelInput } from "./cel/value.ts";

/** A document with the digest of its bytes. */
export interface Pinned<Document> {
  readonly digest: Digest;
  readonly document: Document;
}

/** What is decided about. */
export interface DecisionSubject {
  /** `HOST/NAME:TAG`, a package URL, a step, a pipeline. */
  readonly name: string;
  /** Undefined where nothing has bytes yet: a request, a step that has not begun. */
  readonly digest?: Digest;
}

/** Everything that a decision depends on. The same input gives the same decision, byte for byte. */
export interface DecisionInput {
  readonly point: DecisionPoint;
  readonly subject: DecisionSubject;
  /** Facts of the question, by the gate that asks: caller, pipeline, image, environment, namespace, package. */
  readonly request: { readonly [name: string]: CelInput };
  readonly policies: readonly Pinned<Policy>[];
  readonly layouts: readonly Pinned<Layout>[];
  /** The set that pins the policies, when they come by one. */
  readonly set?: Pinned<PolicySet>;
  /** Only statements that `verifyBundle` minted. Exceptions and decisions of earlier points are among them. */
  readonly evidence: readonly VerifiedStatement[];
  /** Only chains that `verifyChain` minted. */
  readonly chains?: readonly VerifiedChain[];
  /** Evidence that was offered and did not verify: shown, never counted. */
  readonly refused?: ReadonlyMap<Digest, string>;
  /** Links of inspections that the caller ran, by name. */
  readonly inspections?: ReadonlyMap<string, InspectionResult>;
  /** Modules of rules in Rego, by digest. */
  readonly modules?: ReadonlyMap<Digest, Uint8Array>;
  readonly parameters: { readonly [name: string]: CelInput };
  readonly now: Date;
  /** Who vouched for identities where a functionary names no issuer. */
  readonly issuer: string;
  readonly limits?: Partial<DecisionLimits>;
}

/** What an inspection of a layout found. */
export interface InspectionResult {
  readonly exitCode: number;
  readonly materials: ReadonlyMap<string, Digest>;
  readonly products: ReadonlyMap<string, Digest>;
}

/** Bounds of one decision. */
export interface DecisionLimits {
  /** Cost of one expression. Default 1,000,000. */
  readonly expressionCost: number;
  /** Cost of all. Default 10,000,000. */
  readonly cost: number;
  /** Asked between expressions; true ends the decision with POLICY_TIMEOUT. */
  readonly isOver: () => boolean;
  /**
   * True where something outside ends an evaluation that takes too long or too much memory: a thread with a deadline.
   * Modules of Rego, whose steps nobody counts, are judged nowhere else. Default false.
   */
  readonly outside: boolean;
}

/** Why a policy denies, beside rules that failed. */
export type DenialCode =
  | "POLICY_NONE"
  | "POLICY_EMPTY"
  | "POLICY_EXPIRED"
  | "POLICY_SET_EXPIRED"
  | "POLICY_SET_INCOMPLETE"
  | "POLICY_SET_RENAMED"
  | "POLICY_SET_ROLLBACK"
  | "POLICY_SET_THRESHOLD"
  | "POLICY_NOT_IN_SET"
  | "POLICY_ENGINE_TOO_OLD"
  | "POLICY_CLOCK_WRONG"
  | "POLICY_COLLECTION_UNKNOWN"
  | "POLICY_RULE_AMBIGUOUS"
  | "POLICY_PARAMETER_MISSING"
  | "POLICY_PARAMETER_WRONG"
  | "POLICY_EVIDENCE_UNVERIFIED"
  | "POLICY_ATTESTATION_MISSING"
  | "POLICY_THRESHOLD"
  | "POLICY_LAYOUT_MISSING"
  | "POLICY_LAYOUT_EXPIRED"
  /** Its own rules contradict each other: a cycle, an unknown step, a functionary who is nobody. */
  | "POLICY_LAYOUT_INVALID"
  | "POLICY_STEP_NONE"
  | "POLICY_STEP_EVIDENCE_MISSING"
  | "POLICY_STEP_FUNCTIONARY"
  | "POLICY_EDGE_EMPTY"
  | "POLICY_ARTIFACT_RULE"
  | "POLICY_SUBJECT_MISMATCH"
  | "POLICY_INSPECTION_MISSING"
  | "POLICY_INSPECTION_FAILED"
  | "POLICY_RULE_FAILED"
  | "POLICY_RULE_SKIPPED"
  | "POLICY_EVALUATION_ERROR"
  /** A rule names a module of Rego that was not given, or whose bytes are others. */
  | "POLICY_MODULE_MISSING"
  | "POLICY_TIMEOUT"
  | "POLICY_COST";

/** One reason. */
export interface Denial {
  readonly code: DenialCode;
  readonly message: string;
  readonly solution?: string;
  readonly rule?: string;
  readonly step?: string;
}

/** One rule's result. */
export interface RuleResult {
  readonly id: string;
  readonly title: string;
  readonly severity: "critical" | "high" | "medium" | "low";
  /** `pending`: failed, and only effective later. `skipped`: a rule that it depends on did not pass. */
  readonly outcome: "passed" | "failed" | "excepted" | "pending" | "skipped" | "error";
  readonly message?: string;
  readonly solution?: string;
  /** Values of what failed; empty for a rule that passed. */
  readonly values: readonly SubExpressionValue[];
  readonly effectiveOn?: string;
  readonly exception?: {
    readonly id: string;
    readonly statement: Digest;
    readonly reason: string;
    readonly expires: string;
  };
  readonly practices: readonly string[];
  readonly cost: number;
}

/** A statement that was looked at for a wanted attestation. */
export interface ConsideredAttestation {
  /** Name in the policy's `attestations`. */
  readonly wanted: string;
  readonly statement: Digest;
  readonly predicateType: string;
  readonly signer: string;
  /** Functionary whose signature it is; absent where it was not counted. */
  readonly functionary?: string;
  /** Why it was not counted. */
  readonly notCounted?: string;
}

/** What one policy says. Verdicts of policies are never merged. */
export interface PolicyVerdict {
  readonly policy: {
    readonly name: string;
    readonly version: number;
    readonly digest: Digest;
    readonly mode: PolicyMode;
  };
  readonly verdict: "allow" | "deny";
  readonly denials: readonly Denial[];
  readonly rules: readonly RuleResult[];
  readonly attestations: readonly ConsideredAttestation[];
  /** What a layout noticed and does not refuse: another command than expected, a rule that matched nothing. */
  readonly warnings?: readonly string[];
  /** Whole days until the policy, its layout, or an exception that was used expires: the nearest. */
  readonly expiresInDays: number;
}

/** The decision, as data; canonical JSON of it is what is signed. */
export interface Decision {
  readonly touchmark: "decision/v1";
  readonly point: DecisionPoint;
  readonly subject: DecisionSubject;
  /** `deny` when no policy speaks, or one in mode `enforce` denies. */
  readonly result: "allow" | "deny";
  readonly at: string;
  /** POLICY_NONE and what else is of no single policy. */
  readonly denials: readonly Denial[];
  readonly verdicts: readonly PolicyVerdict[];
  /** What the decision rests on: to repeat it. */
  readonly inputs: {
    readonly policies: readonly Digest[];
    readonly layouts: readonly Digest[];
    readonly set?: Digest;
    readonly evidence: readonly Digest[];
    readonly refused: readonly { readonly bundle: Digest; readonly code: string }[];
    readonly request: Digest;
    readonly parameters: Digest;
    readonly trustRoots: readonly Digest[];
    /** Digests of the facts of verified chains; absent where there were none. */
    readonly chains?: readonly Digest[];
    /** Digest of what inspections found; absent where there were none. */
    readonly inspections?: Digest;
    /** Digests of the modules of Rego that were given; absent where there were none. */
    readonly modules?: readonly Digest[];
    readonly issuer?: string;
  };
  readonly cost: number;
  /** The evidence was stated by a test and verified by nobody: never signed, never acted on. */
  readonly stated?: true;
}
