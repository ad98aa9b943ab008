import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { decodeBase64, encodeBase64, encodeHex, equalBytes, sha256Bytes } from "@touchmark/core";
import { noteErrors } from "./note-errors.ts";

/** Signed notes (C2SP signed-note) and timestamped cosignatures (C2SP tlog-cosignature, type 0x04). */

/** What a note key signs with: Ed25519 (0x01), ECDSA P-256 with SHA-256 (0x02), or Ed25519 with a time (0x04). */
export type NoteKeyKind = "ed25519" | "ecdsa-p256" | "cosignature/v1";

const kindBytes: Readonly<Record<NoteKeyKind, number>> = { ed25519: 1, "ecdsa-p256": 2, "cosignature/v1": 4 };
const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");
const p256Prefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");
// Unicode White_Space, which the note specification forbids in names together with plus and control characters.
const badName = /[\u0000-\u0020\u007f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]/u;
const maximumSignatures = 64;
const maximumBytes = 1 << 20;

/** A public key that may sign notes under a name. */
export interface NoteVerifier {
  readonly name: string;
  readonly kind: NoteKeyKind;
  /** The 32-bit key id, as an unsigned integer. */
  readonly keyId: number;
  /** All 32 bytes of the hash whose first four are the key id: the log id of Sigstore's trusted root. */
  readonly keyHash: Uint8Array;
  readonly publicKey: KeyObject;
}

/** A private key that signs notes under a name. */
export interface NoteSigner extends NoteVerifier {
  /** Signs a note text. `at` is the time that a cosignature states, and is ignored by the other kinds. */
  sign(text: string, at?: Date): Uint8Array;
}

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** The bytes after the key id. */
  readonly signature: Uint8Array;
}

/** A parsed and not yet verified note. */
export interface SignedNote {
  /** The signed text, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature line that was verified. */
export interface VerifiedNoteSignature extends NoteSignature {
  readonly verifier: NoteVerifier;
  /** The time that a cosignature states, in whole seconds since 1970; undefined for other kinds. */
  readonly time?: bigint;
}

/** A note of which every line by a known key was verified, and at least one is. */
export interface OpenedNote {
  readonly text: string;
  readonly signatures: readonly VerifiedNoteSignature[];
}

/** Makes a verifier from a public key. @throws NOTE_KEY_MALFORMED for a bad name or another curve */
export function noteVerifier(name: string, kind: NoteKeyKind, publicKey: KeyObject): NoteVerifier {
  if (name === "" || badName.test(name) || !name.isWellFormed()) {
    throw noteErrors.make("NOTE_KEY_MALFORMED", `expected a key name without spaces and plus, found ${quote(name)}`);
  }
  const spki = publicKey.export({ format: "der", type: "spki" });
  const prefix = kind === "ecdsa-p256" ? p256Prefix : ed25519Prefix;
  if (!equalBytes(spki.subarray(0, prefix.length), prefix)) {
    throw noteErrors.make("NOTE_KEY_MALFORMED", `expected a public key for ${kind}, found another kind`);
  }
  // The id of ECDSA keys is that of Rekor v1 and of the signed-note specification: the hash of the key alone.
  const keyHash =
    kind === "ecdsa-p256"
      ? sha256Bytes(spki)
      : sha256Bytes(`${name}\n`, new Uint8Array([kindBytes[kind]]), spki.subarray(prefix.length));
  return { name, kind, keyId: Buffer.from(keyHash).readUInt32BE(0), keyHash, publicKey };
}

/** Makes a signer from a private key (KeyObject or PKCS#8 PEM). @throws NOTE_KEY_MALFORMED */
export function noteSigner(name: string, kind: NoteKeyKind, privateKey: KeyObject | string): NoteSigner {
  const key = typeof privateKey === "string" ? createPrivateKey(privateKey) : privateKey;
  return {
    ...noteVerifier(name, kind, createPublicKey(key)),
    sign(text, at) {
      if (kind === "ecdsa-p256") return sign("sha256", Buffer.from(text), key);
      if (kind === "ed25519") return sign(null, Buffer.from(text), key);
      if (at === undefined) throw new TypeError("a cosignature states a time");
      const time = BigInt(Math.floor(at.getTime() / 1000));
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(time);
      return Buffer.concat([stamp, sign(null, cosignedMessage(text, time), key)]);
    },
  };
}

/** Reads a verifier key `name+id+base64(kind || key)` (C2SP signed-note, "Verifier keys"). @throws NOTE_KEY_MALFORMED */
export function parseVerifierKey(text: string): NoteVerifier {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text);
  const fail = (found: string) => noteErrors.make("NOTE_KEY_MALFORMED", `expected name+id+key, found ${found}`);
  if (!match) throw fail(quote(text));
  const [, name = "", id = "", encoded = ""] = match;
  let material: Uint8Array;
  let publicKey: KeyObject;
  const kindOf: Record<number, NoteKeyKind> = { 1: "ed25519", 2: "ecdsa-p256", 4: "cosignature/v1" };
  try {
    material = decodeBase64(encoded);
    const key = material.subarray(1);
    const der = material[0] === 2 ? key : Buffer.concat([ed25519Prefix, key]);
    publicKey = createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch (cause) {
    throw noteErrors.make("NOTE_KEY_MALFORMED", `the key of ${quote(name)} cannot be read`, { cause });
  }
  const kind = kindOf[material[0] ?? 0];
  if (kind === undefined) throw fail(`key type ${material[0]}`);
  const verifier = noteVerifier(name, kind, publicKey);
  if (hexId(verifier.keyId) !== id) throw fail(`the id ${id} for a key whose id is ${hexId(verifier.keyId)}`);
  // One key has one spelling: a compressed point or trailing bytes would make another.
  if (verifierKeyText(verifier) !== text) throw fail("a key in another encoding");
  return verifier;
}

/** Spells a verifier key. */
export function verifierKeyText(verifier: NoteVerifier): string {
  const spki = verifier.publicKey.export({ format: "der", type: "spki" });
  const key = verifier.kind === "ecdsa-p256" ? spki : spki.subarray(ed25519Prefix.length);
  const material = Buffer.concat([new Uint8Array([kindBytes[verifier.kind]]), key]);
  return `${verifier.name}+${hexId(verifier.keyId)}+${encodeBase64(material)}`;
}

/** Signature line of a note, with its newline. */
export function signatureLine(signer: Pick<NoteVerifier, "name" | "keyId">, signature: Uint8Array): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(signer.keyId);
  return `\u2014 ${signer.name} ${encodeBase64(Buffer.concat([id, signature]))}\n`;
}

/** Signs a text, which ends in a newline, and gives the whole note. */
export function signNote(text: string, signers: readonly NoteSigner[], at?: Date): string {
  return `${text}\n${signers.map((signer) => signatureLine(signer, signer.sign(text, at))).join("")}`;
}

/** Splits a note into text and signature lines. Verifies nothing. @throws NOTE_MALFORMED */
export function parseNote(note: string | Uint8Array): SignedNote {
  const fail = (why: string) => noteErrors.make("NOTE_MALFORMED", `expected a signed note, found ${why}`);
  if (note.length > maximumBytes) throw fail(`${note.length} bytes`);
  let whole: string;
  try {
    whole = typeof note === "string" ? note : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(note);
  } catch (cause) {
    throw noteErrors.make("NOTE_MALFORMED", "expected a signed note in UTF-8", { cause });
  }
  if (!whole.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw fail("control characters");
  const gap = whole.lastIndexOf("\n\n");
  if (gap < 0) throw fail("no blank line before signatures");
  if (gap + 2 === whole.length) throw fail("no signature line");
  if (!whole.endsWith("\n")) throw fail("a last line without newline");
  const lines = whole.slice(gap + 2, -1).split("\n");
  if (lines.length > maximumSignatures) throw fail(`${lines.length} signature lines`);
  const signatures = lines.map((line) => {
    const [dash, name = "", encoded, ...more] = line.split(" ");
    if (dash !== "\u2014" || encoded === undefined || more.length > 0 || name === "" || badName.test(name)) {
      throw fail(`the signature line ${quote(line)}`);
    }
    let bytes: Buffer;
    try {
      bytes = Buffer.from(decodeBase64(encoded));
    } catch (cause) {
      throw noteErrors.make("NOTE_MALFORMED", `the signature line of ${quote(name)} is not base64`, { cause });
    }
    if (bytes.length < 5) throw fail(`the signature line ${quote(line)}`);
    return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
  });
  return { text: whole.slice(0, gap + 1), signatures };
}

/**
 * Verifies a note: lines of unknown keys are ignored, every line that names a known key must verify.
 * @throws NOTE_MALFORMED, NOTE_SIGNATURE_INVALID, NOTE_UNTRUSTED
 */
export function openNote(note: string | Uint8Array | SignedNote, verifiers: readonly NoteVerifier[]): OpenedNote {
  const parsed = typeof note === "string" || note instanceof Uint8Array ? parseNote(note) : note;
  const signatures: VerifiedNoteSignature[] = [];
  for (const line of parsed.signatures) {
    const verifier = verifiers.find((known) => known.name === line.name && known.keyId === line.keyId);
    if (verifier) signatures.push({ ...line, verifier, ...verifyLine(parsed.text, line, verifier) });
  }
  if (signatures.length === 0) {
    const found = parsed.signatures.map((line) => `${line.name}+${hexId(line.keyId)}`).join(", ");
    const expected = verifiers.map((known) => `${known.name}+${hexId(known.keyId)}`).join(", ");
    throw noteErrors.make("NOTE_UNTRUSTED", `expected a signature by ${expected || "a trusted key"}, found ${found}`);
  }
  return { text: parsed.text, signatures };
}

function verifyLine(text: string, line: NoteSignature, verifier: NoteVerifier): { time?: bigint } {
  const signature = Buffer.from(line.signature);
  let valid: boolean;
  let time: { time?: bigint } = {};
  if (verifier.kind === "ecdsa-p256") valid = verify("sha256", Buffer.from(text), verifier.publicKey, signature);
  else if (verifier.kind === "ed25519") valid = verify(null, Buffer.from(text), verifier.publicKey, signature);
  else {
    const stated = signature.length === 72 ? signature.readBigUInt64BE(0) : -1n;
    valid =
      stated >= 0n &&
      stated < 1n << 63n &&
      verify(null, cosignedMessage(text, stated), verifier.publicKey, signature.subarray(8));
    time = { time: stated };
  }
  if (valid) return time;
  throw noteErrors.make(
    "NOTE_SIGNATURE_INVALID",
    `the line of ${line.name}+${hexId(line.keyId)} does not verify over the text of the note`,
  );
}

function cosignedMessage(text: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}

function hexId(keyId: number): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return encodeHex(id);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}
