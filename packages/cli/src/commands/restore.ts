import { resolve } from "node:path";
import { restore } from "@touchmark/store";
import { type Command, given, text } from "../command.ts";

/** `touchmark restore`: a backup becomes a new home, every digest checked. */
export const command: Command = {
  name: "restore",
  summary: "read a backup into a new TOUCHMARK_HOME",
  arguments: [{ name: "file", description: "a file that touchmark backup wrote", required: true }],
  options: [
    {
      flags: "--home <dir>",
      description: "the new home, which must not exist (default: TOUCHMARK_HOME or the usual place)",
    },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark restore factory.tar --home /srv/touchmark", "verifies every digest, then moves it into place at once"],
  ],
  async run(invocation, terminal) {
    const { defaultHomePath } = await import("@touchmark/store");
    const home = resolve(terminal.directory, text(invocation, "home") ?? defaultHomePath(terminal.environment));
    const report = await restore(resolve(terminal.directory, invocation.arguments[0] ?? ""), home);
    if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
    else terminal.print(`restored ${report.entries} entries to ${report.home}`);
    return 0;
  },
};
