import { sha256 } from "@touchmark/core";
import type { Severity } from "./rules.ts";

/** A rule as a SARIF report describes it. */
export interface SarifRule {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly fix: string;
  readonly severity: Severity;
  readonly practice: string | undefined;
}

/** A finding as a SARIF report describes it. */
export interface SarifFinding {
  readonly rule: string;
  readonly severity: Severity;
  /** Path relative to what was looked at, with `/`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly fix: string;
  readonly suppressed?: string | undefined;
}

/** A report in SARIF 2.1.0 (OASIS), which code hosts show beside the lines. Deterministic. */
export function sarifReport(
  version: string,
  rules: readonly SarifRule[],
  findings: readonly SarifFinding[],
): { readonly [name: string]: unknown } {
  const index = new Map(rules.map(({ id }, i) => [id, i]));
  const seen = new Map<string, number>();
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "touchmark", semanticVersion: version, rules: rules.map(describeRule) } },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => {
          // The same text twice in a file: the order tells them apart, and lines may move.
          const key = `${finding.rule}\n${finding.file}\n${finding.message}`;
          const count = seen.get(key) ?? 0;
          seen.set(key, count + 1);
          return describeFinding(finding, index.get(finding.rule), sha256(`${key}\n${count}`).slice(7));
        }),
      },
    ],
  };
}

function describeRule({ id, title, why, fix, severity, practice }: SarifRule): unknown {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: fix },
    defaultConfiguration: { level: severity },
    ...(practice === undefined ? {} : { properties: { tags: ["security", practice], practice } }),
  };
}

function locationOf(file: string): unknown {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? { uri: `file://${path}` } : { uri: path, uriBaseId: "%SRCROOT%" };
}

function describeFinding(finding: SarifFinding, ruleIndex: number | undefined, fingerprint: string): unknown {
  const { rule, severity, file, line, column, message, fix, suppressed } = finding;
  return {
    ruleId: rule,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level: severity,
    message: { text: `${message}. What to do: ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: locationOf(file),
          region: { startLine: line, startColumn: column },
        },
      },
    ],
    partialFingerprints: { "touchmark/v1": fingerprint },
    ...(suppressed === undefined ? {} : { suppressions: [{ kind: "inSource", justification: suppressed }] }),
  };
}
