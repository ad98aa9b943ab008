import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import {
  type ClassicExport,
  type ClassicKey,
  classicFromLayout,
  classicKeyOf,
  classicSigner,
  isClassic,
  readClassicLayout,
  verifyClassicSignatures,
  writeClassicLayout,
} from "@touchmark/formats/in-toto";
import { readPolicyDocument } from "@touchmark/formats/policy";
import { given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { readNamedFile, writeNamedFile } from "../../output/file.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** Writes a layout for in-toto tools, signed by a key file. @throws INTOTO_… | POLICY_DOCUMENT_… | CLI_USAGE */
export function signClassic(invocation: Invocation, terminal: Terminal): number {
  const [file = "", ...others] = invocation.arguments;
  const keyFile = text(invocation, "key");
  if (keyFile === undefined || others.length > 0 || text(invocation, "as") !== undefined) {
    throw cliErrors.make("CLI_USAGE", "expected one layout, and --key FILE without --as, with --classic");
  }
  const signer = classicSigner(privateKeyOf(terminal, keyFile));
  const keys = texts(invocation, "publicKey").map((path) => publicKeyOf(terminal, path));
  const { layout, losses } = layoutOf(terminal, file, [...keys, signer.key]);
  const form = given(invocation, "dsse") ? "dsse" : "metablock";
  const bytes = writeClassicLayout(layout, [signer], form);
  // What was written is what a verifier will see.
  verifyClassicSignatures(readClassicLayout(bytes).envelope, [signer.key]);
  const out = text(invocation, "out") ?? file.replace(/(?:\.(?:ya?ml|json|layout))?$/, ".layout");
  if (out === file) throw cliErrors.make("CLI_USAGE", `expected --out FILE: ${file} would be written over`);
  writeNamedFile(terminal, out, bytes);
  if (given(invocation, "json")) {
    terminal.print(JSON.stringify({ file: out, form, keyid: signer.key.keyid, losses }, undefined, 2));
  } else {
    terminal.print(oneLine(`${out}, signed by ${signer.key.keyid}`));
    for (const loss of losses) terminal.note(oneLine(`not in it: ${loss}`));
  }
  return 0;
}

/** Ours as a classic one; a classic one as it stands, without its signatures. */
function layoutOf(terminal: Terminal, file: string, keys: readonly ClassicKey[]): ClassicExport {
  const bytes = readNamedFile(terminal, file, "a readable layout");
  if (isClassic(bytes)) return { layout: readClassicLayout(bytes).layout, losses: [] };
  return classicFromLayout(readPolicyDocument(bytes, { name: file, kind: "layout" }).document, keys);
}

function privateKeyOf(terminal: Terminal, file: string): KeyObject {
  const pem = readNamedFile(terminal, file, "a readable private key in PEM").toString("latin1");
  const passphrase = terminal.environment["TOUCHMARK_KEY_PASSPHRASE"];
  try {
    return createPrivateKey({ key: pem, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    const hint = "A passphrase is taken from TOUCHMARK_KEY_PASSPHRASE.";
    throw cliErrors.make("CLI_USAGE", `expected a private key in PEM, found ${file}`, { cause, hint });
  }
}

function publicKeyOf(terminal: Terminal, file: string): ClassicKey {
  const pem = readNamedFile(terminal, file, "a readable public key in PEM").toString("latin1");
  // createPublicKey would take a private one too.
  if (!/^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) {
    throw cliErrors.make("CLI_USAGE", `expected a public key in PEM, found ${file}`);
  }
  try {
    return classicKeyOf(createPublicKey(pem));
  } catch (cause) {
    if (cause instanceof Error && cause.name === "FactoryError") throw cause;
    throw cliErrors.make("CLI_USAGE", `expected a public key in PEM, found ${file}`, { cause });
  }
}
