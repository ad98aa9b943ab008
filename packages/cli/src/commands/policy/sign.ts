import { resolve } from "node:path";
import type { PolicyReading } from "@touchmark/formats/policy";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { writeNamedFile } from "../../output/file.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { keyOption, personKey } from "../../user-key.ts";
import { readDocument } from "./documents.ts";

/** `touchmark policy sign`: somebody answers for a document. */
export const command: Command = {
  name: "policy sign",
  summary: "sign a policy, layout, exception or set; as a person, or for classic in-toto tools",
  description:
    "Writes FILE.NAME.sigstore.json beside the document: a statement about its digest that holds it whole, signed with the person's own key, logged and time-stamped. Without --as the home's own `attest` identity signs. A document with errors that `policy lint` finds is not signed. With --classic a layout, ours or one for in-toto, is written as in-toto tools read it, signed by a key file.",
  arguments: [{ name: "file", description: "documents", required: true, variadic: true }],
  options: [
    { flags: "--as <name>", description: "the person: a name that `user add` enrolled" },
    keyOption,
    { flags: "--classic", description: "write a layout for in-toto tools, signed by --key" },
    { flags: "--public-key <file>", description: "with --classic: PEM of a functionary's key", repeatable: true },
    { flags: "--dsse", description: "with --classic: wrap it in DSSE instead of {signatures, signed}" },
    { flags: "--out <file>", description: "write here instead (one document)" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    [
      "touchmark policy sign policies/policy-set.yaml --as ada",
      "ada answers for the set; then: policy install policies/",
    ],
    [
      "touchmark policy sign TICKET-12.yaml --as grace",
      "an exception, by one whom it names and who did not ask for it",
    ],
    [
      "touchmark policy sign layout.yaml --classic --key owner.pem --public-key builder.pem --out root.layout",
      "what in-toto-verify takes",
    ],
  ],
  async run(invocation, terminal) {
    const out = text(invocation, "out");
    if (out !== undefined && invocation.arguments.length !== 1) {
      throw cliErrors.make("CLI_USAGE", "expected one document with --out");
    }
    if (given(invocation, "classic")) {
      const { signClassic } = await import("./sign-classic.ts");
      return signClassic(invocation, terminal);
    }
    if (given(invocation, "dsse") || texts(invocation, "publicKey").length > 0) {
      throw cliErrors.make("CLI_USAGE", "expected --dsse and --public-key with --classic only");
    }
    return signDocuments(invocation, terminal);
  },
};

async function signDocuments(invocation: Invocation, terminal: Terminal): Promise<number> {
  const name = text(invocation, "as");
  if (name === undefined && text(invocation, "key") !== undefined) {
    throw cliErrors.make("CLI_USAGE", "expected --as NAME with --key: a person has a name");
  }
  const readings = invocation.arguments.map((file) => readDocument(terminal, file));
  const { openFactory } = await import("@touchmark/pipeline");
  const { signPolicyDocument } = await import("@touchmark/pipeline/policy");
  const person = name === undefined ? undefined : { name, key: await personKey(terminal, invocation, name) };
  const factory = await openFactory({ create: person === undefined });
  try {
    if (await hasErrors(terminal, readings, factory.clock.now())) return 3;
    const signed: unknown[] = [];
    for (const reading of readings) {
      const { bytes, ...report } = await signPolicyDocument(factory, reading, person);
      const file = text(invocation, "out") ?? `${reading.name}.${name ?? "attest"}.sigstore.json`;
      writeNamedFile(terminal, file, bytes);
      signed.push({ document: reading.digest, kind: reading.kind, file: resolve(terminal.directory, file), ...report });
      if (given(invocation, "json")) continue;
      terminal.print(oneLine(`${reading.kind} ${reading.digest}`));
      terminal.print(oneLine(`signed as ${report.identity}, log entry ${report.logIndex}: ${file}`));
    }
    if (given(invocation, "json")) terminal.print(JSON.stringify(signed, undefined, 2));
    return 0;
  } finally {
    await factory.close();
  }
}

/** True, and said, when nobody should answer for a document as it stands. */
async function hasErrors(terminal: Terminal, readings: readonly PolicyReading[], now: Date): Promise<boolean> {
  const { findingsOf } = await import("./lint-documents.ts");
  const { printFindings } = await import("./lint.ts");
  const errors = readings.flatMap((reading) => findingsOf(reading, now)).filter(({ severity }) => severity === "error");
  printFindings({ ...terminal, print: terminal.note }, errors);
  if (errors.length > 0) terminal.note("nothing was signed");
  return errors.length > 0;
}
