import { resolve } from "node:path";
import { backup, openHome } from "@touchmark/store";
import { type Command, given } from "../command.ts";
import { size } from "../output/quantity.ts";

/** `touchmark backup`: the whole home as one file. It holds keys. */
export const command: Command = {
  name: "backup",
  summary: "write TOUCHMARK_HOME to one file",
  description:
    "Writes evidence, log, keys and trees to one tar file, while others go on working. The file holds keys: keep it as you keep them.",
  arguments: [{ name: "file", description: "the file to write; it must not exist", required: true }],
  options: [
    { flags: "--without-trees", description: "leave out step outputs, which can be made again" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [["touchmark backup factory.tar", "then: touchmark restore factory.tar --home NEW"]],
  async run(invocation, terminal) {
    const home = await openHome();
    try {
      const file = resolve(terminal.directory, invocation.arguments[0] ?? "");
      const report = await backup(home, file, { withoutTrees: given(invocation, "withoutTrees") });
      if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
      else terminal.print(`wrote ${report.file}: ${report.entries} entries, ${size(report.bytes)}\n${report.digest}`);
      return 0;
    } finally {
      await home.close();
    }
  },
};
