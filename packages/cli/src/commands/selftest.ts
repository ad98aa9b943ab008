import { fileURLToPath } from "node:url";
import { isDigest, rfc3339 } from "@touchmark/core";
import { type Command, given, text, texts } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { oneLine } from "../terminal.ts";

/** `touchmark selftest`: attacks the user's own pipeline. */
export const command: Command = {
  name: "selftest",
  summary: "attack your own pipeline: every violation must be refused",
  description:
    "Works on a copy of a revision, in a factory of its own. Plants violations in the pipeline, switches controls off, stops each component, alters evidence. No release may come out. The result is signed by your factory.",
  arguments: [{ name: "pipeline", description: "pipeline to attack (default: default)" }],
  options: [
    { flags: "--revision <revision>", description: "what to copy (default: HEAD)" },
    { flags: "--only <experiment>", description: "this experiment alone", repeatable: true },
    { flags: "--list", description: "list the experiments, and make none" },
    { flags: "--no-sign", description: "do not sign the result" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark selftest", "in a clone of your project: some minutes, once the build takes one"],
    ["touchmark selftest --only network --only no-log", "two experiments"],
  ],
  async run(invocation, terminal) {
    const { experiments, selfTest } = await import("../selftest/self-test.ts");
    const json = given(invocation, "json");
    if (given(invocation, "list")) {
      if (json)
        terminal.print(
          JSON.stringify(
            experiments.map(({ skip: _skip, attack: _attack, ...row }) => row),
            null,
            2,
          ),
        );
      else
        for (const { id, kind, attempt } of experiments)
          terminal.print(`${id.padEnd(18)} ${kind.padEnd(12)} ${attempt}`);
      return 0;
    }
    const { findRepositoryRoot, resolveRevision } = await import("@touchmark/source");
    const { openFactory, PIPELINE_FILE, productVersion, signControlTest } = await import("@touchmark/pipeline");
    const location = findRepositoryRoot(terminal.directory);
    if (location === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected to stand in a git repository", {
        hint: `cd into a clone with ${PIPELINE_FILE}`,
      });
    }
    const factory = await openFactory({ create: true });
    try {
      const startedAt = factory.clock.now();
      const { commit } = await resolveRevision({
        location,
        repositoryStore: factory.home.paths.repositories,
        revision: text(invocation, "revision") ?? "HEAD",
      });
      const pipeline = invocation.arguments[0] ?? "default";
      const { style } = terminal;
      const marks = {
        held: style.good("held"),
        leaked: style.bad("LEAKED"),
        broken: style.bad("BROKEN"),
        skipped: style.dim("skipped"),
      };
      const report = await selfTest({
        program: ownProgram(),
        ...{ location, revision: commit, pipeline },
        environment: terminal.environment,
        signal: terminal.signal,
        only: texts(invocation, "only"),
        onResult(result) {
          if (json) return;
          if (!("outcome" in result)) terminal.print(oneLine(`released  the unchanged pipeline: ${result.detail}`));
          else
            terminal.print(
              oneLine(`${marks[result.outcome].padEnd(9)} ${result.id.padEnd(18)} ${result.attempt}: ${result.detail}`),
            );
        },
      });
      const { baseline } = report;
      if (!isDigest(baseline)) throw new TypeError(`a run named no digest: ${baseline}`);
      const signed =
        invocation.options["sign"] === false
          ? undefined
          : await signControlTest(factory, {
              ...{ pipeline, baseline, experiments: report.experiments, outcome: report.outcome },
              source: { uri: `file://${location}`, commit },
              startedAt: rfc3339(startedAt),
              finishedAt: rfc3339(factory.clock.now()),
              version: productVersion,
            });
      if (json)
        terminal.print(
          JSON.stringify(
            { ...report, commit, pipeline, ...(signed && { bundle: signed.bundle, logIndex: signed.logIndex }) },
            null,
            2,
          ),
        );
      else {
        const count = (outcome: string): number => report.experiments.filter((each) => each.outcome === outcome).length;
        terminal.print(
          `${count("held")} held, ${count("leaked")} leaked, ${count("broken")} broken, ${count("skipped")} skipped`,
        );
        if (signed !== undefined) terminal.print(`signed as ${signed.bundle}, log entry ${signed.logIndex}`);
      }
      return report.outcome === "passed" ? 0 : 3;
    } finally {
      await factory.close();
    }
  },
};

/** This very command, for Node: as it was started, or from its sources. */
function ownProgram(): readonly string[] {
  const started = process.argv[1] ?? "";
  const isOurs = /(^|[/\\])main\.(js|ts)$/.test(started);
  return [isOurs ? started : fileURLToPath(new URL("../main.ts", import.meta.url))];
}
