import type { CommandRow } from "./commands.ts";
import type { Style } from "./terminal.ts";

/** The version of all packages. */
export function version(): string {
  return "0.1.0";
}

/** The first page of help: made from the table alone, so that it needs no command's code. */
export function topHelp(rows: readonly CommandRow[], style: Style): string {
  const lines = [
    `${style.bold("touchmark")} ${version()}: a secure software factory`,
    "",
    "usage: touchmark COMMAND [ARGUMENTS] [OPTIONS]      touchmark COMMAND --help",
  ];
  let group = "";
  for (const row of rows) {
    if (row.group !== group) {
      group = row.group;
      lines.push("", style.bold(group));
    }
    lines.push(`  ${row.name.padEnd(16)} ${row.summary}`);
  }
  lines.push(
    "",
    style.bold("Start here"),
    "  touchmark init          propose a touchmark.yaml for this repository",
    "  touchmark run           build HEAD, with evidence",
    "  touchmark verify FILE   check an artifact against its evidence",
    "",
    "State lives in TOUCHMARK_HOME (default: the data directory of the user).",
    "Exit codes: 0 accepted, 1 a step's own command failed, 2 invalid input, 3 refused, 4 unavailable, 70 our bug.",
  );
  return lines.join("\n");
}
