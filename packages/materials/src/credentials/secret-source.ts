import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import type { CredentialBinding, CredentialSource } from "../configuration/configuration.ts";
import { credentialErrors } from "./errors.ts";

/** Variables that a program which prints a secret sees: enough to find its own keys, and none of the others' secrets. */
const passedOn = ["PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_CONFIG_HOME"];
const longest = 16_384;
const patience = 30_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a secret from where its binding says. @throws CREDENTIAL_FILE_MODE | CREDENTIAL_UNAVAILABLE | CREDENTIAL_MALFORMED */
export async function readSecret({ name, from }: CredentialBinding, environment: Environment): Promise<string> {
  const secret = (await read(name, from, environment)).replace(/\r?\n$/, "");
  if (secret.length < 6 || secret.length > longest || !/^[\u0020-\u007e]+$/.test(secret)) {
    throw credentialErrors.make(
      "CREDENTIAL_MALFORMED",
      `credential ${name}: expected one line of 6 to ${longest} printable characters, found something else`,
    );
  }
  return secret;
}

function read(name: string, from: CredentialSource, environment: Environment): Promise<string> | string {
  switch (from.kind) {
    case "file":
      return readSafely(name, from.path);
    case "environment": {
      const value = environment[from.name];
      if (value === undefined || value === "") throw unavailable(name, `the variable ${from.name} is not set`);
      return value;
    }
    case "keyring": {
      const words = Object.entries(from.attributes).flat();
      return ask(name, "secret-tool", ["lookup", ...words], environment);
    }
    case "command":
      return ask(name, from.program, from.words, environment);
  }
}

async function readSafely(name: string, path: string): Promise<string> {
  const file = await open(path, "r").catch(() => {
    throw unavailable(name, `the file ${path} cannot be read`);
  });
  try {
    // Asked of the open file, so that nobody swaps it in between.
    const facts = await file.stat();
    if (!facts.isFile()) throw unavailable(name, `${path} is no file`);
    const own = process.getuid?.();
    if (own !== undefined && facts.uid !== own && facts.uid !== 0) {
      throw credentialErrors.make(
        "CREDENTIAL_FILE_MODE",
        `credential ${name}: expected ${path} to be yours, found the owner ${facts.uid}`,
      );
    }
    const mode = facts.mode & 0o777;
    if (own !== undefined && (mode & 0o177) !== 0) {
      throw credentialErrors.make(
        "CREDENTIAL_FILE_MODE",
        `credential ${name}: expected ${path} with mode 600 or 400, found ${mode.toString(8)}`,
      );
    }
    if (facts.size > longest + 2) throw unavailable(name, `${path} is longer than ${longest} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function ask(name: string, program: string, words: readonly string[], environment: Environment): Promise<string> {
  const own = Object.fromEntries(passedOn.flatMap((key) => (environment[key] ? [[key, environment[key]]] : [])));
  return new Promise((resolve, reject) => {
    const options = { env: own, timeout: patience, maxBuffer: longest + 2, windowsHide: true } as const;
    execFile(program, [...words], options, (error, stdout) => {
      if (error === null) return resolve(stdout);
      // Neither the command line nor what it printed goes on: both may hold the secret.
      const { code, killed } = error as { code?: string | number; killed?: boolean };
      const why =
        code === "ENOENT"
          ? "is not on this host"
          : killed
            ? "took too long or said too much"
            : `failed (${code ?? "by a signal"})`;
      reject(unavailable(name, `the program ${program} ${why}`));
    });
  });
}

function unavailable(name: string, why: string): Error {
  return credentialErrors.make("CREDENTIAL_UNAVAILABLE", `credential ${name}: expected a secret, found that ${why}`);
}
