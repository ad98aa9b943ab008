import type { ScanGatePolicy, ScanResult, ScanRuleResult } from "@touchmark/formats/findings";
import { type Concern, componentsOf, exceptionFor, isInScope, nameOf, ruleResult } from "./concern.ts";

/** Rules over the licences that were judged by the same policy. */
export function licenceRules(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult[] {
  const rules = policy.licences;
  if (rules === undefined) {
    return [{ rule: "licences", outcome: "not-evaluated", message: "the gate has no such rule", concerns: [] }];
  }
  const components = componentsOf(result);
  const judged = result.licences.filter(({ component }) => isInScope(components.get(component), rules.scopes));
  const met = (rule: string, which: "denied" | "warned" | "unknown"): Concern[] =>
    judged
      .filter((licence) => licence.class === which)
      .map(({ component: ref, expression, reason }) => {
        const component = components.get(ref);
        const excepted = exceptionFor(policy, rule, result, now, component === undefined ? {} : { component });
        return {
          ...(component === undefined ? {} : { component }),
          words: `${nameOf(component, ref)} under ${expression ?? "no known licence"} (${reason})`,
          ...(excepted === undefined ? {} : { excepted }),
        };
      });
  // Every component has a judgement, or something is missing that absence would let pass.
  const judgedRefs = new Set(result.licences.map(({ component }) => component));
  const missing = result.sbom.components.filter(
    (component) =>
      component.ref !== result.sbom.root &&
      component.kind === "library" &&
      !judgedRefs.has(component.ref) &&
      isInScope(component, rules.scopes),
  );
  const unjudged = missing.map(
    (component): Concern => ({ component, words: `${nameOf(component, component.ref)}: never judged` }),
  );
  return [
    ruleResult(
      "licence-denied",
      "refuse",
      "SCAN_LICENCE_DENIED",
      "expected allowed licences alone",
      met("licence-denied", "denied"),
      "no denied licence",
    ),
    ruleResult(
      "licence-warned",
      "warn",
      "SCAN_LICENCE_DENIED",
      "licences to know of",
      met("licence-warned", "warned"),
      "no licence to warn of",
    ),
    ruleResult(
      "licence-unknown",
      rules.unknown,
      "SCAN_LICENCE_UNKNOWN",
      "expected a known licence of every component",
      [...met("licence-unknown", "unknown"), ...unjudged],
      "every licence is known",
    ),
  ];
}
