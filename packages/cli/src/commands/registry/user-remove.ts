import { type Command, given } from "../../command.ts";
import { withRegistryHome } from "./place.ts";
import { usersFile, usersOptions } from "./users-file.ts";

/** `touchmark registry user remove`: takes a user out. */
export const command: Command = {
  name: "registry user remove",
  summary: "take a user out; its tokens end at once",
  arguments: [{ name: "name", description: "name of the user", required: true }],
  options: [...usersOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark registry user remove ada", "what she pushed stays"]],
  async run(invocation, terminal) {
    const [name = ""] = invocation.arguments;
    return withRegistryHome(invocation, terminal, false, async (home) => {
      const file = await usersFile(invocation, terminal, home);
      if (!file.configuration.users.has(name)) {
        const { registryAuthorityErrors } = await import("@touchmark/registry");
        throw registryAuthorityErrors.make(
          "REGISTRY_AUTH_USER_UNKNOWN",
          `expected a user in ${file.path}, found none named ${JSON.stringify(name.slice(0, 80))}`,
        );
      }
      await file.write(name, undefined);
      if (given(invocation, "json"))
        terminal.print(JSON.stringify({ user: name, outcome: "removed", file: file.path }));
      else terminal.print(`removed ${name} from ${file.path}`);
      return 0;
    });
  },
};
