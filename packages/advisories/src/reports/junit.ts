import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { type FindingView, isSettled, type LicenceView, scanView } from "./view.ts";
import { escapeMarkup } from "./visible.ts";

/** What one test case says. */
interface TestCase {
  readonly group: string;
  readonly name: string;
  readonly outcome: "passed" | "failure" | "skipped";
  readonly type?: string;
  readonly message?: string;
  readonly text?: string;
}

/**
 * The scan as JUnit's XML, for continuous-integration systems. A rule of the gate, a vulnerability and a licence are
 * test cases each. With a gate a case fails when the gate refuses because of it; without one every open vulnerability
 * and every denied licence fails. What could not be evaluated is skipped, never passed.
 */
export function scanJunit(result: ScanResult, gate?: ScanGateResult): string {
  const view = scanView(result, gate);
  const isGated = gate !== undefined;
  const suites: (readonly [name: string, cases: readonly TestCase[]])[] = [
    ["gate", gateCases(gate)],
    [
      "vulnerabilities",
      result.advisories === undefined ? [notEvaluated] : view.findings.map((row) => findingCase(row, isGated)),
    ],
    ["licences", view.notable.map((row) => licenceCase(row, isGated))],
    ["coverage", coverageCases(result)],
  ];
  const at = startOf(result.at);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    ...suites.filter(([, cases]) => cases.length > 0).flatMap(([name, cases], id) => suiteLines(name, cases, id, at)),
    "</testsuites>",
    "",
  ];
  return lines.join("\n");
}

/** In UTC without a fraction, as the schema has it; the beginning of time where it is no time. */
function startOf(at: string): string {
  const time = Date.parse(at);
  return new Date(Number.isNaN(time) ? 0 : time).toISOString().slice(0, 19);
}

/** Everything that the schema asks for, in its order; what passed says its words in the suite's output. */
function suiteLines(name: string, cases: readonly TestCase[], id: number, at: string): string[] {
  const failures = cases.filter(({ outcome }) => outcome === "failure").length;
  const skipped = cases.filter(({ outcome }) => outcome === "skipped").length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  const said = cases.flatMap((each) =>
    each.outcome === "passed" && each.text !== undefined
      ? [escapeMarkup(`${each.name}: ${each.text.replaceAll("\n", "; ")}`)]
      : [],
  );
  return [
    `  <testsuite name="${name}" package="touchmark.scan" id="${id}" hostname="localhost" timestamp="${at}" ${counts} time="0">`,
    "    <properties/>",
    ...cases.flatMap(caseLines),
    `    <system-out>${said.join("\n")}</system-out>`,
    "    <system-err/>",
    "  </testsuite>",
  ];
}

const notEvaluated: TestCase = {
  group: "vulnerabilities",
  name: "vulnerabilities are evaluated",
  outcome: "skipped",
  message: "no advisory source is configured",
};

function gateCases(gate: ScanGateResult | undefined): readonly TestCase[] {
  return (gate?.results ?? []).map(({ rule, outcome, message, code }): TestCase => {
    const about = { group: "gate", name: rule, message };
    if (outcome === "refused") return { ...about, outcome: "failure", type: code ?? "refused" };
    if (outcome === "not-evaluated") return { ...about, outcome: "skipped" };
    return { group: "gate", name: rule, outcome: "passed", text: `${outcome}: ${message}` };
  });
}

function findingCase(row: FindingView, isGated: boolean): TestCase {
  const { finding, name, version, severity, fix, decision, path } = row;
  const about = { group: finding.component, name: `${finding.id} in ${name} ${version}`.trim() };
  const text = [
    `severity: ${severity}`,
    `fixed in: ${fix}`,
    ...(path.length > 1 ? [`comes by: ${path.join(" > ")}`] : []),
    ...(decision === undefined ? [] : [`decision: ${decision.status}: ${decision.reason}`]),
    ...finding.references.slice(0, 5),
  ].join("\n");
  const hasFailed = isGated ? row.isRefused : !isSettled(decision);
  if (!hasFailed) return { ...about, outcome: "passed", text };
  return {
    ...about,
    outcome: "failure",
    type: finding.severity.class,
    message: `${finding.id} (${severity}): ${finding.summary}`,
    text,
  };
}

function licenceCase({ licence, name, version, isRefused }: LicenceView, isGated: boolean): TestCase {
  const about = { group: licence.component, name: `licence of ${name} ${version}`.trim() };
  const message = `${licence.expression ?? "no licence"}: ${licence.reason}`;
  const hasFailed = isGated ? isRefused : licence.class === "denied";
  if (hasFailed) return { ...about, outcome: "failure", type: `licence-${licence.class}`, message };
  if (licence.class === "unknown") return { ...about, outcome: "skipped", message };
  return { ...about, outcome: "passed", text: message };
}

function coverageCases({ sbom, notEvaluated: missing }: ScanResult): readonly TestCase[] {
  return [
    ...sbom.losses.map(
      ({ path, code, message }): TestCase => ({
        group: "coverage",
        name: `${path} is read`,
        outcome: "skipped",
        message: `${code}: ${message}`,
      }),
    ),
    ...missing.map(
      ({ component, reason, message }): TestCase => ({
        group: "coverage",
        name: `${component} is evaluated`,
        outcome: "skipped",
        message: `${reason}: ${message}`,
      }),
    ),
  ];
}

function caseLines({ group, name, outcome, type, message, text = "" }: TestCase): string[] {
  const open = `    <testcase classname="${escapeMarkup(group)}" name="${escapeMarkup(name)}" time="0"`;
  const said = message === undefined ? "" : ` message="${escapeMarkup(message)}"`;
  if (outcome === "passed") return [`${open}/>`];
  if (outcome === "skipped") return [`${open}>`, `      <skipped${said}/>`, "    </testcase>"];
  const body = text
    .split("\n")
    .map((line) => escapeMarkup(line))
    .join("\n");
  return [
    `${open}>`,
    `      <failure type="${escapeMarkup(type ?? "refused")}"${said}>${body}</failure>`,
    "    </testcase>",
  ];
}
