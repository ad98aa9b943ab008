import { createHash, sign } from "node:crypto";
import { inclusionProof, leafHash, merkleRoot, type SubtreeReader } from "@touchmark/core";
import type { MintKey } from "./certificate.ts";

/** A signature line of a checkpoint. */
export interface MintCosigner {
  readonly name: string;
  readonly key: MintKey;
}

/** A log of the mint: a tree in memory, with other entries around the minted ones. */
export interface MintLog {
  readonly origin: string;
  readonly baseUrl: string;
  readonly key: MintKey;
  readonly logId: Buffer;
  /** Leaf hashes. */
  readonly leaves: Uint8Array[];
}

function rawEd25519(key: MintKey): Buffer {
  return key.spki.subarray(key.spki.length - 32);
}

/** Identifier of a note key, 32 bytes (C2SP signed-note; Rekor's own for ECDSA). */
export function noteKeyHash(name: string, key: MintKey, type = 1): Buffer {
  const h = createHash("sha256");
  if (key.kind !== "ed25519") return h.update(key.spki).digest();
  return h
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(rawEd25519(key))
    .digest();
}

/** Makes a log that already has some entries. */
export function mintLog(origin: string, key: MintKey, others = 5): MintLog {
  const leaves = Array.from({ length: others }, (_, i) => leafHash(Buffer.from(`${origin} entry ${i}`)));
  return { origin, baseUrl: `https://${origin}`, key, logId: noteKeyHash(origin, key), leaves };
}

/** What a checkpoint is made of; every member can be wrong on purpose. */
export interface CheckpointRecipe {
  /** First line; the log's origin by default. */
  readonly origin?: string;
  /** Second line. */
  readonly size?: string;
  readonly root?: Uint8Array;
  readonly extensions?: readonly string[];
  /** Name on the log's signature line. */
  readonly signedAs?: string;
  readonly signingKey?: MintKey;
  /** Witnesses, with the Unix seconds that they state. */
  readonly cosigners?: readonly (MintCosigner & { readonly seconds: number })[];
  /** Further signature lines, verbatim. */
  readonly lines?: readonly string[];
  readonly noLogSignature?: boolean;
}

/** A signature line: em dash, name, base64 of key id and signature. */
export function signatureLine(name: string, keyHash: Uint8Array, signature: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.concat([keyHash.subarray(0, 4), signature]).toString("base64")}`;
}

/** Signed checkpoint over the log's present tree. */
export function mintCheckpoint(log: MintLog, recipe: CheckpointRecipe = {}): string {
  const text = `${[
    recipe.origin ?? log.origin,
    recipe.size ?? String(log.leaves.length),
    Buffer.from(recipe.root ?? merkleRoot(log.leaves)).toString("base64"),
    ...(recipe.extensions ?? []),
  ].join("\n")}\n`;
  const key = recipe.signingKey ?? log.key;
  const name = recipe.signedAs ?? log.origin;
  const signature = sign(key.kind === "ed25519" ? null : "sha256", Buffer.from(text), key.privateKey);
  const lines = [
    ...(recipe.noLogSignature ? [] : [signatureLine(name, noteKeyHash(name, key), signature)]),
    ...(recipe.cosigners ?? []).map((cosigner) => cosignatureLine(text, cosigner, cosigner.seconds)),
    ...(recipe.lines ?? []),
  ];
  return `${text}\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** Timestamped cosignature (C2SP tlog-cosignature, type 0x04). */
export function cosignatureLine(text: string, { name, key }: MintCosigner, seconds: number): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key.privateKey);
  return signatureLine(name, noteKeyHash(name, key, 4), Buffer.concat([time, signature]));
}

/** Verifier key of a witness, as policy files spell it. */
export function witnessKey({ name, key }: MintCosigner): string {
  const material = Buffer.concat([Buffer.from([4]), rawEd25519(key)]).toString("base64");
  return `${name}+${noteKeyHash(name, key, 4).subarray(0, 4).toString("hex")}+${material}`;
}

/** Inclusion proof of the entry in the log's present tree. */
export function proofOf(log: MintLog, index: number): Uint8Array[] {
  const read: SubtreeReader = (level, at) => merkleRoot(log.leaves.slice(at * 2 ** level, (at + 1) * 2 ** level));
  return inclusionProof(index, log.leaves.length, read);
}
