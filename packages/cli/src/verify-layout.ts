import { createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { exitCodes, parseJson } from "@touchmark/core";
import { type ClassicKey, classicKeyOf, isClassic, readClassicKey } from "@touchmark/formats/in-toto";
import { namedArtifact } from "@touchmark/pipeline";
import { type ClassicVerdict, openInspector, verifyClassicLayout } from "@touchmark/pipeline/inspections";
import { given, type Invocation, text, texts } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { readNamedFile } from "./output/file.ts";
import { printable, type Terminal } from "./terminal.ts";
import { timeOption } from "./time-option.ts";
import { readInput } from "./verify-chain.ts";

/** Verifies an artifact against a classic in-toto layout: its links, artifact rules and inspections. */
export async function verifyByLayout(artifact: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const file = text(invocation, "layout") ?? "";
  const layout = readNamedFile(terminal, file, "a layout for in-toto");
  if (!isClassic(layout)) {
    throw cliErrors.make(
      "CLI_USAGE",
      `expected a signed in-toto layout, found ${file}: layouts of policies decide with \`touchmark admit --policy\``,
    );
  }
  const keys = texts(invocation, "layoutKey").map((key) => readKey(key, terminal));
  if (keys.length === 0) {
    throw cliErrors.make("CLI_USAGE", "expected --layout-key FILE: a layout that nobody signed proves nothing");
  }
  const path = resolve(terminal.directory, artifact);
  const { digest } = await namedArtifact(path);
  const links = resolve(terminal.directory, text(invocation, "links") ?? ".");
  const inspector = openInspector({ artifact: { name: basename(path), path }, digest });
  try {
    const verdict = await verifyClassicLayout({
      layout,
      keys,
      file: (name) => (existsSync(join(links, name)) ? readInput(join(links, name)) : undefined),
      artifact: digest,
      subjectStep: text(invocation, "layoutStep"),
      parameters: new Map(texts(invocation, "parameter").map(readParameter)),
      now: timeOption(text(invocation, "at"), "--at") ?? new Date(),
      inspector,
    });
    if (given(invocation, "json")) terminal.print(JSON.stringify(verdictJson(verdict, digest)));
    else showVerdict(verdict, digest, terminal);
    return verdict.judgement.verdict === "satisfied" ? 0 : exitCodes.refused;
  } finally {
    await inspector.close();
  }
}

/** A public key in PEM, or in the JSON of in-toto's own tools. */
function readKey(file: string, terminal: Terminal): ClassicKey {
  const bytes = readNamedFile(terminal, file, "a public key");
  if (bytes.toString("latin1").trimStart().startsWith("{")) return readClassicKey(parseJson(bytes), "key");
  try {
    return classicKeyOf(createPublicKey(bytes));
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected a public key in PEM or JSON, found ${file}`, { cause });
  }
}

function readParameter(words: string): readonly [string, string] {
  const at = words.indexOf("=");
  if (at > 0) return [words.slice(0, at), words.slice(at + 1)];
  throw cliErrors.make("CLI_USAGE", `expected --parameter NAME=VALUE, found ${JSON.stringify(words.slice(0, 80))}`);
}

function verdictJson({ digest, judgement, inspections }: ClassicVerdict, artifact: string): object {
  const { verdict, denials, warnings, steps } = judgement;
  return {
    verdict: verdict === "satisfied" ? "accepted" : "refused",
    code: denials[0]?.code ?? null,
    message: denials[0]?.message ?? "the artifact was made as the layout demands",
    digest: artifact,
    layout: digest,
    denials,
    warnings,
    steps,
    inspections: inspections.map(({ name, exitCode, materials, products, printed }) => ({
      ...{ name, exitCode, printed },
      ...{ materials: Object.fromEntries(materials), products: Object.fromEntries(products) },
    })),
  };
}

function showVerdict({ judgement, inspections }: ClassicVerdict, artifact: string, terminal: Terminal): void {
  const { style } = terminal;
  const isGood = judgement.verdict === "satisfied";
  if (isGood) terminal.print(`${style.good("accepted")} ${artifact}`);
  else terminal.note(`${style.bad("refused")} ${artifact}`);
  const say = (line: string) => (isGood ? terminal.print(line) : terminal.note(line));
  for (const denial of judgement.denials) {
    say(`  ${denial.code}: ${printable(denial.message)}`);
    if (denial.solution !== undefined) say(`    ${style.dim("what to do:")} ${printable(denial.solution)}`);
  }
  for (const { name, satisfied, functionaries, links } of judgement.steps) {
    say(`  step ${printable(name)}: ${satisfied ? functionaries.join(", ") : style.bad("not shown")}`);
    for (const { signer, notCounted } of links) {
      if (notCounted !== undefined) say(`    ${style.dim(`not counted: ${signer}: ${printable(notCounted)}`)}`);
    }
  }
  for (const { name, exitCode } of inspections) {
    say(`  inspection ${printable(name)}: ${exitCode === 0 ? "ran sealed" : style.bad(`ended with ${exitCode}`)}`);
  }
  for (const warning of judgement.warnings) say(`  ${style.warn("warning:")} ${printable(warning)}`);
}
