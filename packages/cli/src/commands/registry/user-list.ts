import { type Command, given } from "../../command.ts";
import { withRegistryHome } from "./place.ts";
import { usersFile, usersOptions } from "./users-file.ts";

/** `touchmark registry user list`: who has a password. */
export const command: Command = {
  name: "registry user list",
  summary: "users and what they may do",
  options: [...usersOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark registry user list", "names and grants, never hashes"]],
  async run(invocation, terminal) {
    return withRegistryHome(invocation, terminal, false, async (home) => {
      const { configuration } = await usersFile(invocation, terminal, home);
      const users = [...configuration.users.values()].map(({ name, grants }) => ({ name, grants }));
      if (given(invocation, "json")) terminal.print(JSON.stringify(users, undefined, 2));
      for (const { name, grants } of given(invocation, "json") ? [] : users) {
        const said = grants.map(({ repositories, actions }) => `${repositories}=${actions.join(",")}`);
        terminal.print(`${name.padEnd(16)} ${said.length === 0 ? "no grants" : said.join("  ")}`);
      }
      if (users.length === 0) terminal.note("no users; touchmark registry user add NAME");
      return 0;
    });
  },
};
