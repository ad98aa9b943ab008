import type { Command } from "../command.ts";
import { printableLog } from "../terminal.ts";

const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** `touchmark logs`: what a step printed, as it printed it; on a screen, what would act on the screen is shown instead. */
export const command: Command = {
  name: "logs",
  summary: "show what a step printed",
  arguments: [
    { name: "run", description: "a run, by its name in touchmark runs; latest for the newest", required: true },
    { name: "step", description: "a step (default: every step, with headings)" },
  ],
  examples: [
    ["touchmark logs latest build", "what the step build of the newest run printed"],
    ["touchmark logs 20261121-101500123-9f2c1a00", "every step of one run"],
  ],
  async run(invocation, terminal) {
    const { findRun, openFactory, pipelineErrors } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    try {
      const record = await findRun(factory, invocation.arguments[0] ?? "latest");
      const wanted = invocation.arguments[1];
      const names = record.steps.map((step) => step.name);
      if (wanted !== undefined && !names.includes(wanted)) {
        throw pipelineErrors.make(
          "STEP_UNKNOWN",
          `expected one of ${names.join(", ")}, found ${JSON.stringify(wanted)}`,
        );
      }
      for (const name of wanted === undefined ? names : [wanted]) {
        if (wanted === undefined) terminal.print(terminal.style.bold(`== ${name}`));
        if (record.steps.find((step) => step.name === name)?.cached === true)
          terminal.note(`${name} was taken from an earlier run, whose log holds what it printed`);
        const log = await factory.runs.readLog(record.id, name, { maxBytes: MAX_LOG_BYTES });
        terminal.write(terminal.screen ? `${printableLog(Buffer.from(log).toString("utf8"))}\u001b[0m` : log);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};
