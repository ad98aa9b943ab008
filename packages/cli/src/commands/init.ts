import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { isFactoryError } from "@touchmark/core";
import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { oneLine, type Terminal } from "../terminal.ts";

/** `touchmark init`: proposes a pipeline from what the project says of itself. */
export const command: Command = {
  name: "init",
  summary: "propose a touchmark.yaml for this repository",
  description:
    "Reads package.json, go.mod, pyproject.toml, Cargo.toml, pom.xml and Makefile, and proposes a pipeline: dependencies are fetched in steps of their own, everything else runs without network. Nothing of the project is executed. On first use the installed clients are asked for their repositories, which become the trusted ones of the factory.",
  options: [
    { flags: "--template <name>", description: "begin with a template of the library instead (docs/pipeline.md)" },
    { flags: "--yes", description: "write it without asking" },
    { flags: "--force", description: "replace a touchmark.yaml that is there" },
    { flags: "--json", description: "print the proposal as JSON, and write nothing" },
  ],
  examples: [
    ["touchmark init", "shows the proposal and asks"],
    ["touchmark init --yes", "writes touchmark.yaml; commit it, then: touchmark run"],
    ["touchmark init --template node-package --yes", "a pipeline that descends from an approved template"],
  ],
  async run(invocation, terminal) {
    const { PIPELINE_FILE, proposePipeline } = await import("@touchmark/pipeline");
    const wanted = text(invocation, "template");
    const proposal = wanted === undefined ? proposePipeline(terminal.directory) : await fromTemplate(terminal, wanted);
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify(proposal, undefined, 2));
      return 0;
    }
    const path = join(terminal.directory, PIPELINE_FILE);
    if (existsSync(path) && !given(invocation, "force")) {
      throw cliErrors.make("CLI_FILE_EXISTS", `${PIPELINE_FILE} is there already`, {
        hint: "touchmark lint checks it; --force replaces it",
      });
    }
    const { style } = terminal;
    for (const finding of proposal.findings) {
      terminal.note(`${style.warn(finding.severity)} ${finding.file}: ${finding.message}`);
      terminal.note(`  ${style.dim("what to do:")} ${finding.fix}`);
    }
    if (!given(invocation, "yes")) {
      terminal.print(proposal.yaml);
      if (!(await confirmed(terminal.live, terminal.stdin))) {
        terminal.note("nothing written; touchmark init --yes writes it");
        return 0;
      }
    }
    writeFileSync(path, proposal.yaml, { flag: given(invocation, "force") ? "w" : "wx" });
    terminal.note(`wrote ${PIPELINE_FILE} (${proposal.languages.join(", ") || "nothing recognised"})`);
    await askForRepositories(terminal);
    terminal.note("next: git add touchmark.yaml && git commit, then: touchmark run");
    return 0;
  },
};

/** A template of the library as a proposal. @throws CLI_USAGE */
async function fromTemplate(terminal: Terminal, name: string) {
  const { pipelineTemplate, pipelineTemplates, templateText } = await import("@touchmark/formats/pipeline");
  const template = pipelineTemplate(name);
  if (template === undefined) {
    const known = pipelineTemplates.map((each) => `${each.name} (${each.title.replace(/\.$/, "")})`).join(", ");
    throw cliErrors.make("CLI_USAGE", `expected a template, found ${JSON.stringify(name.slice(0, 80))}`, {
      hint: `there are ${known}`,
    });
  }
  const project =
    basename(terminal.directory)
      .replaceAll(/[^A-Za-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "") || "project";
  const open = Object.entries(template.blanks).filter(([blank]) => blank !== "project");
  return {
    yaml: templateText(template, { project }),
    languages: [template.name],
    findings: open.map(([blank, { description, example }]) => ({
      severity: "note",
      file: "touchmark.yaml",
      message: `${blank}: ${description} It is ${example} now.`,
      fix: "Change it where it stands.",
    })),
  };
}

/** The first use of a factory: what the user's clients fetch from is written down. `touchmark.yaml` stands either way. */
async function askForRepositories(terminal: Terminal): Promise<void> {
  const { openFactory, userConfiguration } = await import("@touchmark/pipeline");
  try {
    const factory = await openFactory({ create: true });
    try {
      await userConfiguration(factory, terminal.environment, (text) => terminal.note(oneLine(text)));
    } finally {
      await factory.close();
    }
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    terminal.note(
      `${terminal.style.warn("warning")} the repositories of this host were not written down: ${oneLine(`${error.code}: ${error.message}`)}`,
    );
  }
}

/** Asks once, on a terminal; elsewhere nobody is there to answer. */
async function confirmed(live: boolean, input: NodeJS.ReadStream): Promise<boolean> {
  if (!live || input.isTTY !== true) return false;
  const questions = createInterface({ input, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await questions.question("write this touchmark.yaml? [y/N] ")).trim());
  } finally {
    questions.close();
  }
}
