import type { FactoryError } from "@touchmark/core";
import type { ScanGatePolicy, ScanGateResult, ScanResult, ScanRuleResult } from "@touchmark/formats/findings";
import { contentRules } from "./content-rules.ts";
import { type ScanGateCode, scanGateErrors } from "./errors.ts";
import { licenceRules } from "./licence-rules.ts";
import { vulnerabilityRules } from "./vulnerability-rules.ts";

/** What a gate looks at beside the scan. */
export interface ScanContext {
  readonly now: Date;
  /** The scan of what was there before: with `newOnly`, only what it does not have refuses. */
  readonly base?: ScanResult;
}

/**
 * What the gate says of a scan. Pure; every rule is evaluated, so that a person sees all at once. Where the policy asks
 * for nothing the verdict is `not-evaluated`, never `passed`. SPEC N1-N12.
 */
export function decideScan(result: ScanResult, policy: ScanGatePolicy, context: ScanContext): ScanGateResult {
  const results: ScanRuleResult[] = [
    ...vulnerabilityRules(result, policy, context),
    ...licenceRules(result, policy, context.now),
    ...contentRules(result, policy, context.now),
  ];
  const isRefused = results.some(({ outcome }) => outcome === "refused");
  const isAsked = results.some(({ outcome }) => outcome !== "not-evaluated");
  return { verdict: isRefused ? "refused" : isAsked ? "passed" : "not-evaluated", results };
}

/** The error of a refused scan: code of the first refusal, messages of all. Undefined when nothing refused. */
export function scanRefusal(gate: ScanGateResult): FactoryError | undefined {
  const refusals = gate.results.filter(({ outcome }) => outcome === "refused");
  const [first] = refusals;
  if (gate.verdict !== "refused" || first === undefined) return undefined;
  const message = refusals.map((each) => `${each.message} [rule ${each.rule}]`).join("; ");
  return scanGateErrors.make((first.code ?? "SCAN_NOT_EVALUATED") as ScanGateCode, message);
}
