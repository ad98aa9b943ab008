import type { Command } from "../command.ts";

/** `touchmark debug`: a shell where a step was, which can sign nothing. */
export const command: Command = {
  name: "debug",
  summary: "open a shell in a fresh copy of a step's sandbox",
  description:
    "Makes the sandbox of the step again, with the same inputs, view, network and limits, and opens a shell in it. Nothing of it is kept, observed or signed.",
  arguments: [
    { name: "run", description: "a run, by its name in touchmark runs; latest for the newest", required: true },
    { name: "step", description: "the step", required: true },
  ],
  examples: [["touchmark debug latest build", "exit the shell to leave"]],
  async run(invocation, terminal) {
    const { debugStep, openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    const takeBack = terminal.lend();
    try {
      const [run = "latest", step = ""] = invocation.arguments;
      return await debugStep(factory, run, step, {
        environment: terminal.environment,
        signal: terminal.signal,
        say: (line) => terminal.note(line),
      });
    } finally {
      takeBack();
      await factory.close();
    }
  },
};
