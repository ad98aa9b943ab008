import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { duration } from "../output/quantity.ts";

/** Colour codes take no room on the screen. */
function pad(mark: string, state: string): string {
  return `${mark}${" ".repeat(Math.max(0, 11 - state.length))}`;
}

/** `touchmark runs`: what this factory has run. */
export const command: Command = {
  name: "runs",
  summary: "list runs",
  options: [
    { flags: "--limit <n>", description: "how many, newest first (default: 20)" },
    { flags: "--before <run>", description: "only runs before this one" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [["touchmark runs --limit 5", "the last five runs, newest first"]],
  async run(invocation, terminal) {
    const limit = Number(text(invocation, "limit") ?? "20");
    if (!Number.isInteger(limit) || limit < 1) throw cliErrors.make("CLI_USAGE", "expected --limit of at least 1");
    const { openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    try {
      const before = text(invocation, "before");
      const runs = await factory.runs.list({ limit, ...(before === undefined ? {} : { before }) });
      if (given(invocation, "json")) {
        terminal.print(
          JSON.stringify(
            runs.map(({ details: _details, bundles: _bundles, ...run }) => run),
            undefined,
            2,
          ),
        );
        return 0;
      }
      if (runs.length === 0) terminal.note("no runs yet; touchmark run makes the first");
      const { style } = terminal;
      for (const run of runs) {
        const took = run.finishedAt === null ? "" : duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt));
        const mark =
          run.state === "succeeded"
            ? style.good(run.state)
            : run.state === "running"
              ? run.state
              : style.bad(run.state);
        terminal.print(
          `${run.id}  ${pad(mark, run.state)}  ${run.project}/${run.pipeline}  ${run.startedAt.slice(0, 19)}Z  ${took}`,
        );
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};
