import { type Command, given, text } from "../../command.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";
import type { DocumentFinding } from "./lint-documents.ts";

/** `touchmark policy lint`: what weakens a policy, or can never do what it says. */
export const command: Command = {
  name: "policy lint",
  summary: "check policies, layouts, exceptions, sets and tests, with line and remedy",
  description:
    "Reads each document as the engine does, compiles its expressions, and looks for what is expired, too wide, unreachable, undeclared, unused, or true whatever happens. In a directory, files that are no documents of policy are passed over. Classic in-toto layouts are read too. Exit 3 when a finding is an error.",
  arguments: [{ name: "path", description: "files and directories (default: the current directory)", variadic: true }],
  options: [
    { flags: "--at <date>", description: "as if it were that time: 2027-01-31" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark policy lint policies/", "findings with line, rule and what to do; exit 3 when one is an error"],
    ["touchmark policy lint deploy.yaml --at 2027-06-01", "whether it will have expired by then"],
  ],
  async run(invocation, terminal) {
    const { lintDocuments } = await import("./lint-documents.ts");
    const now = timeOption(text(invocation, "at"), "--at") ?? new Date();
    const paths = invocation.arguments.length === 0 ? ["."] : invocation.arguments;
    const documents = lintDocuments(terminal, paths, now);
    const findings = documents.flatMap((document) => document.findings);
    const of = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
    const counts = { errors: of("error"), warnings: of("warning"), notes: of("note") };
    if (given(invocation, "json")) {
      const files = documents.map(({ file, kind }) => ({ file, kind }));
      terminal.print(JSON.stringify({ files, findings, ...counts }, undefined, 2));
    } else {
      printFindings(terminal, findings);
      terminal.print(
        `${documents.length} documents: ${counts.errors} errors, ${counts.warnings} warnings, ${counts.notes} notes`,
      );
    }
    return counts.errors > 0 ? 3 : 0;
  },
};

/** Findings for people, one place a line. */
export function printFindings(terminal: Terminal, findings: readonly DocumentFinding[]): void {
  const { style } = terminal;
  for (const { file, line, column, rule, severity, message, fix } of findings) {
    const mark =
      severity === "error" ? style.bad(severity) : severity === "warning" ? style.warn(severity) : style.dim(severity);
    terminal.print(`${oneLine(file)}:${line}:${column} ${mark} ${rule}: ${oneLine(message)}`);
    if (fix !== undefined) terminal.print(`  ${style.dim("what to do:")} ${fix}`);
  }
}
