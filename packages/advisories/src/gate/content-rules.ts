import type { ScanGatePolicy, ScanResult, ScanRuleResult } from "@touchmark/formats/findings";
import { type Concern, componentsOf, exceptionFor, nameOf, ruleResult } from "./concern.ts";

/** Rules over what is in the subject: whose it is, who brought it, and what could not be read. */
export function contentRules(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult[] {
  return [
    unowned(result, policy, now),
    unaccounted(result, policy, now),
    supplierSbom(result, policy, now),
    requiredReports(result, policy, now),
    losses(result, policy, now),
  ];
}

const absent = (rule: string, what: string): ScanRuleResult => ({
  rule,
  outcome: "refused",
  code: "SCAN_NOT_EVALUATED",
  message: `expected ${what}, found that it was not measured`,
  concerns: [],
});

function unowned(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult {
  const rule = "unowned-executables";
  const files = result.sbom.unowned;
  if (files === undefined && policy.unownedExecutables === "refuse")
    return absent(rule, "the owner of every executable");
  const excepted = exceptionFor(policy, rule, result, now, {});
  const met = (files ?? []).map(
    ({ path }): Concern => ({ words: path, ...(excepted === undefined ? {} : { excepted }) }),
  );
  return ruleResult(
    rule,
    policy.unownedExecutables,
    "SCAN_EXECUTABLE_UNOWNED",
    "expected every executable to belong to a component",
    met,
    "every executable belongs to a component",
  );
}

/** Components that a rule meets, by their refs, with what excepts each. */
function componentConcerns(
  rule: string,
  refs: readonly string[],
  result: ScanResult,
  policy: ScanGatePolicy,
  now: Date,
): readonly Concern[] {
  const components = componentsOf(result);
  return refs.map((ref) => {
    const component = components.get(ref);
    const excepted = exceptionFor(policy, rule, result, now, component === undefined ? {} : { component });
    return {
      ...(component === undefined ? {} : { component }),
      words: nameOf(component, ref),
      ...(excepted === undefined ? {} : { excepted }),
    };
  });
}

function unaccounted(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult {
  const rule = "unaccounted-components";
  if (result.unaccounted === undefined) {
    if (policy.unaccountedComponents !== "refuse") {
      return { rule, outcome: "not-evaluated", message: "there is no build to compare with", concerns: [] };
    }
    return absent(rule, "the origin of every component");
  }
  const met = componentConcerns(rule, result.unaccounted, result, policy, now);
  return ruleResult(
    rule,
    policy.unaccountedComponents,
    "SCAN_COMPONENT_UNACCOUNTED",
    "expected every component to be fetched or built in this run",
    met,
    "every component was fetched or built in this run",
  );
}

function supplierSbom(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult {
  const rule = "supplier-sbom";
  const { withoutSupplierSbom: refs } = result;
  if (refs === undefined) {
    if (policy.supplierSbom === "refuse") return absent(rule, "the SBOM of each supplier");
    return { rule, outcome: "not-evaluated", message: "nobody looked for SBOMs of suppliers", concerns: [] };
  }
  const met = componentConcerns(rule, refs, result, policy, now);
  return ruleResult(
    rule,
    policy.supplierSbom,
    "SCAN_SUPPLIER_SBOM_MISSING",
    "expected an SBOM of its supplier, signed, with every package",
    met,
    "every package came with an SBOM of its supplier",
  );
}

function requiredReports(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult {
  const rule = "required-reports";
  if (policy.requiredReports.length === 0)
    return { rule, outcome: "not-evaluated", message: "the gate does not ask", concerns: [] };
  if (result.reports === undefined) return absent(rule, "reports of a build's steps");
  const excepted = exceptionFor(policy, rule, result, now, {});
  const met = policy.requiredReports
    .filter((kind) => result.reports?.includes(kind) !== true)
    .map((kind): Concern => ({ words: `none of ${kind}`, ...(excepted === undefined ? {} : { excepted }) }));
  return ruleResult(
    rule,
    "refuse",
    "SCAN_REPORT_MISSING",
    "expected reports of each kind",
    met,
    "reports of each kind are there",
  );
}

function losses(result: ScanResult, policy: ScanGatePolicy, now: Date): ScanRuleResult {
  const rule = "losses";
  const excepted = exceptionFor(policy, rule, result, now, {});
  const met = result.sbom.losses.map(
    ({ path, code }): Concern => ({ words: `${path} (${code})`, ...(excepted === undefined ? {} : { excepted }) }),
  );
  return ruleResult(rule, policy.losses, "SCAN_LOSSY", "expected everything to be read", met, "everything was read");
}
