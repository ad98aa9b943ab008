import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  noteSigner,
  noteVerifier,
  openNote,
  parseNote,
  parseVerifierKey,
  signatureLine,
  signNote,
  verifierKeyText,
} from "./note.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
};
const ed25519 = () => generateKeyPairSync("ed25519").privateKey;
const p256 = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
// The example of C2SP signed-note.
const exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const exampleNote =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

test("N1: the vector of the specification verifies, and its key is spelled as it was read", () => {
  const key = parseVerifierKey(exampleKey);
  expect(openNote(exampleNote, [key]).text).toBe("This is an example message.\n");
  expect(openNote(Buffer.from(exampleNote), [key]).signatures).toHaveLength(1);
  expect(verifierKeyText(key)).toBe(exampleKey);
  expect(key.keyId).toBe(0x530d903a);
});

test("N1: what each kind of key signs verifies with its public key, and over no other text", () => {
  for (const signer of [
    noteSigner("log.example", "ed25519", ed25519()),
    noteSigner("log.example", "ecdsa-p256", p256()),
    noteSigner("w.example", "cosignature/v1", ed25519()),
  ]) {
    const verifier = parseVerifierKey(verifierKeyText(signer));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (line) => {
        const note = signNote(`a\n${line}\n`, [signer], new Date(1_700_000_000_000));
        expect(openNote(note, [verifier]).text).toBe(`a\n${line}\n`);
        const other = note.replace(/^a/, "b");
        expect(codeOf(() => openNote(other, [verifier]))).toBe("NOTE_SIGNATURE_INVALID");
      }),
      { numRuns: 25 },
    );
  }
});

test("N2: lines of unknown keys are ignored, and a note with no other line is refused", () => {
  const ours = noteSigner("log.example", "ed25519", ed25519());
  const stranger = noteSigner("log.example", "ed25519", ed25519());
  const note = signNote("text\n", [stranger, ours]);
  expect(openNote(note, [ours]).signatures.map((line) => line.verifier)).toEqual([ours]);
  expect(codeOf(() => openNote(signNote("text\n", [stranger]), [ours]))).toBe("NOTE_UNTRUSTED");
  expect(codeOf(() => openNote(note, []))).toBe("NOTE_UNTRUSTED");
});

test("N3: one bad line by a known key refuses the whole note, however many good ones stand beside it", () => {
  const one = noteSigner("log.example", "ed25519", ed25519());
  const two = noteSigner("log.example", "ecdsa-p256", p256());
  const bad = signatureLine(two, two.sign("another text\n"));
  expect(codeOf(() => openNote(signNote("text\n", [one]) + bad, [one, two]))).toBe("NOTE_SIGNATURE_INVALID");
  const cosigner = noteSigner("w.example", "cosignature/v1", ed25519());
  const short = signatureLine(cosigner, new Uint8Array(64));
  expect(codeOf(() => openNote(signNote("text\n", [one]) + short, [one, cosigner]))).toBe("NOTE_SIGNATURE_INVALID");
});

test("N4: a note has one spelling: UTF-8, no control characters, one blank line, canonical signature lines", () => {
  const line = signatureLine({ name: "k", keyId: 1 }, new Uint8Array(64));
  expect(parseNote(`text\n\n\n${line}`).text).toBe("text\n\n");
  for (const note of [
    "",
    "text\n",
    "text\n\n",
    `text\n\n${line.slice(0, -1)}`,
    `text\n\n${line}x`,
    `te\u0000xt\n\n${line}`,
    `te\txt\n\n${line}`,
    `text\r\n\r\n${line}`,
    `text\n\n${line.replace("—", "-")}`,
    `text\n\n${line.replace(" k ", " k+1 ")}`,
    `text\n\n${line.replace(" k ", "  ")}`,
    `text\n\n${line.replace(" k ", " k\u00a0 ")}`,
    `text\n\n— k AAAA\n`,
    `text\n\n— k AAAAAAA\n`,
    `text\n\n— k ${"A".repeat(87)}B=\n`,
    `text\n\n${line.repeat(65)}`,
    `${"x".repeat(1 << 20)}\n\n${line}`,
    `\ud800\n\n${line}`,
  ]) {
    expect(
      codeOf(() => parseNote(note)),
      JSON.stringify(note.slice(0, 60)),
    ).toBe("NOTE_MALFORMED");
  }
  expect(codeOf(() => parseNote(Buffer.concat([Buffer.from([0xff]), Buffer.from(`\n\n${line}`)])))).toBe(
    "NOTE_MALFORMED",
  );
  expect(parseNote(`text\n\n${line.repeat(64)}`).signatures).toHaveLength(64);
});

test("N5: a verifier key has one spelling, its own id and a supported kind", () => {
  const [name, id, key] = exampleKey.split("+", 3) as [string, string, string];
  const p256Key = verifierKeyText(noteSigner("h", "ecdsa-p256", p256()));
  for (const text of [
    "",
    name,
    `${name}+${id}`,
    `${name}+530d903b+${key}`,
    `other+${id}+${key}`,
    `${name}+${id.toUpperCase()}+${key}`,
    `${name}+${id}+${key}A`,
    `${name}+${id}+${key.slice(0, -1)}`,
    `${name}+${id}+/${key.slice(1)}`,
    `${name} +${id}+${key}`,
    p256Key.replace(/.$/, ""),
  ]) {
    expect(
      codeOf(() => parseVerifierKey(text)),
      text,
    ).toBe("NOTE_KEY_MALFORMED");
  }
  expect(parseVerifierKey(p256Key).kind).toBe("ecdsa-p256");
  const public25519 = generateKeyPairSync("ed25519").publicKey;
  expect(codeOf(() => noteVerifier("h", "ecdsa-p256", public25519))).toBe("NOTE_KEY_MALFORMED");
  expect(codeOf(() => noteVerifier("a b", "ed25519", public25519))).toBe("NOTE_KEY_MALFORMED");
  expect(codeOf(() => noteVerifier("", "ed25519", public25519))).toBe("NOTE_KEY_MALFORMED");
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey;
  expect(codeOf(() => noteVerifier("h", "ecdsa-p256", p384))).toBe("NOTE_KEY_MALFORMED");
});
