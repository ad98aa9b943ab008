import { type Digest, isDigest } from "@touchmark/core";
import { type Command, given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { readNamedFile } from "../../output/file.ts";
import { oneLine } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";

/** `touchmark vex add`: a person lets a document count. */
export const command: Command = {
  name: "vex add",
  summary: "let the statements of a document count here, signed, until a date",
  arguments: [{ name: "file", description: "a document of OpenVEX, CSAF or CycloneDX", required: true }],
  options: [
    { flags: "--approver <name>", description: "person who answers for it" },
    { flags: "--reason <text>", description: "why, for people" },
    { flags: "--expires <date>", description: "from when on it counts no more: 2027-01-31" },
    { flags: "--project <name>", description: "only for artifacts of this project", repeatable: true },
    { flags: "--artifact <digest>", description: "only for this artifact", repeatable: true },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark vex add vendor.json --approver Grace --reason 'their product page' --expires 2027-01-31", "until then"],
  ],
  async run(invocation, terminal) {
    const approver = text(invocation, "approver");
    const reason = text(invocation, "reason");
    if (approver === undefined || reason === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --approver NAME and --reason TEXT", {
        hint: "touchmark vex add --help",
      });
    }
    const artifacts = texts(invocation, "artifact").map(digestOf);
    const bytes = readNamedFile(terminal, invocation.arguments[0] ?? "", "a readable VEX document");
    const { openFactory } = await import("@touchmark/pipeline");
    const { keepVex } = await import("@touchmark/pipeline/analysis");
    // A home that only advisories were imported into has no identity to sign with yet.
    const factory = await openFactory({ create: true });
    try {
      const kept = await keepVex(factory, bytes, {
        ...{ approver, reason, artifacts, projects: [...texts(invocation, "project")] },
        ...expiryOf(text(invocation, "expires")),
      });
      const { digest, document, bundle, logIndex } = kept;
      if (given(invocation, "json")) {
        terminal.print(JSON.stringify({ digest, statements: document.statements.length, bundle, logIndex }));
      } else {
        terminal.print(oneLine(`${digest}  ${document.statements.length} statements by ${document.author}`));
        terminal.print(`signed as ${bundle}, log entry ${logIndex}`);
      }
      for (const loss of document.losses) terminal.note(oneLine(`not taken: ${loss}`));
      return 0;
    } finally {
      await factory.close();
    }
  },
};

function digestOf(words: string): Digest {
  if (isDigest(words)) return words;
  throw cliErrors.make("CLI_USAGE", `expected --artifact sha256:…, found ${JSON.stringify(words.slice(0, 100))}`);
}

function expiryOf(words: string | undefined): { readonly expires?: string } {
  const at = timeOption(words, "--expires");
  return at === undefined ? {} : { expires: at.toISOString() };
}
