import type { WrittenUser } from "@touchmark/formats/registry";
import { type Command, given, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { readPassword } from "./password.ts";
import { withRegistryHome } from "./place.ts";
import { usersFile, usersOptions } from "./users-file.ts";

/** `touchmark registry user add`: a user with a password. */
export const command: Command = {
  name: "registry user add",
  summary: "add a user, or change a password or grants",
  description:
    "Asks for a password on the terminal, or takes the first line of standard input; never from the command line. With --grant the user gets exactly these grants; without, a known user keeps what it had.",
  arguments: [{ name: "name", description: "lower-case name of the user", required: true }],
  options: [
    {
      flags: "--grant <pattern=actions>",
      description: "repositories and actions: team/**=pull,push; may stand several times",
      repeatable: true,
    },
    ...usersOptions,
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark registry user add ada --grant 'team/**=pull,push'", "asks for a password, twice"],
    ["pass show registry/ci | touchmark registry user add ci --grant '**=pull'", "takes it from another program"],
  ],
  async run(invocation, terminal) {
    const [name = ""] = invocation.arguments;
    const grants = grantsOf(texts(invocation, "grant"));
    return withRegistryHome(invocation, terminal, true, async (home) => {
      const file = await usersFile(invocation, terminal, home);
      const password = await readPassword(terminal, `password of ${name}: `);
      if (terminal.stdin.isTTY && (await readPassword(terminal, "again: ")) !== password) {
        throw cliErrors.make("CLI_USAGE", "expected the same password twice, found two");
      }
      const { hashPassword } = await import("@touchmark/registry");
      const { text: hash } = await hashPassword(password);
      await file.write(name, { password: hash, ...(grants === undefined ? {} : { grants }) });
      const verb = file.configuration.users.has(name) ? "changed" : "added";
      if (given(invocation, "json")) terminal.print(JSON.stringify({ user: name, outcome: verb, file: file.path }));
      else terminal.print(`${verb} ${name} in ${file.path}`);
      return 0;
    });
  },
};

function grantsOf(words: readonly string[]): WrittenUser["grants"] {
  if (words.length === 0) return undefined;
  const grants: Record<string, string[]> = {};
  for (const word of words) {
    const [pattern = "", actions = ""] = word.split("=");
    if (pattern === "" || actions === "" || word.split("=").length !== 2) {
      throw cliErrors.make("CLI_USAGE", `expected --grant PATTERN=ACTIONS, found ${JSON.stringify(word.slice(0, 80))}`);
    }
    grants[pattern] = [...new Set([...(grants[pattern] ?? []), ...actions.split(",")])];
  }
  return grants;
}
