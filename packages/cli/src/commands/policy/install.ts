import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, given } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine } from "../../terminal.ts";

/** `touchmark policy install`: puts what was signed in force. */
export const command: Command = {
  name: "policy install",
  summary: "put a signed policy set, or a signed exception, in force",
  description:
    "A set needs its signatures (*.sigstore.json) and every document that it names, in one directory. Its version must be higher than the one in force, and enough of those who may sign it must have.",
  arguments: [
    {
      name: "path",
      description: "directory of a set, or a signed exception (*.sigstore.json)",
      required: true,
      variadic: true,
    },
  ],
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [
    ["touchmark policy install policies/", "the set there decides from now on"],
    ["touchmark policy install TICKET-12.sigstore.json", "the exception counts until its date"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { installSet, keepException } = await import("@touchmark/pipeline/policy");
    const factory = await openFactory({ create: true });
    try {
      const installed: unknown[] = [];
      for (const word of invocation.arguments) {
        const path = resolve(terminal.directory, word);
        if (isDirectory(path)) {
          const { set, signers, documents } = await installSet(factory, filesIn(path));
          const { name, version, expires } = set.document;
          installed.push({ set: { digest: set.digest, name, version, expires }, signers, documents });
          if (!given(invocation, "json")) {
            terminal.print(oneLine(`set ${name} version ${version}, ${documents} documents, until ${expires}`));
            terminal.print(oneLine(`signed by ${signers.join(", ")}`));
          }
        } else {
          const { exception, signer, bundle } = await keepException(factory, readFileSync(path));
          installed.push({ exception, signer, bundle });
          if (!given(invocation, "json")) {
            terminal.print(
              oneLine(`exception ${exception.id} of ${exception.policy}, until ${exception.expires}, by ${signer}`),
            );
          }
        }
      }
      if (given(invocation, "json")) terminal.print(JSON.stringify(installed, null, 2));
      return 0;
    } finally {
      await factory.close();
    }
  },
};

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw cliErrors.make("CLI_USAGE", `expected a directory or a file at ${JSON.stringify(path)}, found nothing`, {
      cause,
    });
  }
}

/** Every regular file of a directory, by name; sets are small. */
function filesIn(directory: string): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => ({ name, bytes: readFileSync(join(directory, name)) }));
}
