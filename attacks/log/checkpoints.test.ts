import { generateKeyPairSync } from "node:crypto";
import {
  checkpointText,
  noteSigner,
  openCheckpoint,
  parseNote,
  signatureLine,
  signNote,
  witnessQuorum,
} from "@touchmark/formats";
import { expect, test } from "vitest";
import { carelessCosignatures, carelessHead, codeOf, sceneOf, witnessKey } from "./scene.ts";

const now = new Date("2026-11-21T10:00:00Z");

test("K3: the checkpoint of another log under the same key is passed off as this one's: CHECKPOINT_ORIGIN_MISMATCH", async () => {
  const { keys } = await sceneOf(1);
  const staging = signNote(checkpointText({ origin: "staging.example", size: 9, root: new Uint8Array(32) }), [
    keys.signer,
  ]);
  expect(carelessHead(staging, keys.signer).size).toBe(9);
  expect(await codeOf(() => openCheckpoint(staging, { log: keys.signer }))).toBe("CHECKPOINT_ORIGIN_MISMATCH");
});

test("K2: a size that two readers read differently: CHECKPOINT_MALFORMED", async () => {
  const { keys } = await sceneOf(1);
  const good = checkpointText({ origin: "log.example", size: 16, root: new Uint8Array(32) });
  for (const size of ["0x10", "016", "16.0", "+16", " 16", "1.6e1"]) {
    const note = signNote(good.replace("\n16\n", `\n${size}\n`), [keys.signer]);
    // A careless reader takes each for 16, where another, reading octal or refusing hexadecimal, does not.
    expect(carelessHead(note, keys.signer).size).toBe(16);
    expect(await codeOf(() => openCheckpoint(note, { log: keys.signer })), size).toBe("CHECKPOINT_MALFORMED");
  }
});

test("N2: a note whose only line has the right name and a stranger's key id: NOTE_UNTRUSTED", async () => {
  const { keys } = await sceneOf(1);
  const stranger = noteSigner("log.example", "ed25519", generateKeyPairSync("ed25519").privateKey);
  const forged = signNote(checkpointText({ origin: "log.example", size: 9, root: new Uint8Array(32) }), [stranger]);
  // A reader that looks keys up by name, and takes the key that the line brings, believes it.
  expect(carelessHead(forged, stranger).size).toBe(9);
  expect(parseNote(forged).signatures[0]?.name).toBe(keys.signer.name);
  expect(await codeOf(() => openCheckpoint(forged, { log: keys.signer }))).toBe("NOTE_UNTRUSTED");
});

test("N3: a stranger's signature under the log's own name and key id: NOTE_SIGNATURE_INVALID", async () => {
  const { keys } = await sceneOf(1);
  const stranger = noteSigner("log.example", "ed25519", generateKeyPairSync("ed25519").privateKey);
  const text = checkpointText({ origin: "log.example", size: 9, root: new Uint8Array(32) });
  const collided = `${text}\n${signatureLine(keys.signer, stranger.sign(text))}`;
  expect(parseNote(collided).signatures[0]?.keyId).toBe(keys.signer.keyId);
  expect(await codeOf(() => openCheckpoint(collided, { log: keys.signer }))).toBe("NOTE_SIGNATURE_INVALID");
});

test("N3: a good line of the log beside a bad one of the same key: NOTE_SIGNATURE_INVALID", async () => {
  const { keys, log } = await sceneOf(1);
  const note = (await log.checkpoint()) + signatureLine(keys.signer, new Uint8Array(64));
  expect(carelessHead(note, keys.signer).size).toBe(1);
  expect(await codeOf(() => openCheckpoint(note, { log: keys.signer }))).toBe("NOTE_SIGNATURE_INVALID");
});

test("K4: a cosignature without a time, or from the future, fills a quorum: WITNESS_QUORUM_MISSING", async () => {
  const { keys, log } = await sceneOf(1);
  const [honest, backdated] = [witnessKey("honest.example"), witnessKey("back.example")];
  const witnesses = witnessQuorum([honest, backdated], 2);
  const note = await log.checkpoint();
  const { text } = parseNote(note);
  for (const at of [new Date(0), new Date("2030-01-01T00:00:00Z")]) {
    const lines = signatureLine(honest, honest.sign(text, now)) + signatureLine(backdated, backdated.sign(text, at));
    expect(carelessCosignatures(note + lines, [honest, backdated])).toBe(2);
    expect(await codeOf(() => openCheckpoint(note + lines, { log: keys.signer, witnesses, now }))).toBe(
      "WITNESS_QUORUM_MISSING",
    );
  }
});

test("K4: one witness signs twice to fill a quorum of two: WITNESS_QUORUM_MISSING", async () => {
  const { keys, log } = await sceneOf(1);
  const [one, two] = [witnessKey("one.example"), witnessKey("two.example")];
  const note = await log.checkpoint();
  const { text } = parseNote(note);
  const lines = [now, new Date(now.getTime() - 1000)].map((at) => signatureLine(one, one.sign(text, at))).join("");
  expect(carelessCosignatures(note + lines, [one, two])).toBe(2);
  const witnesses = witnessQuorum([one, two], 2);
  expect(await codeOf(() => openCheckpoint(note + lines, { log: keys.signer, witnesses, now }))).toBe(
    "WITNESS_QUORUM_MISSING",
  );
});
