import table from "../../../../docs/requirements.json" with { type: "json" };
import titles from "../../../../docs/requirements-ids.json" with { type: "json" };
import { type Command, given, text } from "../command.ts";
import type { Style, Terminal } from "../terminal.ts";

const statuses = ["met", "partly", "planned", "not-applicable"] as const;

/** A requirement as it was when this program was built. */
interface Requirement {
  readonly id: string;
  readonly stage: string;
  readonly title: string;
  readonly status: string;
  readonly code: readonly string[];
  readonly tests: readonly string[];
  readonly reason: string;
}

/** `touchmark coverage`: which requirements of the reference documents are met, and by what. */
export const command: Command = {
  name: "coverage",
  summary: "which requirements are met, by stage",
  description:
    "Counts the requirements of the reference documents by stage, as they were when this program was built. " +
    "`npm run check` proves that the code and the tests of a met one exist, and that the tests ran.",
  options: [
    { flags: "--stage <text>", description: "list the requirements of the stages whose name holds this text" },
    { flags: "--status <status>", description: "list the requirements of this status", choices: [...statuses] },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark coverage", "counts, a line for each stage"],
    ["touchmark coverage --stage build --status met", "what is met of the stages about building, and by which files"],
  ],
  async run(invocation, terminal) {
    const stage = text(invocation, "stage");
    const status = text(invocation, "status");
    const chosen = requirements().filter(
      (row) => (stage === undefined || row.stage.includes(stage)) && (status === undefined || row.status === status),
    );
    if (given(invocation, "json")) terminal.print(JSON.stringify(chosen, undefined, 2));
    else if (stage === undefined && status === undefined) printCounts(chosen, terminal);
    else printRows(chosen, terminal);
    return 0;
  },
};

function requirements(): Requirement[] {
  const byId = new Map(titles.map((row) => [row.id, row]));
  return table.map((row) => ({ stage: "", title: "", ...byId.get(row.id), ...row }));
}

function printCounts(rows: readonly Requirement[], terminal: Terminal): void {
  const { style } = terminal;
  const stages = [...new Set(rows.map((row) => row.stage))];
  const groups = [...new Set(stages.map(groupOf))];
  stages.sort((a, b) => groups.indexOf(groupOf(a)) - groups.indexOf(groupOf(b)) || collate(a, b));
  const line = (name: string, of: readonly Requirement[]): string => {
    const counts = statuses.map((status) => of.filter((row) => row.status === status).length);
    const met = of.length === 0 ? 0 : (counts[0] ?? 0) / of.length;
    const cells = counts.map((count) => String(count).padStart(8)).join("");
    return `${name.padEnd(40)}${cells}   ${bar(met)} ${String(Math.round(met * 100)).padStart(3)} %`;
  };
  terminal.print(
    style.bold(`${"".padEnd(40)}${["met", "partly", "planned", "n/a"].map((t) => t.padStart(8)).join("")}`),
  );
  for (const stage of stages) {
    terminal.print(
      line(
        stage,
        rows.filter((row) => row.stage === stage),
      ),
    );
  }
  terminal.print(style.bold(line("all", rows)));
}

/** `architecture` of `architecture: 4 source`. */
function groupOf(stage: string): string {
  return stage.split(":")[0] ?? stage;
}

function collate(a: string, b: string): number {
  if (!a.includes(":")) return 0;
  return a < b ? -1 : 1;
}

function bar(share: number): string {
  const width = 20;
  const full = Math.round(share * width);
  return `${"#".repeat(full)}${".".repeat(width - full)}`;
}

function printRows(rows: readonly Requirement[], terminal: Terminal): void {
  for (const row of rows) {
    terminal.print(`${colour(row.status, terminal.style)} ${row.id}: ${row.title}`);
    terminal.print(`    ${row.reason}`);
    for (const path of row.code) terminal.print(terminal.style.dim(`    code  ${path}`));
    for (const test of row.tests) terminal.print(terminal.style.dim(`    test  ${test}`));
  }
  terminal.print(`${rows.length} requirements`);
}

function colour(status: string, style: Style): string {
  const paint = { met: style.good, partly: style.warn }[status] ?? style.dim;
  return paint(status.padEnd(14));
}
