import { createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Digest, exitCodes, isDigest, parseJson, sha256 } from "@touchmark/core";
import { type ClassicKey, classicKeyOf, isClassic, readClassicKey, readIteLayout } from "@touchmark/formats/in-toto";
import { type Layout, readPolicyDocument } from "@touchmark/formats/policy";
import { namedArtifact, openFactory } from "@touchmark/pipeline";
import {
  type ClassicVerdict,
  type InspectionRun,
  type Inspector,
  openInspector,
  verifyClassicLayout,
  verifyOwnLayout,
} from "@touchmark/pipeline/inspections";
import { explainTree } from "@touchmark/policy";
import { given, type Invocation, text, texts } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { readNamedFile } from "./output/file.ts";
import { printable, type Terminal } from "./terminal.ts";
import { timeOption } from "./time-option.ts";
import { readInput } from "./verify-chain.ts";

/**
 * Verifies an artifact against a layout: a classic one with its links, or one of ours by this factory's evidence. Its
 * inspections run in sandboxes.
 */
export async function verifyByLayout(artifact: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const file = text(invocation, "layout") ?? "";
  const layout = readNamedFile(terminal, file, "a layout");
  const path = resolve(terminal.directory, artifact);
  const { digest } = await namedArtifact(isDigest(artifact) ? artifact : path);
  const now = timeOption(text(invocation, "at"), "--at") ?? new Date();
  const inspector = openInspector({ artifact: { name: basename(path), path }, digest, signal: terminal.signal });
  const question: Given = { layout, file, digest, name: basename(path), now, inspector };
  try {
    if (isClassic(layout)) return await verifyClassic(question, invocation, terminal);
    return await verifyOwn(question, invocation, terminal);
  } finally {
    await inspector.close();
  }
}

interface Given {
  readonly layout: Uint8Array;
  readonly file: string;
  readonly digest: Digest;
  /** The artifact's. */
  readonly name: string;
  readonly now: Date;
  readonly inspector: Inspector;
}

async function verifyClassic(
  { layout, digest, now, inspector }: Given,
  invocation: Invocation,
  terminal: Terminal,
): Promise<number> {
  const keys = texts(invocation, "layoutKey").map((key) => readKey(key, terminal));
  if (keys.length === 0) {
    throw cliErrors.make("CLI_USAGE", "expected --layout-key FILE: a layout that nobody signed proves nothing");
  }
  const links = resolve(terminal.directory, text(invocation, "links") ?? ".");
  const verdict = await verifyClassicLayout({
    layout,
    keys,
    file: (name) => (existsSync(join(links, name)) ? readInput(join(links, name)) : undefined),
    artifact: digest,
    subjectStep: text(invocation, "layoutStep"),
    parameters: new Map(texts(invocation, "parameter").map(readParameter)),
    now,
    inspector,
  });
  if (given(invocation, "json")) terminal.print(JSON.stringify(verdictJson(verdict, digest)));
  else showVerdict(verdict, digest, terminal);
  return verdict.judgement.verdict === "satisfied" ? 0 : exitCodes.refused;
}

/** One of ours needs no key: it is the reader's own demand, and the evidence is this factory's. */
async function verifyOwn(
  { layout, file, digest, name, now, inspector }: Given,
  invocation: Invocation,
  terminal: Terminal,
): Promise<number> {
  const unused = (["layoutKey", "links", "layoutStep"] as const).find(
    (option) => invocation.options[option] !== undefined,
  );
  if (unused !== undefined) {
    throw cliErrors.make("CLI_USAGE", `${file} is no signed layout of in-toto: options for its links have no meaning`);
  }
  const document = readLayout(layout, file);
  const factory = await openFactory();
  try {
    const { decision, inspections } = await verifyOwnLayout(factory, {
      layout: document,
      artifact: { name, digest },
      parameters: new Map(texts(invocation, "parameter").map(readParameter)),
      now,
      inspector,
    });
    const isGood = decision.result === "allow";
    if (given(invocation, "json")) {
      terminal.print(
        JSON.stringify({ verdict: isGood ? "accepted" : "refused", decision, inspections: shown(inspections) }),
      );
    } else {
      const tree = explainTree(decision, { colour: terminal.style.good("x") !== "x" }).trimEnd();
      if (isGood) terminal.print(tree);
      else terminal.note(tree);
    }
    return isGood ? 0 : exitCodes.refused;
  } finally {
    await factory.close();
  }
}

/** A layout of ours, or one in the shape of ITE-10. */
function readLayout(bytes: Uint8Array, file: string): Layout {
  const isIte = !/^\s*["']?touchmark["']?\s*:/m.test(Buffer.from(bytes).toString("utf8"));
  if (!isIte) return readPolicyDocument(bytes, { name: file, kind: "layout" }).document;
  return readIteLayout(bytes, { name: `ite-${sha256(bytes).slice(7, 19)}` });
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
    inspections: shown(inspections),
  };
}

function shown(inspections: readonly InspectionRun[]): readonly object[] {
  return inspections.map(({ name, exitCode, materials, products, printed }) => ({
    ...{ name, exitCode, printed },
    ...{ materials: Object.fromEntries(materials), products: Object.fromEntries(products) },
  }));
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
