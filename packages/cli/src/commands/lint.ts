import type { Command } from "../command.ts";
import { readNamedFile } from "../output/file.ts";

/** `touchmark lint`: what weakens a build, with line and remedy. */
export const command: Command = {
  name: "lint",
  summary: "check touchmark.yaml for what weakens a build",
  arguments: [{ name: "file", description: "the pipeline file (default: touchmark.yaml)" }],
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark lint", "findings with line, rule and how to fix; exit 3 when one is an error"]],
  async run(invocation, terminal) {
    const path = invocation.arguments[0] ?? "touchmark.yaml";
    const content = readNamedFile(terminal, path, "a pipeline file").toString("utf8");
    const { lintPipeline, parsePipelineFile } = await import("@touchmark/formats/pipeline");
    const findings = lintPipeline(parsePipelineFile(content, path));
    if (invocation.options["json"] === true) terminal.print(JSON.stringify({ file: path, findings }));
    else {
      const { style } = terminal;
      for (const finding of findings) {
        const mark = finding.severity === "error" ? style.bad(finding.severity) : style.warn(finding.severity);
        terminal.print(`${path}:${finding.line}:${finding.column} ${mark} ${finding.rule}: ${finding.message}`);
        terminal.print(`  ${style.dim("what to do:")} ${finding.fix}`);
      }
      terminal.print(findings.length === 0 ? `${path}: nothing found` : `${findings.length} findings`);
    }
    return findings.some((finding) => finding.severity === "error") ? 3 : 0;
  },
};
