import { createHash, sign } from "node:crypto";
import { leafHash, merkleRoot } from "@touchmark/core";
import {
  dsseRekordBody,
  hashedRekordBody,
  preAuthEncoding,
  signedEntryTimestampMessage,
} from "@touchmark/formats/evidence";
import { type CertificateRecipe, type MintKey, mintCertificate, mintKey, signWith, usages } from "./certificate.ts";
import { type CheckpointRecipe, type MintLog, mintCheckpoint, proofOf } from "./log.ts";
import { mintTimestamp, type TimestampRecipe } from "./timestamp.ts";
import type { MintAuthority, MintWorld } from "./world.ts";

/** JSON of a bundle, loosely typed: tests put anything anywhere. */
// Mutations reach into every depth of the document, also where nothing should be.
// oxlint-disable-next-line typescript/no-explicit-any
export type BundleJson = any;

/** One log entry before it is spelled. */
export interface EntryRecipe {
  readonly log?: MintLog;
  readonly kind?: string;
  readonly version?: string;
  /** Replaces the canonical body. */
  readonly body?: (canonical: Buffer) => Uint8Array;
  readonly checkpoint?: CheckpointRecipe;
  /** Entries that follow this one in the tree. */
  readonly after?: number;
  readonly logIndex?: (index: number) => string;
  /** Unix seconds; given with `promise` for the first profile. */
  readonly integratedTime?: number;
  readonly promise?: boolean;
  readonly noProof?: boolean;
}

/** What a bundle is made of; every member can be wrong on purpose. */
export interface BundleRecipe {
  readonly artifact?: Uint8Array;
  readonly statement?: unknown;
  readonly payload?: Uint8Array;
  readonly predicateType?: string;
  readonly predicate?: unknown;
  readonly payloadType?: string;
  readonly content?: "envelope" | "message";
  readonly leaf?: Partial<CertificateRecipe>;
  readonly authority?: MintAuthority;
  readonly key?: MintKey;
  /** A managed key instead of a certificate. */
  readonly hint?: string;
  /** Key id of the envelope's signature; the hint by default. */
  readonly keyid?: string;
  /** First profile: dsse 0.0.1, signed entry timestamp, P-256 checkpoint. */
  readonly profile?: "v1" | "v2";
  readonly entries?: readonly EntryRecipe[];
  readonly timestamps?: readonly Partial<TimestampRecipe>[];
  readonly edit?: (bundle: BundleJson) => void;
  readonly text?: (text: string) => string;
}

export const ARTIFACT: Uint8Array = Buffer.from("the artifact\n");
export const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** A bundle that was minted, with what it was made of. */
export interface MintedBundle {
  readonly bytes: Uint8Array;
  readonly artifact: Uint8Array;
  readonly key: MintKey;
  readonly certificate: Buffer;
}

/** Mints a leaf as the recipe says; by default a good one for the world's identity. */
export function mintLeaf(world: MintWorld, key: MintKey, recipe: BundleRecipe = {}): Buffer {
  const authority = recipe.authority ?? world.intermediate;
  return mintCertificate({
    issuer: authority.name,
    key,
    signer: authority.key,
    notBefore: new Date(world.at.getTime() - 60_000),
    notAfter: new Date(world.at.getTime() + 540_000),
    extendedKeyUsage: [usages.codeSigning],
    uris: [world.identity],
    identityIssuer: world.issuer,
    ...recipe.leaf,
  });
}

/** Mints a bundle: by default one that a strict verifier accepts. */
export function mintBundle(world: MintWorld, recipe: BundleRecipe = {}): MintedBundle {
  const artifact = recipe.artifact ?? ARTIFACT;
  const key = recipe.key ?? mintKey();
  const certificate = mintLeaf(world, key, recipe);
  const payload = recipe.payload ?? Buffer.from(JSON.stringify(recipe.statement ?? statementOf(artifact, recipe)));
  const payloadType = recipe.payloadType ?? "application/vnd.in-toto+json";
  const message = recipe.content === "message";
  const signed = message ? artifact : preAuthEncoding(payloadType, payload);
  const signature = signWith(key, signed);
  const parts: SignedParts = { world, recipe, key, certificate, payload, payloadType, signed, signature };
  const bundle: BundleJson = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      ...(recipe.hint === undefined
        ? { certificate: { rawBytes: b64(certificate) } }
        : { publicKey: { hint: recipe.hint } }),
      tlogEntries: (recipe.entries ?? [{}]).map((entry) => entryJson(parts, entry)),
      timestampVerificationData: {
        rfc3161Timestamps: (recipe.timestamps ?? [{}]).map((stamp) => ({
          signedTimestamp: b64(mintTimestamp({ at: world.at, message: signature, stamper: world.stamper, ...stamp })),
        })),
      },
    },
    ...(message
      ? {
          messageSignature: {
            messageDigest: { algorithm: "SHA2_256", digest: b64(sha256(artifact)) },
            signature: b64(signature),
          },
        }
      : {
          dsseEnvelope: {
            payload: b64(payload),
            payloadType,
            signatures: [{ sig: b64(signature), ...keyidOf(recipe) }],
          },
        }),
  };
  recipe.edit?.(bundle);
  const text = JSON.stringify(bundle);
  return { bytes: Buffer.from(recipe.text?.(text) ?? text), artifact, key, certificate };
}

function keyidOf(recipe: BundleRecipe): { keyid?: string } {
  const keyid = recipe.keyid ?? recipe.hint;
  return keyid === undefined ? {} : { keyid };
}

/** An in-toto statement about the artifact. */
export function statementOf(artifact: Uint8Array, recipe: BundleRecipe = {}): Record<string, unknown> {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "artifact", digest: { sha256: sha256(artifact).toString("hex") } }],
    predicateType: recipe.predicateType ?? PREDICATE_TYPE,
    predicate: recipe.predicate ?? { buildDefinition: {} },
  };
}

interface SignedParts {
  readonly world: MintWorld;
  readonly recipe: BundleRecipe;
  readonly key: MintKey;
  readonly certificate: Buffer;
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signed: Uint8Array;
  readonly signature: Buffer;
}

const keyDetails: Readonly<Record<MintKey["kind"], string>> = {
  p256: "PKIX_ECDSA_P256_SHA_256",
  p384: "PKIX_ECDSA_P384_SHA_384",
  rsa2048: "PKIX_RSA_PKCS1V15_2048_SHA256",
  rsa1024: "PKIX_RSA_PKCS1V15_1024_SHA256",
  ed25519: "PKIX_ED25519",
};

function canonicalBody(parts: SignedParts, first: boolean): Buffer {
  const { recipe, key, certificate, payload, payloadType, signed, signature } = parts;
  if (first) {
    const envelope = { payloadType, payload, signatures: [{ sig: signature }] };
    return Buffer.from(dsseRekordBody({ envelope, certificate }));
  }
  const wide = key.kind === "p384";
  return Buffer.from(
    hashedRekordBody({
      digest: createHash(wide ? "sha384" : "sha256")
        .update(signed)
        .digest(),
      digestAlgorithm: wide ? "SHA2_384" : "SHA2_256",
      signature,
      keyDetails: keyDetails[key.kind],
      ...(recipe.hint === undefined ? { certificate } : { publicKey: key.spki }),
    }),
  );
}

function entryJson(parts: SignedParts, entry: EntryRecipe): BundleJson {
  const first = parts.recipe.profile === "v1";
  const source = entry.log ?? (first ? parts.world.oldLog : parts.world.log);
  // Each entry gets a copy of the log, so that bundles do not depend on the order they are minted in.
  const log: MintLog = { ...source, leaves: [...source.leaves] };
  const canonical = canonicalBody(parts, first);
  const body = Buffer.from(entry.body?.(canonical) ?? canonical);
  const index = log.leaves.length;
  log.leaves.push(leafHash(body));
  for (let i = 0; i < (entry.after ?? 3); i++) log.leaves.push(leafHash(Buffer.from(`later ${i}`)));
  const seconds = entry.integratedTime ?? (first ? Math.floor(parts.world.at.getTime() / 1000) : undefined);
  const checkpoint: CheckpointRecipe = first
    ? { origin: `${log.origin} - 1193050959916656506`, ...entry.checkpoint }
    : (entry.checkpoint ?? {});
  const promise =
    (entry.promise ?? first) && seconds !== undefined
      ? {
          inclusionPromise: {
            signedEntryTimestamp: b64(
              sign(
                log.key.kind === "ed25519" ? null : "sha256",
                signedEntryTimestampMessage({
                  canonicalizedBody: body,
                  integratedTime: seconds,
                  logId: log.logId,
                  logIndex: index,
                }),
                log.key.privateKey,
              ),
            ),
          },
        }
      : {};
  return {
    logIndex: entry.logIndex?.(index) ?? String(index),
    logId: { keyId: b64(log.logId) },
    kindVersion: {
      kind: entry.kind ?? (first ? "dsse" : "hashedrekord"),
      version: entry.version ?? (first ? "0.0.1" : "0.0.2"),
    },
    ...(seconds === undefined ? {} : { integratedTime: String(seconds) }),
    ...promise,
    ...(entry.noProof
      ? {}
      : {
          inclusionProof: {
            logIndex: String(index),
            rootHash: b64(merkleRoot(log.leaves)),
            treeSize: String(log.leaves.length),
            hashes: proofOf(log, index).map(b64),
            checkpoint: { envelope: mintCheckpoint(log, checkpoint) },
          },
        }),
    canonicalizedBody: b64(body),
  };
}
