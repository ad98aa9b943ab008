import type {
  ScanException,
  ScanGatePolicy,
  ScanResult,
  ScanRuleResult,
  Strictness,
} from "@touchmark/formats/findings";
import { coversPackage } from "@touchmark/formats/package-url";
import type { Component, ComponentScope } from "@touchmark/formats/sbom";
import type { ScanGateCode } from "./errors.ts";

/** One thing that a rule meets: a component, a finding of it, or neither. */
export interface Concern {
  readonly component?: Component;
  /** Id and aliases of a finding. */
  readonly finding?: readonly string[];
  /** The words for people. */
  readonly words: string;
  /** Why it does not count, though it was met: a VEX statement, an exception. */
  readonly excepted?: string;
}

/** Most concerns that a message spells out. */
const SPELLED_OUT = 5;

/** The result of a rule that met these, after exceptions. */
export function ruleResult(
  rule: string,
  strictness: Strictness,
  code: ScanGateCode,
  what: string,
  met: readonly Concern[],
  nothing: string,
): ScanRuleResult {
  if (strictness === "ignore")
    return { rule, outcome: "not-evaluated", message: "the gate does not ask", concerns: [] };
  const open = met.filter(({ excepted }) => excepted === undefined);
  const shown = open.length > 0 ? open : met;
  if (shown.length === 0) return { rule, outcome: "passed", message: nothing, concerns: [] };
  const words = shown
    .slice(0, SPELLED_OUT)
    .map((each) => (each.excepted === undefined ? each.words : `${each.words} (${each.excepted})`));
  const more = shown.length > SPELLED_OUT ? `, and ${shown.length - SPELLED_OUT} more` : "";
  const outcome = open.length === 0 ? "excepted" : strictness === "refuse" ? "refused" : "warned";
  return {
    rule,
    outcome,
    message: `${what}, found ${words.join(", ")}${more}`,
    ...(outcome === "refused" ? { code } : {}),
    concerns: shown.map(({ component, finding }) => ({
      ...(component === undefined ? {} : { component: component.ref }),
      ...(finding?.[0] === undefined ? {} : { finding: finding[0] }),
    })),
  };
}

/** The exception in force for a concern; in words, or undefined. An expired one never counts. */
export function exceptionFor(
  policy: ScanGatePolicy,
  rule: string,
  result: ScanResult,
  now: Date,
  { component, finding }: Pick<Concern, "component" | "finding">,
): string | undefined {
  const covers = (each: ScanException): boolean =>
    each.rule === rule &&
    Date.parse(each.expires) > now.getTime() &&
    (each.artifact === undefined || each.artifact === result.sbom.subject.digest) &&
    (each.finding === undefined || (finding ?? []).includes(each.finding)) &&
    (each.component === undefined || (component?.purl !== undefined && coversPackage(each.component, component.purl)));
  const found = policy.exceptions.find(covers);
  return found === undefined ? undefined : `excepted until ${found.expires} by ${found.approver}: ${found.reason}`;
}

/** Components by ref. */
export function componentsOf(result: ScanResult): ReadonlyMap<string, Component> {
  return new Map(result.sbom.components.map((component) => [component.ref, component]));
}

/** True when a component's scope counts; one whose scope is not known counts as needed at run time. */
export function isInScope(component: Component | undefined, scopes: readonly ComponentScope[]): boolean {
  const scope = component?.scope ?? "unknown";
  return scopes.includes(scope) || (scope === "unknown" && scopes.includes("runtime"));
}

/** Name and version for people. */
export function nameOf(component: Component | undefined, ref: string): string {
  if (component === undefined) return ref;
  return component.version === "" ? component.name : `${component.name} ${component.version}`;
}
