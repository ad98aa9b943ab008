import type { KeyObject } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Invocation, type OptionSpec, text } from "./command.ts";
import { readPassword } from "./commands/registry/password.ts";
import { cliErrors } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** The option of every command that signs as a person. */
export const keyOption: OptionSpec = {
  flags: "--key <file>",
  description: "private key of the person (default: the one that `user add` made)",
};

/** Where a person's key lies: outside of the home, with the person's own configuration. */
export function userKeyPath(terminal: Terminal, invocation: Invocation, name: string): string {
  const named = text(invocation, "key");
  if (named !== undefined) return resolve(terminal.directory, named);
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw cliErrors.make("CLI_USAGE", `expected a user's name, found ${JSON.stringify(name.slice(0, 80))}`);
  }
  const { XDG_CONFIG_HOME: configuration, HOME: home } = terminal.environment;
  const base = configuration?.startsWith("/") ? configuration : join(home ?? homedir(), ".config");
  return join(base, "touchmark", "keys", `${name}.pem`);
}

/** Opens a person's private key; its passphrase comes from the environment or the terminal. @throws USER_KEY_… */
export async function personKey(terminal: Terminal, invocation: Invocation, name: string): Promise<KeyObject> {
  const { openUserKey } = await import("@touchmark/pipeline/people");
  const path = userKeyPath(terminal, invocation, name);
  return withPassphrase(terminal, path, (passphrase) => openUserKey(path, passphrase));
}

/** Tries to open a key, and asks for its passphrase where it needs one and somebody sits at the terminal. */
export async function withPassphrase<T>(
  terminal: Terminal,
  path: string,
  open: (passphrase: string | undefined) => T,
): Promise<T> {
  const given = terminal.environment["TOUCHMARK_KEY_PASSPHRASE"];
  try {
    return open(given);
  } catch (error) {
    const isLocked = error instanceof Error && "code" in error && error.code === "USER_KEY_LOCKED";
    if (!isLocked || given !== undefined || !terminal.stdin.isTTY) throw error;
    return open(await readPassword(terminal, `passphrase of ${path}: `));
  }
}
