import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import type { Command } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { progressDisplay } from "../output/progress.ts";
import { duration } from "../output/quantity.ts";
import { showFailures } from "../output/run-result.ts";
import { runExitCode } from "../pipeline-run.ts";

/** `touchmark demo`: the main job on real input, this repository. */
export const command: Command = {
  name: "demo",
  summary: "build this repository, verify it, alter it, see it refused",
  options: [{ flags: "--no-cache", description: "perform every step again" }],
  examples: [["touchmark demo", "in a clone of touchmark: HEAD, built by its own factory"]],
  async run(invocation, terminal) {
    const { availableParallelism } = await import("node:os");
    const { openFactory, runPipeline, verifyArtifact } = await import("@touchmark/pipeline");
    const { findRepositoryRoot, resolveRevision } = await import("@touchmark/source");
    const location = findRepositoryRoot(terminal.directory);
    if (location === undefined)
      throw cliErrors.make("CLI_USAGE", "expected to stand in a git repository", {
        hint: "cd into a clone of touchmark",
      });
    const { style } = terminal;
    const factory = await openFactory({ create: true });
    const display = progressDisplay(terminal);
    try {
      const head = await resolveRevision({
        location,
        repositoryStore: factory.home.paths.repositories,
        revision: "HEAD",
      });
      const outcome = await runPipeline(factory, {
        location,
        // The commit by its id: what is changed in the working tree is no part of it.
        revision: head.commit,
        jobs: availableParallelism(),
        cache: invocation.options["cache"] !== false,
        environment: terminal.environment,
        signal: terminal.signal,
        listener: display.listener,
      });
      display.close();
      if (outcome.status !== "succeeded") {
        showFailures(outcome, terminal);
        return runExitCode(outcome);
      }
      const [artifact] = outcome.artifacts;
      if (artifact === undefined) throw cliErrors.make("CLI_USAGE", "the pipeline has no artifact to verify");
      terminal.print("");
      terminal.print(`${style.bold("artifact")}  ${artifact.name}`);
      terminal.print(`digest    ${artifact.digest}`);
      terminal.print(`source    ${outcome.source.uri}\n          commit ${outcome.source.commit}`);
      terminal.print(
        `evidence  ${outcome.evidence} signed statements, each in the transparency log; built in ${duration(outcome.durationMs)}`,
      );
      for (const step of outcome.steps) {
        const seen = step.observation?.complete === true ? "observed completely" : "NOT observed completely";
        const network = step.network === "fetch" ? "recorded network" : "no network";
        terminal.print(
          `          ${step.name.padEnd(10)} ${step.isolation ?? ""}, ${network}, ${seen}${step.cached ? ", cached" : ""}`,
        );
      }
      terminal.print("");
      const path = factory.content.path(artifact.digest);
      const verdict = await verifyArtifact(factory, { digest: artifact.digest, path });
      terminal.print(`${style.good("accepted")}  touchmark verify ${artifact.digest}`);
      terminal.print(
        `          ${verdict.statements} statements verified: source, ${outcome.steps.length} steps, artifact are one chain`,
      );
      const refused = await verifyAltered(path, async (altered) => verifyArtifact(factory, altered));
      terminal.print(`${style.bad("refused")}   the same with one byte more: ${refused}`);
      terminal.print("");
      terminal.print("try next:");
      terminal.print(`  bin/touchmark show ${outcome.run}`);
      terminal.print(`  bin/touchmark export ${artifact.digest} --out /tmp/touchmark-export`);
      terminal.print("  bin/touchmark log fsck");
      return 0;
    } finally {
      display.close();
      await factory.close();
    }
  },
};

/** Verifies a copy with one byte more; answers the code that refused it. An altered copy that passes is a bug of ours. */
async function verifyAltered(
  path: string,
  verify: (altered: { digest: `sha256:${string}`; path: string }) => Promise<unknown>,
): Promise<string> {
  const { namedArtifact } = await import("@touchmark/pipeline");
  const directory = mkdtempSync(join(tmpdir(), "touchmark-demo-"));
  try {
    const altered = join(directory, "altered.tgz");
    copyFileSync(path, altered);
    appendFileSync(altered, "\n");
    const { digest } = await namedArtifact(altered);
    await verify({ digest, path: altered });
  } catch (error) {
    if (isFactoryError(error) && error.nature === "refused") return error.code;
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  throw new Error("an altered artifact was accepted");
}
