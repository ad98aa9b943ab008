import { existsSync } from "node:fs";
import { type Command, given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { userKeyPath, withPassphrase } from "../../user-key.ts";
import { readPassword } from "../registry/password.ts";

/** `touchmark user add`: a person's public key stands for the person. */
export const command: Command = {
  name: "user add",
  summary: "enrol a person's public key, in roles",
  description:
    "Without --key a P-256 key is made below the person's own configuration, unless it is there. --encrypt asks for a passphrase, which TOUCHMARK_KEY_PASSPHRASE may give.",
  arguments: [{ name: "name", description: "name in the identity spiffe://TD/user/NAME", required: true }],
  options: [
    { flags: "--role <role>", description: "a role in which the person may approve", repeatable: true },
    { flags: "--key <file>", description: "PEM file of the person's private or public key" },
    { flags: "--encrypt", description: "protect a key that is made with a passphrase" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark user add ada --role release-manager --role developer", "a key for ada, and two roles"],
    ["touchmark user add grace --role auditor --key grace.pub.pem", "grace keeps the private key"],
  ],
  async run(invocation, terminal) {
    const [name = ""] = invocation.arguments;
    const roles = texts(invocation, "role");
    if (roles.length === 0) {
      throw cliErrors.make("CLI_USAGE", "expected --role ROLE", { hint: "touchmark user add --help" });
    }
    const path = userKeyPath(terminal, invocation, name);
    const isMade = text(invocation, "key") === undefined && !existsSync(path);
    const { createUserKey, readUserPublicKey } = await import("@touchmark/pipeline/people");
    if (isMade) {
      const passphrase = given(invocation, "encrypt")
        ? (terminal.environment["TOUCHMARK_KEY_PASSPHRASE"] ?? (await readPassword(terminal, "passphrase: ")))
        : undefined;
      createUserKey(path, passphrase);
    }
    const spki = await withPassphrase(terminal, path, (passphrase) => readUserPublicKey(path, passphrase));
    const { openFactory } = await import("@touchmark/pipeline");
    const { enrolUser } = await import("@touchmark/pipeline/people");
    const factory = await openFactory({ create: true });
    try {
      const user = await enrolUser(factory, { name, roles, spki });
      const { identity, publicKey } = user;
      if (given(invocation, "json")) {
        terminal.print(JSON.stringify({ name, identity, roles: user.roles, publicKey, key: path, made: isMade }));
      } else {
        terminal.print(`${identity}  ${user.roles.join(", ")}\nkey ${publicKey}`);
        if (isMade) terminal.note(`made ${path}; it is nowhere else`);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};
