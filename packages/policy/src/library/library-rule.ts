import type { DecisionPoint, PolicyRule } from "@touchmark/formats/policy";

/** A rule of the built-in library. */
export interface LibraryRule extends PolicyRule {
  readonly expression: string;
  readonly severity: "critical" | "high" | "medium" | "low";
  readonly message: string;
  readonly solution: string;
  readonly collections: readonly string[];
  readonly practices: readonly string[];
  /** Points at which it can be judged. A policy takes only the rules of its own point. */
  readonly points: readonly DecisionPoint[];
  /** What it looks at, why, and what it cannot see: for the page of the library. */
  readonly documentation: string;
  /** Parameters that it reads, with what counts when a policy gives none. */
  readonly parameters?: readonly LibraryParameter[];
  /** Names in the policy's `attestations` that it reads, with the predicate type that each must have. */
  readonly attestations?: { readonly [name: string]: string };
}

/** A parameter of a rule of the library. */
export interface LibraryParameter {
  readonly name: string;
  readonly type: "string" | "int" | "bool" | "duration" | "list" | "map";
  readonly description: string;
  /** The value that counts without one, as JSON, which is CEL as well; absent: the rule denies. */
  readonly otherwise?: string;
}
