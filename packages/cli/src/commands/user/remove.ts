import { type Command, given } from "../../command.ts";

/** `touchmark user remove`: a person signs no more. */
export const command: Command = {
  name: "user remove",
  summary: "let a person sign no more",
  description: "No certificate is issued to the key from now on. What was signed before stays, with its time.",
  arguments: [{ name: "name", description: "an enrolled person", required: true }],
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark user remove ada", "signed and logged"]],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { removeUser } = await import("@touchmark/pipeline/people");
    const factory = await openFactory();
    try {
      const { name, identity, publicKey } = await removeUser(factory, invocation.arguments[0] ?? "");
      if (given(invocation, "json")) terminal.print(JSON.stringify({ name, identity, publicKey, state: "removed" }));
      else terminal.print(`${identity} signs no more`);
      return 0;
    } finally {
      await factory.close();
    }
  },
};
