import { canonicalJson } from "@touchmark/core";
import type { Policy, PolicyRule } from "@touchmark/formats/policy";
import type { Denial } from "../decision.ts";
import { rulesAt } from "../library/collections.ts";

/** Rules of a policy: its own, then those of its collections for its point, each once. */
export interface CollectedRules {
  readonly rules: readonly PolicyRule[];
  readonly denials: readonly Denial[];
}

/** Two rules under one id would be one to exceptions and to rules that depend on it: that is refused. */
export function collectRules(policy: Policy): CollectedRules {
  const denials: Denial[] = [];
  const byId = new Map<string, PolicyRule>();
  const take = (rule: PolicyRule, from: string) => {
    const other = byId.get(rule.id);
    if (other === undefined) byId.set(rule.id, rule);
    else if (from === "" || meaning(other) !== meaning(rule)) {
      denials.push({
        code: "POLICY_RULE_AMBIGUOUS",
        message: `two rules have the id ${rule.id}${from}`,
        solution: "Give each rule an id of its own.",
        rule: rule.id,
      });
    }
  };
  for (const rule of policy.rules ?? []) take(rule, "");
  for (const collection of policy.collections ?? []) {
    const rules = rulesAt(collection, policy.point);
    if (rules === undefined) {
      denials.push({
        code: "POLICY_COLLECTION_UNKNOWN",
        message: `the library has no collection ${collection}`,
        solution: "`touchmark policy init --help` lists the collections.",
      });
    }
    for (const rule of rules ?? []) take(rule, `, one of them in the collection ${collection}`);
  }
  return { rules: [...byId.values()], denials };
}

/** What makes two rules one: a policy may hold a copy of a rule of the library in words of its own. */
function meaning({ expression, rego, dependsOn, effectiveOn }: PolicyRule): string {
  return canonicalJson({ expression, rego, dependsOn, effectiveOn });
}
