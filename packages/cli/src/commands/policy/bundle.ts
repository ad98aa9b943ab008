import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { sha256 } from "@touchmark/core";
import { policyDocumentText } from "@touchmark/formats/policy";
import { type Command, given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { writeNamedFile } from "../../output/file.ts";
import { oneLine } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";

const setFile = "policy-set.yaml";

/** `touchmark policy bundle`: which documents are in force, pinned. */
export const command: Command = {
  name: "policy bundle",
  summary: "make a policy set of the documents in a directory, pinned by digest",
  description:
    "Writes policy-set.yaml there: every policy and layout of the directory by the SHA-256 of its bytes. A set that is there is the former version: its name, trust and threshold are kept, its version grows, and signatures of it are removed. Sign it (`policy sign`), then put it in force (`policy install`).",
  arguments: [{ name: "directory", description: "where the documents are", required: true }],
  options: [
    { flags: "--name <name>", description: "name of the set (default: that of the former version)" },
    { flags: "--set-version <number>", description: "its version (default: one more than the former)" },
    { flags: "--expires <date>", description: "from when on it decides nothing (default: in 180 days)" },
    {
      flags: "--trust <name=identity>",
      description: "who may sign the next version, instead of those of the former",
      repeatable: true,
    },
    { flags: "--threshold <number>", description: "how many of them must" },
    { flags: "--at <date>", description: "as if it were that time: 2027-01-31" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark policy bundle policies/ --name shop", "version 1 of a set"],
    [
      "touchmark policy bundle policies/ --trust ada=spiffe://factory.example/user/ada --trust grace=spiffe://factory.example/user/grace --threshold 2",
      "the next version, which both must sign",
    ],
  ],
  async run(invocation, terminal) {
    const { bundledSet } = await import("./bundled-set.ts");
    const [directory = ""] = invocation.arguments;
    const place = resolve(terminal.directory, directory);
    if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) {
      throw cliErrors.make("CLI_USAGE", `expected a directory, found ${directory}`);
    }
    const files = readdirSync(place, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== setFile && /\.(?:ya?ml|json)$/.test(entry.name))
      .map(({ name }) => ({ name: join(directory, name), bytes: readFileSync(join(place, name)) }));
    const formerFile = join(place, setFile);
    const former = existsSync(formerFile) ? readFileSync(formerFile) : undefined;
    const now = timeOption(text(invocation, "at"), "--at") ?? new Date();
    const set = bundledSet(files, {
      now,
      ...(former === undefined ? {} : { former: { name: join(directory, setFile), bytes: former } }),
      ...nameOf(text(invocation, "name")),
      ...numberOf("version", text(invocation, "setVersion"), "--set-version"),
      ...numberOf("threshold", text(invocation, "threshold"), "--threshold"),
      ...expiryOf(text(invocation, "expires")),
      trust: texts(invocation, "trust"),
    });
    const bytes = Buffer.from(policyDocumentText(set));
    writeNamedFile(terminal, join(directory, setFile), bytes);
    const stale = readdirSync(place).filter(
      (name) => name.startsWith(`${setFile}.`) && name.endsWith(".sigstore.json"),
    );
    for (const name of stale) rmSync(join(place, name));
    const digest = sha256(bytes);
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify({ file: join(directory, setFile), digest, set, removed: stale }, undefined, 2));
      return 0;
    }
    terminal.print(oneLine(`${set.name} version ${set.version}, until ${set.expires}: ${digest}`));
    for (const { kind, name, digest: member } of set.members) terminal.print(oneLine(`  ${kind} ${name} ${member}`));
    for (const name of stale) terminal.note(oneLine(`removed ${name}, a signature of the former version`));
    if (set.trust === undefined) terminal.note("nobody is named who may sign the next version: --trust NAME=IDENTITY");
    return 0;
  },
};

function nameOf(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

function numberOf<Name extends "version" | "threshold">(
  member: Name,
  words: string | undefined,
  flag: string,
): { readonly [N in Name]?: number } {
  if (words === undefined) return {};
  if (/^[1-9]\d{0,8}$/.test(words)) return { [member]: Number(words) } as { readonly [N in Name]?: number };
  throw cliErrors.make(
    "CLI_USAGE",
    `expected ${flag} to be a whole number from 1, found ${JSON.stringify(words.slice(0, 40))}`,
  );
}

function expiryOf(words: string | undefined): { readonly expires?: Date } {
  const expires = timeOption(words, "--expires");
  return expires === undefined ? {} : { expires };
}
