import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import {
  advisoryWords,
  type FindingView,
  isSettled,
  type ScanView,
  scanView,
  severityCounts,
  verdictWords,
} from "./view.ts";
import { count, visible } from "./visible.ts";

/** Code hosts refuse comments of more than 65,536 characters. */
const mostCharacters = 60_000;
/** Rows that stand open; further ones are folded, as long as there is room. */
const openRows = 20;

/** The scan as a comment on a pull request: the verdict first, then what to do. Never longer than 60,000 characters. */
export function scanMarkdown(result: ScanResult, gate?: ScanGateResult): string {
  const view = scanView(result, gate);
  const { subject } = result.sbom;
  const title = `## Scan of ${code([subject.name, subject.version].filter(Boolean).join(" "))}: ${verdictWords(gate)}`;
  const facts = [
    `${count(view.components, "component")} · vulnerabilities: ${severityCounts(view)}`,
    ...(view.decided === 0 ? [] : [`${view.decided} settled by a decision`]),
    ...(["denied", "unknown", "warned"] as const)
      .filter((each) => view.licences.has(each))
      .map((each) => `${count(view.licences.get(each) ?? 0, "licence")} ${each}`),
  ].join(" · ");
  const head = [title, "", facts, "", ...gateLines(view)];
  const foot = [
    ...seenLines(view),
    "",
    `<sub>${plain(advisoryWords(result))} Scanned at ${plain(result.at)}.</sub>`,
    "",
  ];
  const room = mostCharacters - lengthOf(head) - lengthOf(foot);
  const findings = findingLines(view, Math.floor(room * 0.7));
  const licences = licenceLines(view, room - lengthOf(findings));
  return [...head, ...findings, ...licences, ...foot].join("\n");
}

function gateLines({ gate }: ScanView): string[] {
  const rows = gate?.results.filter(
    ({ outcome }) => outcome === "refused" || outcome === "warned" || outcome === "excepted",
  );
  if (rows === undefined || rows.length === 0) return [];
  const lines = rows
    .slice(0, 40)
    .map(({ rule, outcome, message }) => `- **${outcome}** ${code(rule)}: ${plain(visible(message, 400))}`);
  return [...lines, ...(rows.length > 40 ? [`- and ${rows.length - 40} more`] : []), ""];
}

function findingLines(view: ScanView, room: number): string[] {
  const rows = view.findings.filter(({ decision }) => !isSettled(decision));
  if (rows.length === 0) return [];
  const head = ["| Severity | Vulnerability | Component | Fixed in | Comes by |", "| --- | --- | --- | --- | --- |"];
  return foldedTable(head, rows.map(findingRow), room, "vulnerability", "vulnerabilities");
}

function findingRow({ finding, severity, name, version, fix, path }: FindingView): string {
  const exploited = finding.knownExploited === undefined ? "" : " **known exploited**";
  const by =
    path.length > 1
      ? path
          .map((each) => code(each, 60))
          .slice(0, 4)
          .join(" › ")
      : "";
  return `| ${plain(severity)} | ${code(finding.id, 60)}${exploited} | ${code(`${name} ${version}`.trim(), 120)} | ${code(fix, 80)} | ${by} |`;
}

function licenceLines({ notable }: ScanView, room: number): string[] {
  if (notable.length === 0) return [];
  const head = ["| Licence | Expression | Component | Reason |", "| --- | --- | --- | --- |"];
  const rows = notable.map(
    ({ licence, name, version }) =>
      `| ${licence.class} | ${licence.expression === undefined ? "" : code(licence.expression, 120)} | ${code(`${name} ${version}`.trim(), 120)} | ${plain(visible(licence.reason, 200))} |`,
  );
  return foldedTable(head, rows, room, "licence");
}

/** The first rows open, those that there is room for folded, the rest counted. */
function foldedTable(
  head: readonly string[],
  rows: readonly string[],
  room: number,
  one: string,
  many?: string,
): string[] {
  const lines: string[] = [];
  let left = room - lengthOf(head) * 2 - 200;
  let taken = 0;
  for (const row of rows) {
    if ((left -= row.length + 1) < 0) break;
    if (taken === 0) lines.push(...head);
    if (taken === openRows) {
      lines.push(
        "",
        `<details><summary>${count(rows.length - taken, `further ${one}`, many && `further ${many}`)}</summary>`,
        "",
        ...head,
      );
    }
    lines.push(row);
    taken++;
  }
  lines.push("");
  if (taken > openRows) lines.push("</details>", "");
  if (taken < rows.length)
    lines.push(`${count(rows.length - taken, `more ${one}`, many && `more ${many}`)} not shown here.`, "");
  return lines;
}

function seenLines({ result }: ScanView): string[] {
  const { losses } = result.sbom;
  const lines: string[] = [];
  if (losses.length > 0) {
    lines.push(`**${count(losses.length, "place")} could not be read:**`);
    for (const { path, code: reason } of losses.slice(0, 10)) lines.push(`- ${code(path, 200)} (${plain(reason)})`);
    if (losses.length > 10) lines.push(`- and ${losses.length - 10} more`);
    lines.push("");
  }
  if (result.notEvaluated.length > 0)
    lines.push(`**${count(result.notEvaluated.length, "component")} not evaluated.**`, "");
  return lines;
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}

/**
 * Text in Markdown that is nothing but text: every sign that Markdown, a table, a mention or a link could begin with is
 * written as a character reference.
 */
function plain(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>&|#~@!$:"'(){}]|(?<=\bwww)\./gi, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** As code, in which code hosts see no mention and no link. */
function code(text: string, limit = 200): string {
  return `<code>${plain(visible(text, limit))}</code>`;
}
