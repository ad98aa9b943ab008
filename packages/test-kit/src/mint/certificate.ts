import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  algorithm,
  asn1,
  bits,
  distinguishedName,
  integer,
  octets,
  oid,
  sequence,
  utcTime,
  utf8,
  yes,
} from "./asn1.ts";

/** Kinds of keys that the mint makes. */
export type KeyKind = "p256" | "p384" | "rsa2048" | "rsa1024" | "ed25519";

/** A key pair of the mint. */
export interface MintKey {
  readonly kind: KeyKind;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly pem: string;
}

export function mintKey(kind: KeyKind = "p256"): MintKey {
  const { privateKey, publicKey } = generate(kind);
  const spki = publicKey.export({ format: "der", type: "spki" });
  return { kind, privateKey, publicKey, spki, pem: publicKey.export({ format: "pem", type: "spki" }).toString() };
}

function generate(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  if (kind === "rsa2048") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (kind === "rsa1024") return generateKeyPairSync("rsa", { modulusLength: 1024 });
  return generateKeyPairSync("ec", { namedCurve: kind === "p256" ? "prime256v1" : "secp384r1" });
}

const hashes: Readonly<Record<KeyKind, string | null>> = {
  p256: "sha256",
  p384: "sha384",
  rsa2048: "sha256",
  rsa1024: "sha256",
  ed25519: null,
};

/** Signs as keys of the kind do. */
export function signWith(key: MintKey, content: Uint8Array): Buffer {
  return sign(hashes[key.kind], content, key.privateKey);
}

/** AlgorithmIdentifier of such signatures. */
export function signatureAlgorithm(kind: KeyKind): Buffer {
  if (kind === "p256") return algorithm("1.2.840.10045.4.3.2");
  if (kind === "p384") return algorithm("1.2.840.10045.4.3.3");
  if (kind === "ed25519") return algorithm("1.3.101.112");
  return algorithm("1.2.840.113549.1.1.11", asn1(0x05));
}

/** Extended key usages by name. */
export const usages = {
  codeSigning: "1.3.6.1.5.5.7.3.3",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  any: "2.5.29.37.0",
} as const;

/** An extension as it stands in a certificate. */
export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(value));
}

/** What a certificate is made of; every member can be wrong on purpose. */
export interface CertificateRecipe {
  readonly subject?: Buffer;
  readonly issuer?: Buffer;
  readonly key: MintKey;
  readonly signer: MintKey;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly serial?: Uint8Array;
  readonly authority?: boolean;
  readonly pathLength?: number;
  /** Bits of the key usage; null leaves the extension out. */
  readonly keyUsage?: readonly number[] | null;
  /** Null leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly usageCritical?: boolean;
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Extension 1.3.6.1.4.1.57264.1.8; null leaves it out. */
  readonly identityIssuer?: string | null;
  /** The older 1.3.6.1.4.1.57264.1.1, as bare text. */
  readonly oldIdentityIssuer?: string;
  readonly permittedUris?: readonly string[];
  readonly excludedUris?: readonly string[];
  readonly extensions?: readonly Buffer[];
  readonly signatureAlgorithm?: Buffer;
}

function namedBits(numbers: readonly number[]): Buffer {
  const last = Math.max(...numbers);
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const bit of numbers) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7));
  return bits(bytes, 7 - (last & 7));
}

export const keyIdentifier = (key: MintKey): Buffer => createHash("sha1").update(key.spki).digest();

function recipeExtensions(recipe: CertificateRecipe): Buffer[] {
  const list: Buffer[] = [];
  if (recipe.authority) {
    const path = recipe.pathLength === undefined ? [] : [integer(recipe.pathLength)];
    list.push(extension("2.5.29.19", sequence(yes(), ...path), true));
  }
  const keyUsage = recipe.keyUsage === undefined ? (recipe.authority ? [5, 6] : [0]) : recipe.keyUsage;
  if (keyUsage !== null) list.push(extension("2.5.29.15", namedBits(keyUsage), true));
  const eku = recipe.extendedKeyUsage ?? null;
  if (eku !== null) list.push(extension("2.5.29.37", sequence(...eku.map(oid)), recipe.usageCritical ?? false));
  const names = [
    ...(recipe.uris ?? []).map((uri) => asn1(0x86, Buffer.from(uri))),
    ...(recipe.emails ?? []).map((email) => asn1(0x81, Buffer.from(email))),
    ...(recipe.dnsNames ?? []).map((name) => asn1(0x82, Buffer.from(name))),
  ];
  if (names.length > 0) list.push(extension("2.5.29.17", sequence(...names), true));
  const issuer = recipe.identityIssuer ?? null;
  if (recipe.oldIdentityIssuer !== undefined) {
    list.push(extension("1.3.6.1.4.1.57264.1.1", Buffer.from(recipe.oldIdentityIssuer)));
  }
  if (issuer !== null) list.push(extension("1.3.6.1.4.1.57264.1.8", utf8(issuer)));
  const subtrees = (uris: readonly string[] | undefined, number: number) =>
    uris === undefined ? [] : [asn1(0xa0 | number, ...uris.map((uri) => sequence(asn1(0x86, Buffer.from(uri)))))];
  const constraints = [...subtrees(recipe.permittedUris, 0), ...subtrees(recipe.excludedUris, 1)];
  if (constraints.length > 0) list.push(extension("2.5.29.30", sequence(...constraints), true));
  list.push(extension("2.5.29.14", octets(keyIdentifier(recipe.key))));
  list.push(extension("2.5.29.35", sequence(asn1(0x80, keyIdentifier(recipe.signer)))));
  return [...list, ...(recipe.extensions ?? [])];
}

/** Mints a certificate, DER. */
export function mintCertificate(recipe: CertificateRecipe): Buffer {
  const signatureId = recipe.signatureAlgorithm ?? signatureAlgorithm(recipe.signer.kind);
  const serial = recipe.serial ?? Buffer.concat([Buffer.from([0x42]), randomBytes(15)]);
  const tbs = sequence(
    asn1(0xa0, integer(2)),
    integer(serial),
    signatureId,
    recipe.issuer ?? distinguishedName("Mint", "mint"),
    sequence(utcTime(recipe.notBefore ?? new Date(0)), utcTime(recipe.notAfter ?? new Date("2049-12-31T23:59:59Z"))),
    recipe.subject ?? sequence(),
    recipe.key.spki,
    asn1(0xa3, sequence(...recipeExtensions(recipe))),
  );
  return sequence(tbs, signatureId, bits(signWith(recipe.signer, tbs)));
}
