import { CommanderError, Option, Command as Parser } from "commander";
import type { Command, Invocation } from "./command.ts";
import { cliErrors } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** Reads the words after the command's name. Returns undefined when they asked for help, which is shown. @throws CLI_USAGE */
export function parseWords(command: Command, words: readonly string[], terminal: Terminal): Invocation | undefined {
  const parser = parserOf(command, terminal);
  let invocation: Invocation | undefined;
  parser.action(() => {
    invocation = { arguments: parser.args, options: parser.opts() };
  });
  try {
    parser.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help") return undefined;
    throw cliErrors.make("CLI_USAGE", error.message.replace(/^error: /, ""), {
      hint: `touchmark ${command.name} --help`,
    });
  }
  return invocation;
}

function parserOf(command: Command, terminal: Terminal): Parser {
  const parser = new Parser(`touchmark ${command.name}`)
    .description(command.description ?? command.summary)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.write(text), writeErr: () => {} })
    .helpOption("-h, --help", "show this help")
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
  for (const argument of command.arguments ?? []) {
    const name = argument.variadic === true ? `${argument.name}...` : argument.name;
    parser.argument(argument.required === true ? `<${name}>` : `[${name}]`, argument.description);
  }
  for (const spec of command.options ?? []) {
    const option = new Option(spec.flags, spec.description);
    if (spec.choices !== undefined) option.choices(spec.choices);
    const environmentValue = spec.environment === undefined ? undefined : terminal.environment[spec.environment];
    if (environmentValue !== undefined) option.default(environmentValue, `$${spec.environment}`);
    if (spec.repeatable === true) {
      option.argParser((value: string, previous: unknown) => [
        ...(Array.isArray(previous) ? (previous as string[]) : []),
        value,
      ]);
    }
    parser.addOption(option);
  }
  const examples = command.examples.map(([line, remark]) => `  ${line}\n      ${remark}`).join("\n");
  const own = (command.subcommands ?? []).map(
    (row) => `  touchmark ${command.name} ${row.name.padEnd(14)} ${row.summary}`,
  );
  const further = own.length === 0 ? "" : `\nFurther forms:\n${own.join("\n")}\n`;
  return parser.addHelpText("after", `${further}\nExamples:\n${examples}`);
}
