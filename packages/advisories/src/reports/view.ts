import type {
  Finding,
  FindingDecision,
  LicenceClass,
  LicenceFinding,
  ScanGateResult,
  ScanResult,
  Severity,
  SeverityClass,
} from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";
import { count } from "./visible.ts";

/** Classes in the order of reports: what is unscored stands where it cannot be overlooked. */
export const severityClasses: readonly SeverityClass[] = ["critical", "unscored", "high", "medium", "low", "none"];

/** A finding with what a reader wants beside it. Texts are as they came: each report escapes them. */
export interface FindingView {
  readonly finding: Finding;
  readonly component: Component | undefined;
  readonly name: string;
  readonly version: string;
  /** `9.8 critical`, `unscored`. */
  readonly severity: string;
  /** Nearest fixed version, or why there is none. */
  readonly fix: string;
  /** Names from the root's direct dependency down to the component; empty when it is not known. */
  readonly path: readonly string[];
  /** What was decided, when that still holds at the time of the scan. */
  readonly decision: FindingDecision | undefined;
  /** A rule of the gate refused because of it. */
  readonly isRefused: boolean;
}

/** A judged licence that is not simply allowed. */
export interface LicenceView {
  readonly licence: LicenceFinding;
  readonly name: string;
  readonly version: string;
  readonly isRefused: boolean;
}

/** What reports for people say of a scan. */
export interface ScanView {
  readonly result: ScanResult;
  readonly gate: ScanGateResult | undefined;
  readonly components: number;
  /** Findings that no decision took away, by class; and how many were taken away. */
  readonly open: ReadonlyMap<SeverityClass, number>;
  readonly decided: number;
  readonly findings: readonly FindingView[];
  readonly licences: ReadonlyMap<LicenceClass, number>;
  readonly notable: readonly LicenceView[];
}

/** Gathers what reports say, each fact once. */
export function scanView(result: ScanResult, gate: ScanGateResult | undefined): ScanView {
  const components = new Map(result.sbom.components.map((component) => [component.ref, component]));
  const refused = refusedConcerns(gate);
  const findings = result.findings.map((finding): FindingView => {
    const component = components.get(finding.component);
    // The way may lead through projects of the subject, which nobody can raise.
    const [direct] = finding.advice.direct;
    const refs = direct?.path.slice(Math.max(0, direct.path.indexOf(direct.ref))) ?? [];
    return {
      finding,
      component,
      name: component?.name ?? finding.component,
      version: component?.version ?? "",
      severity: severityWords(finding.severity),
      fix: fixWords(finding),
      path: refs.filter((ref) => ref !== result.sbom.root).map((ref) => components.get(ref)?.name ?? ref),
      decision: standingDecision(finding, result.at),
      isRefused:
        refused.has(concernKey(finding.component, finding.id)) || refused.has(concernKey(undefined, finding.id)),
    };
  });
  const open = new Map<SeverityClass, number>();
  for (const { finding, decision } of findings) {
    if (isSettled(decision)) continue;
    open.set(finding.severity.class, (open.get(finding.severity.class) ?? 0) + 1);
  }
  const licences = new Map<LicenceClass, number>();
  for (const licence of result.licences) licences.set(licence.class, (licences.get(licence.class) ?? 0) + 1);
  return {
    result,
    gate,
    components: result.sbom.components.filter(({ ref }) => ref !== result.sbom.root).length,
    open,
    decided: findings.filter(({ decision }) => isSettled(decision)).length,
    findings,
    licences,
    notable: notableLicences(result, components, refused),
  };
}

/** True when a decision says that nothing is to be done. */
export function isSettled(decision: FindingDecision | undefined): boolean {
  return decision !== undefined && decision.status !== "affected" && decision.status !== "under_investigation";
}

/** `2 critical, 1 unscored`; `none` where there is none, and `not evaluated` where nobody looked. */
export function severityCounts({ open, result }: ScanView): string {
  if (result.advisories === undefined && open.size === 0) return "not evaluated";
  const parts = severityClasses.filter((each) => open.has(each)).map((each) => `${open.get(each)} ${each}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

/** What the scan looked with: the data's age and sources, or that there was none. */
export function advisoryWords({ advisories }: ScanResult): string {
  if (advisories === undefined) return "Vulnerabilities were not evaluated: no advisory source is configured.";
  const sources = advisories.sources.map(({ name }) => name).join(", ");
  const day = advisories.compiledAt.slice(0, 10);
  return `Advisory data of ${day}: ${count(advisories.advisories, "advisory", "advisories")} from ${sources || "no source"}.`;
}

/** Words for how the gate ended. */
export function verdictWords(gate: ScanGateResult | undefined): string {
  if (gate === undefined || gate.verdict === "not-evaluated") return "not evaluated";
  return gate.verdict === "passed" ? "passed" : "refused";
}

function severityWords({ score, class: severityClass }: Severity): string {
  return score === undefined ? severityClass : `${score.toFixed(1)} ${severityClass}`;
}

function fixWords({ fixState, fixedVersions, advice }: Finding): string {
  const nearest = advice.nearest ?? fixedVersions[0];
  if (nearest !== undefined) {
    return advice.clean === undefined || advice.clean === nearest ? nearest : `${nearest} (clean: ${advice.clean})`;
  }
  if (fixState === "will-not-fix") return "will not be fixed";
  if (fixState === "end-of-life") return "end of life";
  return fixState === "not-fixed" ? "none yet" : "not known";
}

/** The last decision that has not expired by the time of the scan; one that says affected before all others, as in the gate. */
function standingDecision({ decisions }: Finding, at: string): FindingDecision | undefined {
  const now = Date.parse(at);
  const standing = decisions.filter(({ expires }) => expires === undefined || Date.parse(expires) > now);
  return standing.findLast((each) => !isSettled(each)) ?? standing.at(-1);
}

/** Key of a pair, `undefined` standing for any component. */
function concernKey(component: string | undefined, finding: string | undefined): string {
  return JSON.stringify([component ?? null, finding ?? null]);
}

function refusedConcerns(gate: ScanGateResult | undefined): ReadonlySet<string> {
  const refusals = gate?.results.filter(({ outcome }) => outcome === "refused") ?? [];
  return new Set(
    refusals.flatMap(({ concerns }) => concerns.map(({ component, finding }) => concernKey(component, finding))),
  );
}

const notableOrder: readonly LicenceClass[] = ["denied", "unknown", "warned"];

function notableLicences(
  result: ScanResult,
  components: ReadonlyMap<string, Component>,
  refused: ReadonlySet<string>,
): readonly LicenceView[] {
  return notableOrder.flatMap((each) =>
    result.licences
      .filter((licence) => licence.class === each)
      .map((licence) => ({
        licence,
        name: components.get(licence.component)?.name ?? licence.component,
        version: components.get(licence.component)?.version ?? "",
        isRefused: refused.has(concernKey(licence.component, undefined)),
      })),
  );
}
