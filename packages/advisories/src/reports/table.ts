import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { advisoryWords, isSettled, type ScanView, scanView, severityCounts, verdictWords } from "./view.ts";
import { count, visible } from "./visible.ts";

/** How a part of the table may be marked on a screen. */
export type TableMark = "good" | "bad" | "warn" | "dim" | "bold";

/** How the table is drawn. */
export interface TableOptions {
  /** Marks text; left out, nothing is marked. */
  paint?(mark: TableMark, text: string): string;
  /** Most rows of each part. Default: all. */
  readonly rows?: number;
  /** Shows findings that a decision took away, too. */
  readonly settled?: boolean;
}

/** The scan for a person at a terminal: what the subject is, what was found, what the gate says, what was not seen. */
export function scanTable(result: ScanResult, gate?: ScanGateResult, options: TableOptions = {}): string {
  const view = scanView(result, gate);
  const paint = options.paint?.bind(options) ?? ((_mark: TableMark, text: string) => text);
  const lines = [
    ...headLines(view, paint),
    ...findingLines(view, options, paint),
    ...licenceLines(view, options, paint),
    ...lossLines(view, options, paint),
    ...gateLines(view, paint),
  ];
  return `${lines.join("\n")}\n`;
}

type Paint = (mark: TableMark, text: string) => string;

function headLines(view: ScanView, paint: Paint): string[] {
  const { subject, distribution } = view.result.sbom;
  const name = visible([subject.name, subject.version].filter(Boolean).join(" "));
  const system =
    distribution === undefined ? "" : `, ${visible(distribution.name ?? `${distribution.id} ${distribution.version}`)}`;
  const decided = view.decided === 0 ? "" : `; ${view.decided} settled by a decision`;
  return [
    `${paint("bold", name)} (${subject.kind}${system})`,
    ...(subject.digest === undefined ? [] : [paint("dim", subject.digest)]),
    `${count(view.components, "component")}. Vulnerabilities: ${severityCounts(view)}${decided}.`,
    paint(view.result.advisories === undefined ? "warn" : "dim", visible(advisoryWords(view.result))),
  ];
}

function findingLines(view: ScanView, { rows, settled }: TableOptions, paint: Paint): string[] {
  const shown = view.findings.filter(({ decision }) => settled === true || !isSettled(decision));
  if (shown.length === 0) return [];
  const cells = shown.slice(0, rows).map((row) => {
    const exploited = row.finding.knownExploited === undefined ? "" : " exploited";
    const decision = row.decision === undefined ? "" : ` (${row.decision.status.replaceAll("_", " ")})`;
    return [
      row.severity,
      visible(row.finding.id, 40) + exploited,
      visible(row.name, 60),
      visible(row.version, 40),
      visible(row.fix, 60),
      visible((row.path.length > 1 ? `by ${row.path[0]}` : "") + decision, 80),
    ];
  });
  const marks = shown.map(({ finding, isRefused }): TableMark | undefined =>
    isRefused || finding.severity.class === "critical"
      ? "bad"
      : finding.severity.class === "high" || finding.severity.class === "unscored"
        ? "warn"
        : undefined,
  );
  const head = ["SEVERITY", "VULNERABILITY", "COMPONENT", "VERSION", "FIXED IN", ""];
  return ["", ...aligned(head, cells, marks, paint), ...more(shown.length, rows, "vulnerability", "vulnerabilities")];
}

function licenceLines(view: ScanView, { rows }: TableOptions, paint: Paint): string[] {
  // Unknown ones that nothing refuses are counted after the first few: there may be as many as components.
  let unknown = 0;
  const shown = view.notable
    .filter(({ licence, isRefused }) => licence.class !== "unknown" || isRefused || ++unknown <= fewUnknown)
    .slice(0, rows);
  if (shown.length === 0) return [];
  const cells = shown.map(({ licence, name, version }) => [
    licence.class,
    visible(licence.expression ?? "-", 60),
    visible(name, 60),
    visible(version, 40),
    visible(licence.reason, 100),
  ]);
  const marks = shown.map(({ licence }): TableMark => (licence.class === "denied" ? "bad" : "warn"));
  const head = ["LICENCE", "EXPRESSION", "COMPONENT", "VERSION", "REASON"];
  return ["", ...aligned(head, cells, marks, paint), ...more(view.notable.length, shown.length, "licence")];
}

/** Unknown licences that are shown when nothing refuses them. */
const fewUnknown = 10;

function lossLines({ result }: ScanView, { rows }: TableOptions, paint: Paint): string[] {
  const { losses } = result.sbom;
  const lines: string[] = [];
  if (losses.length > 0) {
    lines.push("", paint("warn", `${count(losses.length, "place")} could not be read:`));
    for (const { path, code, message } of losses.slice(0, rows ?? 20)) {
      lines.push(`  ${visible(path, 200)}  ${code}  ${visible(message, 200)}`);
    }
    if (losses.length > (rows ?? 20)) lines.push(`  and ${losses.length - (rows ?? 20)} more`);
  }
  if (result.notEvaluated.length > 0) {
    const reasons = new Map<string, number>();
    for (const { reason } of result.notEvaluated) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const words = [...reasons].map(([reason, number]) => `${number} ${visible(reason, 60)}`).join(", ");
    lines.push("", paint("warn", `${count(result.notEvaluated.length, "component")} not evaluated: ${words}`));
  }
  return lines;
}

function gateLines({ gate }: ScanView, paint: Paint): string[] {
  if (gate === undefined) return [];
  const mark = { passed: "good", refused: "bad", "not-evaluated": "warn" } as const;
  const lines = ["", `Gate: ${paint(mark[gate.verdict], verdictWords(gate))}`];
  for (const { rule, outcome, message, code } of gate.results) {
    if (outcome === "passed" || outcome === "not-evaluated") continue;
    const words = outcome === "refused" ? paint("bad", outcome) : paint("warn", outcome);
    lines.push(`  ${words}  ${rule}: ${visible(message)}${code === undefined ? "" : ` [${code}]`}`);
  }
  if (gate.results.length === 0) return lines;
  const passed = gate.results.filter(({ outcome }) => outcome === "passed").length;
  const silent = gate.results.filter(({ outcome }) => outcome === "not-evaluated").length;
  lines.push(paint("dim", `  ${count(passed, "rule")} passed, ${silent} not evaluated`));
  return lines;
}

function aligned(
  head: readonly string[],
  rows: readonly string[][],
  marks: readonly (TableMark | undefined)[],
  paint: Paint,
): string[] {
  const widths = head.map((title, i) =>
    rows.reduce((most, row) => Math.max(most, (row[i] ?? "").length), title.length),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    paint("dim", line(head)),
    ...rows.map((row, at) => {
      const mark = marks[at];
      const text = line(row);
      const first = (row[0] ?? "").length;
      return mark === undefined ? text : paint(mark, text.slice(0, first)) + text.slice(first);
    }),
  ];
}

function more(total: number, shown: number | undefined, one: string, many = `${one}s`): string[] {
  return shown === undefined || total <= shown ? [] : [`and ${count(total - shown, `more ${one}`, `more ${many}`)}`];
}
