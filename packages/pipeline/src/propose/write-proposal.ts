import type { Proposal, ProposedStep } from "./proposal.ts";

/** Writes proposals as one commented touchmark.yaml. */
export function writeProposal(project: string, proposals: readonly Proposal[]): string {
  const several = proposals.length > 1;
  const list = (words: Iterable<string>) => `[${[...new Set(words)].map(scalar).join(", ")}]`;
  const lines = [
    "# How this project is built. Read it, change it, commit it: `touchmark run` takes it from the commit.",
    "# Reference: docs/pipeline.md of touchmark; `touchmark lint` checks it, `touchmark schema pipeline` describes it.",
    "touchmark: pipeline/v1",
    `project: ${scalar(project)}`,
    `languages: ${list(proposals.map((p) => p.language))}`,
    `tools: ${list(proposals.flatMap((p) => p.tools))}`,
    "",
    "pipelines:",
    "  default:",
    "    steps:",
  ];
  for (const proposal of proposals) {
    const name = (step: string) => (several && step !== "source" ? `${step}-${proposal.language}` : step);
    for (const step of proposal.steps) lines.push(...writeStep(step, name));
  }
  const artifacts = proposals.flatMap((proposal) =>
    proposal.artifacts.map((a) => ({
      ...a,
      from: several ? `${a.from}-${proposal.language}` : a.from,
      language: proposal.language,
    })),
  );
  if (artifacts.length > 0) {
    lines.push("    # What leaves the factory, with evidence.", "    artifacts:");
    const taken = new Set<string>();
    for (const artifact of artifacts) {
      const name = taken.has(artifact.name.toLowerCase()) ? `${artifact.name}-${artifact.language}` : artifact.name;
      taken.add(name.toLowerCase());
      lines.push(
        `      ${scalar(slug(name))}:`,
        `        description: ${scalar(artifact.description)}`,
        `        from: ${scalar(artifact.from)}`,
        `        path: ${scalar(artifact.path)}`,
        `        kind: ${artifact.kind}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function writeStep(step: ProposedStep, name: (step: string) => string): string[] {
  const lines = [`      # ${step.comment}`, `      ${name(step.name)}:`];
  const write = (line: string) => lines.push(`        ${line}`);
  if (step.command) write(`command: [${step.command.map(scalar).join(", ")}]`);
  if (step.run) {
    write("run: |");
    for (const line of step.run) write(`  ${line}`);
  }
  write("inputs:");
  for (const input of step.inputs) {
    const value = input.write ? `{ at: ${input.at}, access: copy-on-write }` : input.at;
    write(`  ${name(input.from)}: ${value}`);
  }
  if (step.output) write(`output: ${step.output}`);
  const environment = Object.entries(step.environment ?? {});
  if (environment.length > 0) {
    write("environment:");
    for (const [variable, value] of environment) write(`  ${variable}: ${JSON.stringify(value)}`);
  }
  if (step.fetch) write("network: fetch");
  if (step.toolchains && step.toolchains.length > 0) write(`toolchains: [${step.toolchains.map(scalar).join(", ")}]`);
  const { memory, pids, time, output } = step.limits;
  write(`limits: { memory: ${memory}, pids: ${pids}, time: ${time}, output: ${output} }`);
  return lines;
}

// Plain where every YAML reader agrees that it is text, quoted otherwise.
function scalar(text: string): string {
  const plain = /^[A-Za-z/][A-Za-z0-9 ./_+=-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return plain && !text.endsWith(" ") ? text : JSON.stringify(text);
}

/** A name that a project, step or artifact may have. */
export function slug(text: string): string {
  const clean = text
    .replace(/^@/, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  return clean === "" || clean === "source" ? "project" : clean;
}
