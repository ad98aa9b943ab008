import type { FactoryError } from "@touchmark/core";
import { coversPackage, namesVersion } from "@touchmark/formats/package-url";
import type { Candidate, GateDecision, RuleResult } from "./decision.ts";
import { type GateCode, gateErrors } from "./errors.ts";
import { type Finding, knownEcosystems, nameOf, purlOf, type Rule } from "./rule.ts";
import type { GateException, GateRules } from "./rules.ts";
import { gateRules } from "./table.ts";

/**
 * Says what the gate decides about one candidate. Pure; never throws for what it decides about. Every rule is
 * evaluated, so that a person sees all that is wrong at once. SPEC G1-G4.
 */
export function decide(rules: GateRules, candidate: Candidate): GateDecision {
  const fault = rulesFault(rules, candidate);
  const results = fault === undefined ? gateRules.map((rule) => settle(rule, rules, candidate)) : [fault];
  const isRefused = results.length === 0 || results.some((each) => each.outcome === "refused");
  return { verdict: isRefused ? "refused" : "admitted", results };
}

/** The error of a refused decision: code of the first refusal, messages of all. Undefined for an admitted one. */
export function gateRefusal(decision: GateDecision): FactoryError | undefined {
  if (decision.verdict === "admitted") return undefined;
  const refusals = decision.results.filter((each) => each.outcome === "refused");
  const code = refusals[0]?.code ?? "GATE_RULES_EMPTY";
  const lines = refusals.map((each) => {
    const pass = each.wouldPass === undefined ? "" : ` (${each.wouldPass} would pass)`;
    return `${each.message}${pass} [rule ${each.rule}]`;
  });
  return gateErrors.make(code, lines.join("; ") || "expected rules that admit this, found none");
}

/** Why no rule can be asked at all. */
function rulesFault(rules: GateRules, candidate: Candidate): RuleResult | undefined {
  const { ecosystem } = candidate.facts;
  const refuse = (code: GateCode, message: string): RuleResult => ({
    rule: "rule-set",
    outcome: "refused",
    code,
    message,
  });
  if (!knownEcosystems.has(ecosystem)) {
    return refuse("GATE_ECOSYSTEM_UNKNOWN", `expected a known ecosystem, found ${JSON.stringify(ecosystem)}`);
  }
  const unset = requiredSettings.filter((name) => rules[name] === undefined || rules[name] === null);
  if (unset.length > 0)
    return refuse("GATE_RULES_EMPTY", `expected complete rules, found none for ${unset.join(", ")}`);
  if (ecosystem !== "generic" && (rules.upstreams[ecosystem] ?? []).length === 0) {
    return refuse("GATE_RULES_EMPTY", `expected a trusted repository for ${ecosystem}, found none configured`);
  }
  return undefined;
}

const requiredSettings = [
  "upstreams",
  "unlocked",
  "lockedDigest",
  "denied",
  "minimumAge",
  "lookalike",
  "installScripts",
  "requiredEvidence",
  "licence",
  "newPublisher",
  "vanishedEvidence",
  "withdrawn",
  "thirdPartyReview",
  "chatter",
  "sizes",
  "exceptions",
] as const satisfies readonly (keyof GateRules)[];

function settle(rule: Rule, rules: GateRules, candidate: Candidate): RuleResult {
  const finding = rule.evaluate(rules, candidate);
  if (finding.outcome !== "refused" || rule.exceptable === "never") return { rule: rule.id, ...finding };
  return { rule: rule.id, ...excepted(rule, finding, rules.exceptions, candidate) };
}

function excepted(
  rule: Rule,
  finding: Finding,
  exceptions: readonly GateException[],
  candidate: Candidate,
): Omit<RuleResult, "rule"> {
  const purl = purlOf(candidate);
  if (purl === undefined) return finding;
  const own = exceptions.filter((each) => each.rule === rule.id && coversPackage(each.packages, purl));
  const usable = own.filter((each) => rule.exceptable === "any" || namesVersion(each.packages));
  const inForce = usable.find((each) => Date.parse(each.expires) > candidate.now.getTime());
  if (inForce) {
    const until = `${inForce.reason} (${inForce.approver}, until ${inForce.expires})`;
    return {
      ...finding,
      outcome: "excepted",
      message: `${finding.message}; excepted: ${until}`,
      exception: inForce.digest,
    };
  }
  const stale = usable[0] ?? own[0];
  if (!stale) return finding;
  const why = usable.length > 0 ? `expired on ${stale.expires}` : "names no version, which this rule demands";
  return { ...finding, message: `${finding.message}; the exception for ${nameOf(candidate)} ${why}` };
}
