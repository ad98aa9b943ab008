import { type Command, given } from "../../command.ts";

/** `touchmark user list`: who may sign. */
export const command: Command = {
  name: "user list",
  summary: "who is enrolled, in which roles, and who was",
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark user list", "name, roles, key and since when"]],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { users } = await import("@touchmark/pipeline/people");
    const factory = await openFactory();
    try {
      const known = await users(factory);
      if (given(invocation, "json")) {
        const rows = known.map(({ name, identity, roles, publicKey, state, since }) => ({
          ...{ name, identity, roles, publicKey, state, since: since.toISOString() },
        }));
        terminal.print(JSON.stringify({ users: rows }, undefined, 2));
        return 0;
      }
      for (const { name, roles, publicKey, state, since } of known) {
        const what = state === "enrolled" ? roles.join(", ") : terminal.style.warn("removed");
        terminal.print(`${name.padEnd(20)} ${what}  ${publicKey}  since ${since.toISOString().slice(0, 10)}`);
      }
      if (known.length === 0) terminal.print("nobody is enrolled");
      return 0;
    } finally {
      await factory.close();
    }
  },
};
