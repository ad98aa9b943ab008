import { exitCodes } from "@touchmark/core";
import { type Command, given } from "../../command.ts";
import { oneLine } from "../../terminal.ts";
import { placeOptions, withRegistryBackend } from "./place.ts";

/** `touchmark registry fsck`: reads everything again. */
export const command: Command = {
  name: "registry fsck",
  summary: "read everything again, and name what is damaged",
  description:
    "Hashes every blob and manifest of the registry, and follows every reference. Exit code 3 when anything is damaged, missing or leads nowhere. Content that is pushed again is whole again.",
  options: [...placeOptions, { flags: "--json", description: "machine-readable report" }],
  examples: [["touchmark registry fsck", "after a disk failed"]],
  async run(invocation, terminal) {
    const findings = await withRegistryBackend(invocation, terminal, (backend) => backend.fsck());
    const code = findings.length === 0 ? 0 : exitCodes.refused;
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify({ findings }, undefined, 2));
      return code;
    }
    const { style } = terminal;
    for (const { code: name, message } of findings) terminal.print(`${style.bad(name)}: ${oneLine(message)}`);
    terminal.print(code === 0 ? style.good("whole") : style.bad(`${findings.length} findings`));
    return code;
  },
};
