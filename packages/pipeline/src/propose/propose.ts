import { basename, resolve } from "node:path";
import { ProjectFiles } from "./project-files.ts";
import type { Proposal, ProposalFinding, ToolchainsFor } from "./proposal.ts";
import { proposeGo } from "./propose-go.ts";
import { proposeMake } from "./propose-make.ts";
import { proposeMaven } from "./propose-maven.ts";
import { proposeNode } from "./propose-node.ts";
import { proposePython } from "./propose-python.ts";
import { proposeRust } from "./propose-rust.ts";
import { hostToolchains } from "./toolchains.ts";
import { slug, writeProposal } from "./write-proposal.ts";

export interface PipelineProposal {
  /** A commented touchmark.yaml, valid and without findings of the lint that are errors. */
  readonly yaml: string;
  /** What the person should know or do first. */
  readonly findings: readonly ProposalFinding[];
  /** Files that led to the proposal. */
  readonly languages: readonly string[];
}

/**
 * Reads how a project is built (package.json, go.mod, pyproject.toml, Cargo.toml, pom.xml, Makefile, several
 * together), and proposes a pipeline: dependencies are fetched in steps of their own, everything else runs without
 * network. Nothing of the project is executed.
 *
 * @param options.toolchainsFor which toolchains of this host must be declared; default: asked of PATH
 */
export function proposePipeline(
  directory: string,
  options: { readonly toolchainsFor?: ToolchainsFor } = {},
): PipelineProposal {
  const files = new ProjectFiles(directory);
  const toolchainsFor = options.toolchainsFor ?? hostToolchains(process.env["PATH"] ?? "");
  const ecosystems = [proposeNode, proposeGo, proposePython, proposeRust, proposeMaven];
  const found = ecosystems.flatMap((propose): Proposal[] => {
    const proposal = propose(files, toolchainsFor);
    return proposal ? [proposal] : [];
  });
  const proposals = found.filter((proposal) => proposal.steps.length > 0);
  const findings: ProposalFinding[] = found
    .filter((proposal) => proposal.steps.length === 0)
    .flatMap((p) => p.findings);
  const make = proposeMake(files, toolchainsFor);
  if (make && proposals.length === 0) proposals.push(make);
  else if (make) {
    findings.push({
      severity: "note",
      file: "Makefile",
      message: "it is not used: the manifests of the languages say more",
      fix: "Call it in a step with `command: [make, TARGET]` where it does something of its own.",
    });
  }
  if (proposals.length === 0) proposals.push(nothingKnown());
  const project = slug(proposals.find((p) => p.project !== undefined)?.project ?? basename(resolve(directory)));
  findings.push(...proposals.flatMap((p) => p.findings));
  if (files.has(".gitmodules")) {
    findings.push({
      severity: "warning",
      file: ".gitmodules",
      message: "the project has submodules, which are refused unless they are declared",
      fix: "Add `source: { submodules: true }`.",
    });
  }
  return { yaml: writeProposal(project, proposals), findings, languages: proposals.map((p) => p.language) };
}

function nothingKnown(): Proposal {
  return {
    language: "other",
    tools: [],
    steps: [
      {
        name: "build",
        comment: "Nothing here says how the project is built. Write it down: this keeps the sources as they are.",
        run: ['cp -R . "$TOUCHMARK_OUTPUT"'],
        inputs: [{ from: "source", at: "/work/source" }],
        limits: { memory: "1GiB", pids: 64, time: "5m", output: "1GiB" },
      },
    ],
    artifacts: [
      { name: "sources", from: "build", path: ".", kind: "directory", description: "The files of the project." },
    ],
    findings: [
      {
        severity: "warning",
        file: ".",
        message: "no package.json, go.mod, pyproject.toml, Cargo.toml, pom.xml or Makefile was found",
        fix: "Write the commands of the build into the step build.",
      },
    ],
  };
}
