import type { Command } from "./command.ts";
import { readPlainWords } from "./plain-words.ts";
import type { Terminal } from "./terminal.ts";

/** Reads the words after the command's name and runs it. Returns the exit code. @throws CLI_USAGE */
export async function invoke(command: Command, words: readonly string[], terminal: Terminal): Promise<number> {
  const rest = words.slice(1);
  if (command.subcommands !== undefined && !isMainForm(command, rest)) {
    const { chooseSubcommand } = await import("./subcommands.ts");
    const chosen = await chooseSubcommand(command, command.subcommands, rest, terminal);
    return typeof chosen === "number" ? chosen : invoke(chosen, rest, terminal);
  }
  const plain = readPlainWords(command, rest, terminal.environment);
  if (plain !== undefined) return command.run(plain, terminal);
  const { parseWords } = await import("./full-parser.ts");
  const parsed = parseWords(command, rest, terminal);
  return parsed === undefined ? 0 : command.run(parsed, terminal);
}

/** A command with arguments of its own is called as such, unless the first word names one of its subcommands. */
function isMainForm({ arguments: own, subcommands }: Command, [first]: readonly string[]): boolean {
  return own !== undefined && !(subcommands ?? []).some(({ name }) => name === first);
}
