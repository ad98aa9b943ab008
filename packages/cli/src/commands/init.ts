import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { isFactoryError } from "@touchmark/core";
import { type Command, given } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { oneLine, type Terminal } from "../terminal.ts";

/** `touchmark init`: proposes a pipeline from what the project says of itself. */
export const command: Command = {
  name: "init",
  summary: "propose a touchmark.yaml for this repository",
  description:
    "Reads package.json, go.mod, pyproject.toml, Cargo.toml, pom.xml and Makefile, and proposes a pipeline: dependencies are fetched in steps of their own, everything else runs without network. Nothing of the project is executed. On first use the installed clients are asked for their repositories, which become the trusted ones of the factory.",
  options: [
    { flags: "--yes", description: "write it without asking" },
    { flags: "--force", description: "replace a touchmark.yaml that is there" },
    { flags: "--json", description: "print the proposal as JSON, and write nothing" },
  ],
  examples: [
    ["touchmark init", "shows the proposal and asks"],
    ["touchmark init --yes", "writes touchmark.yaml; commit it, then: touchmark run"],
  ],
  async run(invocation, terminal) {
    const { PIPELINE_FILE, proposePipeline } = await import("@touchmark/pipeline");
    const proposal = proposePipeline(terminal.directory);
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
