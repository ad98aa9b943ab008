import type { Digest } from "@touchmark/core";
import type { CallerFacts, Decision } from "@touchmark/policy";

/** Facts of a question that rules see as `request`. */
export interface AdmissionFacts {
  readonly [name: string]: string | boolean | null | readonly string[] | CallerFacts;
  /** Who asks; absent where nobody is known. */
  readonly caller?: CallerFacts;
}

/** What is asked beside the references. */
export interface AdmissionContext {
  /** Where the workload shall run; chooses policies and the tenant's trust. Undefined: cluster-wide, or no cluster. */
  readonly namespace?: string;
  /** Milliseconds from now within which every verdict is there: what is not decided by then is denied with `timeout`. */
  readonly withinMs: number;
  /** True: nothing is recorded as admitted, no break-glass is used up. */
  readonly dryRun: boolean;
  /** Who asks for what: `caller`, `user`, `groups`, `operation`, `kind`, `name`, `environment` …, by the gate that asks. */
  readonly facts: AdmissionFacts;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** Why there is a denial without a decision: nothing could be asked of the policies. */
export interface AdmissionFailure {
  /** `timeout` | `reference` (cannot be one) | the code of what went wrong, for example the registry client's. */
  readonly code: string;
  readonly message: string;
}

/** A signed, expiring permission that let something pass which policies deny. Always shown. */
export interface UsedBreakGlass {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly expires: string;
}

/** What is said about one reference. */
export interface AdmissionVerdict {
  /** As it was asked. */
  readonly reference: string;
  /** What the reference stands for now; undefined where that could not be found out. */
  readonly digest?: Digest;
  readonly result: "allow" | "deny";
  /** One line: why it is denied; empty for an allowed one. */
  readonly message: string;
  /** What to tell the caller although it is allowed: policies in mode `warn`, pending rules, exceptions, break-glass. */
  readonly warnings: readonly string[];
  /** Decisions of the policies in force: one, or none when `failure` is there. */
  readonly decisions: readonly Decision[];
  readonly failure?: AdmissionFailure;
  readonly breakGlass?: UsedBreakGlass;
  /** For a person: the explanation tree without colours. */
  readonly explanation: string;
}

/** Decides about images and artifacts at deployment. Never throws on what is asked: each failure is a denial. */
export interface AdmissionGate {
  /** A verdict for each reference, in the order of asking; equal references share one. */
  admit(references: readonly string[], context: AdmissionContext): Promise<readonly AdmissionVerdict[]>;
}
