import type { Digest } from "@touchmark/core";
import type { Decision, DecisionInput } from "@touchmark/policy";
import type { ChainExpectations } from "@touchmark/verify/chain";

/** A statement by which bytes it is, and how it is verified again: proof does not pass from thread to thread. */
export interface StatementRecipe {
  readonly bundle: Digest;
  readonly trustRoot: Digest;
  readonly identity: string;
  readonly issuer: string;
}

/** A chain by its statements, and how it is verified again. */
export interface ChainRecipe {
  readonly expectations: ChainExpectations;
  readonly statements: readonly StatementRecipe[];
}

/** The documents that decide: large, and the same for many questions. */
export type StandingDocuments = Pick<DecisionInput, "policies" | "layouts" | "set">;

/** A question to a thread. */
export interface EvaluationQuestion {
  readonly input: Omit<DecisionInput, "evidence" | "chains" | "limits" | keyof StandingDocuments>;
  /** Digest of the documents' canonical JSON. */
  readonly standing: Digest;
  /** The documents, for a thread that lacks something. */
  readonly documents?: StandingDocuments;
  readonly evidence: readonly StatementRecipe[];
  readonly chains: readonly ChainRecipe[];
  /** Bundles and trust roots that the thread said it lacks, by digest. */
  readonly content: ReadonlyMap<Digest, Uint8Array>;
}

/** What a thread answers: the decision, or what it needs for one. */
export type EvaluationAnswer =
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "missing"; readonly digests: readonly Digest[] };
