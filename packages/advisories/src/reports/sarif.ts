import { sha256 } from "@touchmark/core";
import type { ScanGateResult, ScanResult, SeverityClass } from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";
import { type FindingView, isSettled, type LicenceView, type ScanView, scanView } from "./view.ts";
import { count, visible } from "./visible.ts";

/** Results that code hosts take of one run. */
const mostResults = 25_000;

/** Level of a result, and the number by which code hosts rank what has no score: unscored ranks as high. */
const levels: Readonly<Record<SeverityClass, readonly [level: "error" | "warning" | "note", rank: string]>> = {
  critical: ["error", "9.5"],
  high: ["error", "8.0"],
  unscored: ["error", "8.0"],
  medium: ["warning", "5.5"],
  low: ["note", "2.0"],
  none: ["note", "0.0"],
};

interface SarifRow {
  readonly id: string;
  readonly rule: object;
  readonly result: object;
}

/**
 * The scan in SARIF 2.1.0 (OASIS), for code hosts. One rule per vulnerability and per class of licence; the place of a
 * result is the file that brought the component. Findings that a decision settled are suppressed, not left out;
 * what could not be read is a notification. Deterministic.
 */
export function scanSarif(result: ScanResult, gate?: ScanGateResult): string {
  const view = scanView(result, gate);
  const rows = [
    ...view.findings.map(findingRow),
    ...view.notable.map((row) => licenceRow(row, result.sbom.components)),
  ];
  const shown = rows.slice(0, mostResults);
  const rules = new Map(shown.map(({ id, rule }) => [id, rule]));
  const indices = new Map([...rules.keys()].map((id, index) => [id, index]));
  const report = {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "touchmark", semanticVersion: versionOf(result), rules: [...rules.values()] } },
        automationDetails: { id: `touchmark-scan/${visible(result.sbom.subject.name, 200)}/` },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { "%SRCROOT%": { description: { text: "Root of what was scanned." } } },
        invocations: [
          {
            // SARIF 3.20.14: false when the run itself could not do its work; a refusal is a result.
            executionSuccessful: result.advisories !== undefined,
            toolExecutionNotifications: notifications(view, rows.length - shown.length),
          },
        ],
        results: shown.map(({ id, result: row }) => ({ ruleId: id, ruleIndex: indices.get(id), ...row })),
        properties: { verdict: gate?.verdict ?? "not-evaluated", components: view.components, at: result.at },
      },
    ],
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function versionOf({ sbom }: ScanResult): string {
  return sbom.tools.find(({ name }) => name === "touchmark")?.version ?? "0.0.0";
}

function findingRow({
  finding,
  component,
  name,
  version,
  severity,
  fix,
  path,
  decision,
  isRefused,
}: FindingView): SarifRow {
  const [level, rank] = levels[finding.severity.class];
  const score = finding.severity.score?.toFixed(1) ?? rank;
  const advice = fix === "none yet" || fix === "not known" ? `A fixed version is ${fix}.` : `Fixed in ${fix}.`;
  const by = path.length > 1 ? ` It comes by ${path.join(" > ")}.` : "";
  const address = finding.references.find((each) => /^https:\/\/[^\s"<>\\]{1,500}$/.test(each));
  const id = visible(finding.id, 200);
  return {
    id,
    rule: {
      id,
      name: id,
      shortDescription: { text: visible(finding.summary || id, 300) },
      fullDescription: { text: visible(finding.summary || id) },
      help: { text: visible(`${advice} Also known as: ${finding.aliases.join(", ") || "no other name"}.`) },
      ...(address === undefined ? {} : { helpUri: address }),
      defaultConfiguration: { level },
      properties: {
        "security-severity": score,
        tags: ["security", "vulnerability", ...finding.cwes.slice(0, 9).map((cwe) => visible(cwe, 40))],
      },
    },
    result: {
      level,
      message: { text: visible(`${name} ${version} has ${finding.id} (${severity}). ${advice}${by}`) },
      locations: locationsOf(component, finding.component),
      partialFingerprints: {
        "touchmark/v1": sha256(`${finding.id}\n${component?.purl ?? finding.component}`).slice(7),
      },
      ...(decision !== undefined && isSettled(decision)
        ? {
            suppressions: [
              {
                kind: "external",
                status: "accepted",
                justification: visible(`${decision.status}: ${decision.reason} (${decision.by})`),
              },
            ],
          }
        : {}),
      properties: { refused: isRefused, severity: finding.severity.class, scope: component?.scope ?? "unknown" },
    },
  };
}

function licenceRow({ licence, name, version, isRefused }: LicenceView, components: readonly Component[]): SarifRow {
  const id = `licence-${licence.class}`;
  const component = components.find(({ ref }) => ref === licence.component);
  const level = licence.class === "denied" ? "error" : "warning";
  const title = `A component whose licence is ${licence.class}`;
  return {
    id,
    rule: {
      id,
      name: id,
      shortDescription: { text: title },
      fullDescription: { text: `${title}, by the policy for licences.` },
      help: { text: "Choose another component, or change the policy for licences." },
      defaultConfiguration: { level },
      properties: { tags: ["licence"] },
    },
    result: {
      level,
      message: {
        text: visible(`${name} ${version} is under ${licence.expression ?? "no known licence"}: ${licence.reason}.`),
      },
      locations: locationsOf(component, licence.component),
      partialFingerprints: { "touchmark/v1": sha256(`${id}\n${licence.component}`).slice(7) },
      properties: { refused: isRefused },
    },
  };
}

/** At most ten places of a component; its package URL as the logical one. */
function locationsOf(component: Component | undefined, ref: string): readonly object[] {
  const logicalLocations = [{ fullyQualifiedName: visible(component?.purl ?? ref), kind: "package" }];
  const places = component?.occurrences.slice(0, 10) ?? [];
  if (places.length === 0) return [{ logicalLocations }];
  return places.map(({ path, line }) => ({
    physicalLocation: {
      artifactLocation: { uri: addressOf(path), uriBaseId: "%SRCROOT%" },
      region: { startLine: line ?? 1 },
    },
    logicalLocations,
  }));
}

/** A path as a relative reference (RFC 3986): no segment climbs, also percent-encoded, and no sign begins a scheme. */
function addressOf(path: string): string {
  return path
    .split("/")
    .map((segment) => (/^\.{0,2}$/.test(segment) ? "_" : encodeURIComponent(segment.toWellFormed())))
    .join("/");
}

function notifications({ result }: ScanView, left: number): readonly object[] {
  const lost = result.sbom.losses.slice(0, 1_000).map(({ path, code, message }) => ({
    level: "warning",
    descriptor: { id: code },
    message: { text: visible(`${path}: ${message}`) },
  }));
  const missing = result.notEvaluated.slice(0, 1_000).map(({ component, reason, message }) => ({
    level: "note",
    descriptor: { id: visible(reason, 100) },
    message: { text: visible(`${component}: ${message}`) },
  }));
  return [
    ...(result.advisories === undefined
      ? [{ level: "error", message: { text: "Vulnerabilities were not evaluated: no advisory source is configured." } }]
      : []),
    ...(left > 0
      ? [{ level: "error", message: { text: `${count(left, "result")} beyond ${mostResults} left out.` } }]
      : []),
    ...lost,
    ...missing,
  ];
}
