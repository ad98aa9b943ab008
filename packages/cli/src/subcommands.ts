import type { Command, SubcommandRow } from "./command.ts";
import { cliErrors } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * The subcommand that the first word names; an exit code when the words only asked for help, which is shown.
 * @throws CLI_COMMAND_UNKNOWN
 */
export async function chooseSubcommand(
  command: Command,
  rows: readonly SubcommandRow[],
  words: readonly string[],
  terminal: Terminal,
): Promise<Command | number> {
  const [name] = words;
  if (name === undefined || name === "--help" || name === "-h") {
    terminal.print(helpOf(command, rows));
    return name === undefined ? 2 : 0;
  }
  const row = rows.find((candidate) => candidate.name === name);
  if (row !== undefined) return (await row.load()).command;
  const { nearestName } = await import("@touchmark/formats/pipeline");
  const near = nearestName(
    name,
    rows.map((candidate) => candidate.name),
  );
  throw cliErrors.make(
    "CLI_COMMAND_UNKNOWN",
    `expected a command of touchmark ${command.name}, found ${JSON.stringify(name)}`,
    {
      hint:
        near === undefined
          ? `touchmark ${command.name} --help lists the commands`
          : `did you mean: touchmark ${command.name} ${near}?`,
    },
  );
}

function helpOf(command: Command, rows: readonly SubcommandRow[]): string {
  return [
    `Usage: touchmark ${command.name} COMMAND [ARGUMENTS] [OPTIONS]      touchmark ${command.name} COMMAND --help`,
    "",
    command.description ?? command.summary,
    "",
    "Commands:",
    ...rows.map((row) => `  ${row.name.padEnd(16)} ${row.summary}`),
    "",
    "Examples:",
    ...command.examples.map(([line, remark]) => `  ${line}\n      ${remark}`),
  ].join("\n");
}
