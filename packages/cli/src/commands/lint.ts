import { type Command, given, text } from "../command.ts";
import { writeNamedFile } from "../output/file.ts";
import { oneLine, type Terminal } from "../terminal.ts";
import type { LintedFiles, LintedFinding } from "./lint/lint-files.ts";

/** `touchmark lint`: what weakens a build, with line and remedy. */
export const command: Command = {
  name: "lint",
  summary: "check touchmark.yaml and container files for what weakens a build",
  description:
    "Looks into touchmark.yaml, Dockerfiles, Compose files, Kubernetes manifests, Helm charts, Makefiles and shell scripts. Without a path it finds them below the current directory: what git tracks or does not ignore, or everything where there is no repository. A finding is set aside by a comment `# touchmark-ignore: RULE why`, and is then shown as suppressed. Exit 3 when one is an error.",
  arguments: [{ name: "path", description: "files and directories (default: the current directory)", variadic: true }],
  options: [
    { flags: "--format <form>", description: "text (default), json or sarif", choices: ["text", "json", "sarif"] },
    { flags: "--json", description: "machine-readable output; the same as --format json" },
    { flags: "--output <file>", description: "write the report to this file" },
  ],
  examples: [
    ["touchmark lint", "findings with line, rule and how to fix; exit 3 when one is an error"],
    ["touchmark lint Dockerfile deploy/", "a file, and everything in a directory"],
    ["touchmark lint --format sarif --output lint.sarif", "for code hosts, which show findings beside the lines"],
  ],
  async run(invocation, terminal) {
    const { lintPaths } = await import("./lint/lint-files.ts");
    const linted = lintPaths(invocation.arguments, terminal);
    const format = given(invocation, "json") ? "json" : (text(invocation, "format") ?? "text");
    const report = await reportOf(linted, format, terminal);
    const output = text(invocation, "output");
    if (output === undefined) terminal.print(report);
    else {
      writeNamedFile(terminal, output, `${report}\n`);
      terminal.note(summary(linted));
    }
    return counted(linted.findings).errors > 0 ? 3 : 0;
  },
};

async function reportOf(linted: LintedFiles, format: string, terminal: Terminal): Promise<string> {
  if (format === "json") return JSON.stringify({ ...linted, ...counted(linted.findings) });
  if (format === "text")
    return [...linted.findings.map((finding) => lineOf(finding, terminal)), summary(linted)].join("\n");
  const { containerRules, sarifReport } = await import("@touchmark/formats/container-files");
  const { lintRules } = await import("@touchmark/formats/pipeline");
  const { productVersion } = await import("@touchmark/pipeline");
  const container = Object.entries(containerRules).map(([id, row]) => ({ id, ...row }));
  const pipeline = Object.entries(lintRules)
    .filter(([id]) => !Object.hasOwn(containerRules, id))
    .map(([id, why]) => ({
      id,
      title: id.replaceAll("-", " "),
      why,
      fix: why,
      severity: "warning" as const,
      practice: undefined,
    }));
  return JSON.stringify(sarifReport(productVersion, [...container, ...pipeline], linted.findings), undefined, 2);
}

function lineOf(
  { file, line, column, rule, severity, message, fix, suppressed }: LintedFinding,
  { style }: Terminal,
): string {
  const place = `${oneLine(file)}:${line}:${column}`;
  if (suppressed !== undefined) {
    return style.dim(`${place} suppressed ${rule}: ${oneLine(message)} (${oneLine(suppressed)})`);
  }
  const mark =
    severity === "error" ? style.bad(severity) : severity === "warning" ? style.warn(severity) : style.dim(severity);
  return `${place} ${mark} ${rule}: ${oneLine(message)}\n  ${style.dim("what to do:")} ${oneLine(fix)}`;
}

function counted(findings: readonly LintedFinding[]) {
  const open = findings.filter(({ suppressed }) => suppressed === undefined);
  const of = (severity: string) => open.filter((finding) => finding.severity === severity).length;
  return { errors: of("error"), warnings: of("warning"), notes: of("note"), suppressed: findings.length - open.length };
}

function summary({ files, findings }: LintedFiles): string {
  const { errors, warnings, notes, suppressed } = counted(findings);
  const aside = suppressed === 0 ? "" : `, ${suppressed} suppressed`;
  const seen = `${files.length} ${files.length === 1 ? "file" : "files"}`;
  if (errors + warnings + notes === 0) return `${seen}: nothing found${aside}`;
  return `${seen}: ${errors} errors, ${warnings} warnings, ${notes} notes${aside}`;
}
