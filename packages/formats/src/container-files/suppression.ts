import { nearestName } from "../pipeline/nearest.ts";
import type { ContainerFinding, Report } from "./finding.ts";
import { type ContainerRule, containerRules } from "./rules.ts";

/** A comment that sets findings aside: `# touchmark-ignore: RULE[,RULE] why`. */
interface Suppression {
  readonly rules: readonly string[];
  readonly reason: string;
  readonly line: number;
  readonly column: number;
  /** Lines that it covers. */
  readonly from: number;
  readonly to: number;
}

/** Lines of an instruction, so that a comment before it covers it whole. */
export interface LineSpan {
  readonly from: number;
  readonly to: number;
}

const mark = /(?:#|\/\*)\s{0,20}touchmark-ignore:[ \t]{0,20}([^\s*]{0,300})[ \t]{0,20}(.{0,500})/;
const never = new Set<string>(["file-unread", "suppression-invalid", "suppression-unused"]);

/** Finds the comments, and says which are none. */
export function readSuppressions(lines: readonly string[], spans: readonly LineSpan[], report: Report): Suppression[] {
  const ends = new Map(spans.map(({ from, to }) => [from, to]));
  const all: Suppression[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.length > 4096 || !line.includes("touchmark-ignore")) continue;
    const found = mark.exec(line);
    if (found === null) continue;
    const column = found.index + 1;
    const at = { line: index + 1, column };
    const rules = (found[1] ?? "").split(",").filter((rule) => rule !== "");
    const reason = (found[2] ?? "").replace(/\*\/.*$/, "").trim();
    const unknown = rules.find((rule) => !Object.hasOwn(containerRules, rule) || never.has(rule));
    if (unknown !== undefined) {
      const near = nearestName(unknown, Object.keys(containerRules));
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      report("suppression-invalid", at, `no rule ${JSON.stringify(unknown.slice(0, 80))} can be suppressed${hint}`);
      continue;
    }
    if (rules.length === 0 || reason === "") {
      report("suppression-invalid", at, rules.length === 0 ? "no rule is named" : "no reason is given");
      continue;
    }
    const own =
      line
        .slice(0, found.index)
        .replace(/\{\{-?\s*$/, "")
        .trim() !== "";
    const from = own ? index + 1 : nextLine(lines, index + 1);
    all.push({ rules, reason, ...at, from, to: own ? from : (ends.get(from) ?? from) });
  }
  return all;
}

/** The next line that is neither blank nor a comment, from 1. */
function nextLine(lines: readonly string[], start: number): number {
  for (let i = start; i < lines.length; i++) {
    const plain = (lines[i] ?? "").trim();
    if (plain !== "" && !plain.startsWith("#")) return i + 1;
  }
  return start + 1;
}

/** Marks what is suppressed, and names comments that suppress nothing. */
export function applySuppressions(
  findings: readonly ContainerFinding[],
  suppressions: readonly Suppression[],
  report: Report,
): ContainerFinding[] {
  const used = new Set<string>();
  const judged = findings.map((finding) => {
    const by = suppressions.find(
      ({ rules, from, to }) => rules.includes(finding.rule) && finding.line >= from && finding.line <= to,
    );
    if (by === undefined) return finding;
    used.add(`${by.line}:${finding.rule}`);
    return { ...finding, suppressed: by.reason };
  });
  for (const { rules, line, column } of suppressions) {
    for (const rule of rules as ContainerRule[]) {
      if (!used.has(`${line}:${rule}`)) report("suppression-unused", { line, column }, `nothing of ${rule} is there`);
    }
  }
  return judged;
}
