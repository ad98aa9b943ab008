import { createHash, createPublicKey, sign } from "node:crypto";
import { fixedClock, leafHash, merkleRoot } from "@touchmark/core";
import { noteVerifier } from "@touchmark/formats/log";
import {
  type BundleRecipe,
  extension,
  type MintKey,
  mintBundle,
  mintKey,
  mintWorld,
  noteKeyHash,
  signatureLine,
  trustedRootBytes,
  utf8,
} from "@touchmark/test-kit/mint";
import { readTrustRoot } from "@touchmark/verify";
import { expect } from "vitest";
import type { Announcement } from "../material.ts";
import type { EvidenceQuestion, GatheredEvidence } from "./evidence.ts";
import { gatherEvidence } from "./gather.ts";
import { readRegistryKeys } from "./registry-keys.ts";
import { type SeenState, seenInMemory } from "./seen-state.ts";
import type { EvidenceTrust, KindTrust } from "./trust.ts";
import { noRules, parseTrustRules, type TrustRules } from "./trust-rules.ts";

/** The world in which everything of these tests is signed; nothing outside of it is trusted. */
export const world = mintWorld({ intermediate: { permittedUris: ["factory.example", "forge.example"] } });
export const root = readTrustRoot(trustedRootBytes(world));
export const issuer = "https://issuer.example";
export const repository = "https://forge.example/own/one";
export const workflow = `${repository}/.github/workflows/release.yml@refs/heads/main`;
const later = new Date(world.at.getTime() + 86_400_000);

const digestOf = (algorithm: string, bytes: Uint8Array | string): string =>
  createHash(algorithm).update(bytes).digest("hex");

/** Rules of a trust file, from its text. */
export const rulesOf = (text: string): TrustRules => parseTrustRules(`touchmark: evidence-trust/v1\n${text}`, "trust");

/** Trust with the root of this world. */
export function kindTrust(parts: Partial<KindTrust> = {}): KindTrust {
  return { roots: [root], registryKeys: [], databases: [], keyring: undefined, rules: noRules, ...parts };
}

/** The one row that comes of a question. */
export async function ask(
  question: EvidenceQuestion,
  trust: EvidenceTrust,
  seen: SeenState = seenInMemory(),
): Promise<GatheredEvidence> {
  const rows = await gatherEvidence(question, { trust, seen, clock: fixedClock(later) });
  expect(rows).toHaveLength(1);
  return rows[0] as GatheredEvidence;
}

/** A statement about one file. */
export const statement = (
  name: string,
  bytes: string,
  predicateType: string,
  predicate: unknown,
  algorithm = "sha256",
) => ({
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name, digest: { [algorithm]: digestOf(algorithm, bytes) } }],
  predicateType,
  predicate,
});

/** SLSA provenance of a workflow. */
export const provenanceOf = (source: string) => ({
  buildDefinition: {
    buildType: "https://forge.example/workflow/v1",
    externalParameters: { workflow: { repository: source, ref: "refs/heads/main" } },
    resolvedDependencies: [],
  },
  runDetails: { builder: { id: "https://forge.example/runner" } },
});

/** A bundle by a workflow of the forge, as its authority certifies it. */
export function forgeBundle(
  recipe: BundleRecipe,
  more: { readonly identity?: string; readonly source?: string } = {},
): unknown {
  const source = more.source ?? repository;
  const minted = mintBundle(world, {
    ...recipe,
    leaf: {
      uris: [more.identity ?? workflow],
      identityIssuer: issuer,
      extensions: [extension("1.3.6.1.4.1.57264.1.12", utf8(source))],
      ...recipe.leaf,
    },
  });
  return JSON.parse(Buffer.from(minted.bytes).toString("utf8"));
}

/** A key of a registry and the document that publishes it. */
export function registryKey(expires: string | null = null): { readonly key: MintKey; readonly document: string } {
  const key = mintKey("p256");
  const entry = {
    keyid: `SHA256:${digestOf("sha256", key.spki).slice(0, 20)}`,
    keytype: "ecdsa-sha2-nistp256",
    scheme: "ecdsa-sha2-nistp256",
    key: key.spki.toString("base64"),
    expires,
  };
  return { key, document: JSON.stringify({ keys: [entry] }) };
}

/** A registry's signature over a package. */
export function registrySignature(
  { key, document }: ReturnType<typeof registryKey>,
  bytes: string,
  as = "@own/one@1.0.0",
): { readonly keyId: string; readonly signature: string } {
  const integrity = createHash("sha512").update(bytes).digest("base64");
  const signature = sign("sha256", Buffer.from(`${as}:sha512-${integrity}`), key.privateKey).toString("base64");
  return { keyId: readRegistryKeys(Buffer.from(document))[0]?.keyId ?? "", signature };
}

/** What an index announces of the package that these tests are about. */
export function announcedAs(url: string, more: Partial<Announcement>): Announcement {
  return { url, ecosystem: "npm", kind: "archive", name: "@own/one", version: "1.0.0", digests: [], ...more };
}

/** A checksum database with its tree in memory. */
export class TestDatabase {
  readonly key = mintKey("ed25519");
  readonly name = "sums.example";
  readonly records: string[] = [];

  get verifierKey(): string {
    const id = noteKeyHash(this.name, this.key).subarray(0, 4).toString("hex");
    return `${this.name}+${id}+${Buffer.concat([Buffer.from([1]), this.key.spki.subarray(-32)]).toString("base64")}`;
  }

  get verifier() {
    return noteVerifier(this.name, "ed25519", createPublicKey(this.key.pem));
  }

  #leaves(size: number): Uint8Array[] {
    return this.records.slice(0, size).map((record) => leafHash(Buffer.from(record)));
  }

  /** Adds a module version; answers its number. */
  add(module: string, version: string, zip: string, mod: string): number {
    const h1 = (hex: string): string => `h1:${Buffer.from(hex, "hex").toString("base64")}`;
    this.records.push(`${module} ${version} ${h1(zip)}\n${module} ${version}/go.mod ${h1(mod)}\n`);
    return this.records.length - 1;
  }

  head(size = this.records.length): string {
    const text = `go.sum database tree\n${size}\n${Buffer.from(merkleRoot(this.#leaves(size))).toString("base64")}\n`;
    const signature = sign(null, Buffer.from(text), this.key.privateKey);
    return `${text}\n${signatureLine(this.name, noteKeyHash(this.name, this.key), signature)}\n`;
  }

  /** Answers of its protocol, for trees up to 256 records, by path. */
  publish(answers: Map<string, string | Uint8Array | number>, size = this.records.length): void {
    const leaves = this.#leaves(size);
    for (let width = 1; width <= size; width++) {
      const path = width === 256 ? "/tile/8/0/000" : `/tile/8/0/000.p/${width}`;
      answers.set(path, Buffer.concat(leaves.slice(0, width)));
    }
    for (const [id, record] of this.records.slice(0, size).entries()) {
      const [module = "", version = ""] = record.split(" ");
      answers.set(`/lookup/${module}@${version}`, `${id}\n${record}\n${this.head(size)}`);
    }
  }
}
