import type { Policy } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import type { CelInput } from "../cel/value.ts";
import type { ConsideredAttestation, Denial, RuleResult } from "../decision.ts";
import { judgeLayout } from "../layout/judge-layout.ts";
import type { LayoutJudgement } from "../layout/judgement.ts";
import { linksOfEvidence } from "../layout/step-link.ts";
import { ruleVariables } from "./programs.ts";
import { judgeRule, type RuleScope } from "./rules.ts";
import type { Scope } from "./scope.ts";

/** What the layout of a policy adds to its verdict. */
export interface LayoutPart {
  /** The variable `layout`; null where the policy demands none. */
  readonly variable: CelInput;
  readonly denials: readonly Denial[];
  readonly rules: readonly RuleResult[];
  /** Links that were looked at, as `step:NAME`. */
  readonly considered: readonly ConsideredAttestation[];
  readonly warnings: readonly string[];
  /** When it expires, where there is one. */
  readonly expires?: string;
}

/** Judges the steps by the layout that the policy names. `ruleScope` is that of the policy, before its `layout` is known. */
export function judgeLayoutPart(policy: Policy, scope: Scope, ruleScope: RuleScope): LayoutPart {
  if (policy.layout === undefined) return nothing;
  const pinned = scope.layouts.find((each) => each.digest === policy.layout);
  if (pinned === undefined) {
    const denial: Denial = {
      code: "POLICY_LAYOUT_MISSING",
      message: `the policy demands the layout ${policy.layout}, which is not in force`,
      solution: "Install the layout beside the policy, in one set.",
    };
    return { ...nothing, denials: [denial] };
  }
  const judgement =
    scope.statedLayout ??
    judgeLayout({
      layout: pinned.document,
      links: linksOfEvidence(scope.evidence),
      subject: scope.subject.digest,
      now: scope.now,
      issuer: scope.issuer,
      source: scope.chain?.source,
      inspections: scope.inspections,
      attestations: scope.evidence,
      isOver: () => scope.budget.isOver(),
      evaluateRule: (rule, variables) => {
        const names = [...new Set([...ruleVariables, ...Object.keys(variables)])].sort();
        return judgeRule(rule, { ...ruleScope, names, variables: ruleScope.variables.with(variables) }).result;
      },
    });
  return {
    variable: factsOf(judgement),
    denials: judgement.denials,
    rules: judgement.rules,
    considered: linksIn(judgement),
    warnings: judgement.warnings,
    expires: pinned.document.expires,
  };
}

const nothing: LayoutPart = { variable: null, denials: [], rules: [], considered: [], warnings: [] };

function linksIn({ steps }: LayoutJudgement): readonly ConsideredAttestation[] {
  return steps.flatMap(({ name, links }) =>
    links.map(({ statement, signer, functionary, notCounted }) => ({
      wanted: `step:${name}`,
      statement,
      predicateType: predicateType("link"),
      signer,
      ...(functionary === undefined || notCounted !== undefined ? {} : { functionary }),
      ...(notCounted === undefined ? {} : { notCounted }),
    })),
  );
}

/** Results by step, as rules see them. */
function factsOf(judgement: LayoutJudgement): CelInput {
  return {
    satisfied: judgement.verdict === "satisfied",
    run: judgement.run,
    warnings: judgement.warnings,
    steps: judgement.steps.map((step) => ({
      name: step.name,
      satisfied: step.satisfied,
      functionaries: step.functionaries,
      materials: step.materials,
      products: step.products,
    })),
    inspections: judgement.inspections.map(({ name, satisfied }) => ({ name, satisfied })),
  };
}
