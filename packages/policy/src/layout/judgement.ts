import type { Digest } from "@touchmark/core";
import type { Layout, PolicyRule } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { Denial, InspectionResult, RuleResult } from "../decision.ts";
import type { Evidence } from "../engine/evidence.ts";
import type { KnownItems } from "./artifact-rules.ts";
import type { StepLink } from "./step-link.ts";

/** What a layout is judged by. */
export interface LayoutQuestion {
  readonly layout: Layout;
  /** What the steps say, by `linksOf`: of our own runs, of other in-toto tools, of classic links. */
  readonly links: readonly StepLink[];
  /** Digest of the artifact; undefined: there is none, and no subject can match. */
  readonly subject: Digest | undefined;
  readonly now: Date;
  /** Who vouched for identities where a functionary names no issuer. */
  readonly issuer: string;
  /** Where the first materials came from, as the verified chain has it: what rules call `source`. */
  readonly source?: LayoutSource | undefined;
  /** What inspections found, by name. */
  readonly inspections?: ReadonlyMap<string, InspectionResult> | undefined;
  /** Further statements, for `attestations` of steps; the caller has verified them. */
  readonly attestations?: readonly Evidence[] | undefined;
  /** Evaluates one rule; without it, rules are errors. The caller counts costs, knows exceptions and parameters. */
  readonly evaluateRule?: RuleEvaluator | undefined;
  /**
   * `touchmark` (default): a step must share at least one artifact with every step that it names, and a threshold is
   * reached by those who agree. `in-toto`: as that specification has it: a MATCH rule that matches nothing is only
   * shown, a step that another name is unknown to matches nothing, and all who signed must agree.
   */
  readonly semantics?: "touchmark" | "in-toto" | undefined;
  /** True ends the judgement with POLICY_TIMEOUT. */
  readonly isOver?: (() => boolean) | undefined;
}

/** Evaluates a rule of a layout over variables of its own, beside those that every rule has. */
export type RuleEvaluator = (rule: PolicyRule, variables: { readonly [name: string]: CelInput }) => RuleResult;

/** The source revision that a run began with. */
export interface LayoutSource {
  readonly uri: string;
  /** Commit. */
  readonly revision: string;
  /** Digest of its tree: the artifact `source`. */
  readonly tree: Digest;
}

/** What came of a layout. */
export interface LayoutJudgement {
  readonly verdict: "satisfied" | "refused";
  /** Why it is refused; empty when it is satisfied. */
  readonly denials: readonly Denial[];
  /** What does not refuse: another command than expected, a MATCH rule that matched nothing. */
  readonly warnings: readonly string[];
  /** In the layout's order. */
  readonly steps: readonly StepJudgement[];
  readonly inspections: readonly { readonly name: string; readonly satisfied: boolean }[];
  /** Results of the CEL rules of steps, inspections and subjects. */
  readonly rules: readonly RuleResult[];
  /** The run whose links were counted; undefined for links that belong to none. */
  readonly run: string | undefined;
  /** What the links that were taken say, by step; empty when some step has none. */
  readonly taken?: KnownItems | undefined;
}

/** One required step. */
export interface StepJudgement {
  readonly name: string;
  readonly satisfied: boolean;
  /** Functionaries who signed the links that counted. */
  readonly functionaries: readonly string[];
  readonly links: readonly ConsideredLink[];
  readonly materials: number;
  readonly products: number;
}

/** A link that was looked at for a step. */
export interface ConsideredLink {
  readonly statement: Digest;
  readonly signer: string;
  readonly functionary?: string;
  /** Why it was not counted. */
  readonly notCounted?: string;
}
