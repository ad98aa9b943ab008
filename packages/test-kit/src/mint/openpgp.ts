import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** Kinds of OpenPGP keys: `ed25519` is algorithm 27, `eddsa` the older 22. */
export type PgpKeyKind = "rsa" | "rsa1024" | "p256" | "p384" | "p521" | "ed25519" | "eddsa";

/** A private OpenPGP key of version 4. */
export interface PgpKey {
  readonly kind: PgpKeyKind;
  readonly algorithm: number;
  readonly privateKey: KeyObject;
  /** Body of its public key packet. */
  readonly body: Buffer;
  readonly fingerprint: string;
  readonly created: Date;
}

const curves = {
  p256: { name: "P-256", oid: "2a8648ce3d030107" },
  p384: { name: "P-384", oid: "2b81040022" },
  p521: { name: "P-521", oid: "2b81040023" },
} as const;

const hashNumbers: Readonly<Record<string, number>> = { md5: 1, sha1: 2, sha256: 8, sha384: 9, sha512: 10 };

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

function be(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}

/** Multiprecision integer. */
export function pgpInteger(value: Uint8Array): Buffer {
  const start = value.findIndex((octet) => octet !== 0);
  const plain = start < 0 ? Buffer.alloc(0) : Buffer.from(value.subarray(start));
  const bits = plain.length === 0 ? 0 : plain.length * 8 - (Math.clz32(plain[0] as number) - 24);
  return Buffer.concat([be(bits, 2), plain]);
}

/** A packet in the new format, its length in four octets when `wide`. */
export function pgpPacket(tag: number, body: Uint8Array): Buffer {
  const length =
    body.length < 192
      ? be(body.length, 1)
      : body.length < 8384
        ? be(body.length - 192 + (192 << 8), 2)
        : Buffer.concat([be(255, 1), be(body.length, 4)]);
  return Buffer.concat([be(0xc0 | tag, 1), length, body]);
}

/** A signature subpacket. */
export function pgpSubpacket(type: number, body: Uint8Array, critical = false): Buffer {
  const length = body.length + 1;
  const head = length < 192 ? be(length, 1) : Buffer.concat([be(255, 1), be(length, 4)]);
  return Buffer.concat([head, be(type | (critical ? 0x80 : 0), 1), body]);
}

/** Makes a key. */
export function mintPgpKey(kind: PgpKeyKind, created: Date = new Date("2024-01-01T00:00:00Z")): PgpKey {
  const privateKey = generate(kind);
  const algorithm = { rsa: 1, rsa1024: 1, p256: 19, p384: 19, p521: 19, ed25519: 27, eddsa: 22 }[kind];
  const body = Buffer.concat([be(4, 1), be(seconds(created), 4), be(algorithm, 1), material(kind, privateKey)]);
  const fingerprint = createHash("sha1").update(keyPrefix(body)).update(body).digest("hex");
  return { kind, algorithm, privateKey, body, fingerprint, created };
}

function generate(kind: PgpKeyKind): KeyObject {
  if (kind === "rsa" || kind === "rsa1024") {
    return generateKeyPairSync("rsa", { modulusLength: kind === "rsa" ? 2048 : 1024 }).privateKey;
  }
  if (kind === "ed25519" || kind === "eddsa") return generateKeyPairSync("ed25519").privateKey;
  return generateKeyPairSync("ec", { namedCurve: curves[kind].name }).privateKey;
}

function material(kind: PgpKeyKind, privateKey: KeyObject): Buffer {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  const bytes = (text: unknown): Buffer => Buffer.from(String(text), "base64url");
  if (kind === "rsa" || kind === "rsa1024") return Buffer.concat([pgpInteger(bytes(jwk.n)), pgpInteger(bytes(jwk.e))]);
  if (kind === "ed25519") return bytes(jwk.x);
  const [oid, point] =
    kind === "eddsa"
      ? [Buffer.from("2b06010401da470f01", "hex"), Buffer.concat([be(0x40, 1), bytes(jwk.x)])]
      : [Buffer.from(curves[kind].oid, "hex"), Buffer.concat([be(4, 1), bytes(jwk.x), bytes(jwk.y)])];
  return Buffer.concat([be(oid.length, 1), oid, pgpInteger(point)]);
}

const keyPrefix = (body: Buffer): Buffer => Buffer.concat([be(0x99, 1), be(body.length, 2)]);

/** What is hashed of a key where a signature is about it. */
export const pgpHashed = (key: PgpKey): Buffer => Buffer.concat([keyPrefix(key.body), key.body]);

/** What a signature is made of; every member can be wrong on purpose. */
export interface PgpSignatureRecipe {
  readonly type?: number;
  readonly hash?: string;
  readonly created?: Date;
  /** Seconds after which it expires. */
  readonly lifetime?: number;
  /** Further subpackets, within the signed part. */
  readonly hashed?: readonly Buffer[];
  readonly unhashed?: readonly Buffer[];
  /** The key that it names instead of the one that makes it; null names none. */
  readonly issuer?: PgpKey | null;
}

/** Body of a signature packet of version 4 over these parts. */
export function pgpSignatureBody(
  key: PgpKey,
  parts: readonly (Uint8Array | string)[],
  recipe: PgpSignatureRecipe = {},
): Buffer {
  const hash = recipe.hash ?? (key.kind === "p521" ? "sha512" : key.kind === "p384" ? "sha384" : "sha256");
  const issuer = recipe.issuer === undefined ? key : recipe.issuer;
  const created = recipe.created ?? new Date(key.created.getTime() + 1000);
  const hashed = Buffer.concat([
    pgpSubpacket(2, be(seconds(created), 4)),
    ...(issuer === null ? [] : [pgpSubpacket(33, Buffer.from(`04${issuer.fingerprint}`, "hex"))]),
    ...(recipe.lifetime === undefined ? [] : [pgpSubpacket(3, be(recipe.lifetime, 4))]),
    ...(recipe.hashed ?? []),
  ]);
  const unhashed = Buffer.concat([
    ...(issuer === null ? [] : [pgpSubpacket(16, Buffer.from(issuer.fingerprint.slice(-16), "hex"))]),
    ...(recipe.unhashed ?? []),
  ]);
  const head = Buffer.concat([
    Buffer.from([4, recipe.type ?? 0, key.algorithm, hashNumbers[hash] as number]),
    be(hashed.length, 2),
    hashed,
  ]);
  const digested = Buffer.concat([
    ...parts.map((part) => Buffer.from(part)),
    head,
    Buffer.from([4, 0xff]),
    be(head.length, 4),
  ]);
  const sum = createHash(hash).update(digested).digest();
  return Buffer.concat([
    head,
    be(unhashed.length, 2),
    unhashed,
    sum.subarray(0, 2),
    signatureValues(key, hash, digested, sum),
  ]);
}

function signatureValues(key: PgpKey, hash: string, digested: Buffer, sum: Buffer): Buffer {
  if (key.kind === "ed25519") return sign(null, sum, key.privateKey);
  if (key.kind === "rsa" || key.kind === "rsa1024") return pgpInteger(sign(hash, digested, key.privateKey));
  const pair =
    key.kind === "eddsa"
      ? sign(null, sum, key.privateKey)
      : sign(hash, digested, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return Buffer.concat([pgpInteger(pair.subarray(0, pair.length / 2)), pgpInteger(pair.subarray(pair.length / 2))]);
}

/** A detached signature: a packet. */
export function pgpSign(key: PgpKey, content: Uint8Array | string, recipe: PgpSignatureRecipe = {}): Buffer {
  return pgpPacket(2, pgpSignatureBody(key, [content], recipe));
}

/** A subkey of a certificate. */
export interface PgpSubkeyRecipe {
  readonly key: PgpKey;
  readonly flags?: number;
  /** Seconds after its creation. */
  readonly lifetime?: number;
  /** The key that binds back to the primary one; null leaves the binding out. */
  readonly back?: PgpKey | null;
  readonly binding?: PgpSignatureRecipe;
  readonly revoked?: boolean;
}

/** What a public key is made of; every member can be wrong on purpose. */
export interface PgpCertificateRecipe {
  readonly primary: PgpKey;
  readonly userId?: string;
  /** First octet of the key flags; null leaves them out. */
  readonly flags?: number | null;
  /** Seconds after its creation. */
  readonly lifetime?: number;
  readonly self?: PgpSignatureRecipe;
  /** The key that signs the user id; the primary one by default. */
  readonly certifier?: PgpKey;
  readonly subkeys?: readonly PgpSubkeyRecipe[];
  /** A revocation of the primary key, made with this hash. */
  readonly revoked?: { readonly hash?: string; readonly by?: PgpKey };
}

/** A public key with its user id and subkeys, as packets. */
export function pgpCertificate(recipe: PgpCertificateRecipe): Buffer {
  const { primary } = recipe;
  const userId = Buffer.from(recipe.userId ?? "Mint <mint@example.org>");
  const flags = recipe.flags === undefined ? 0x03 : recipe.flags;
  const certified = [pgpHashed(primary), be(0xb4, 1), be(userId.length, 4), userId];
  const lifetime = recipe.lifetime === undefined ? [] : [pgpSubpacket(9, be(recipe.lifetime, 4))];
  const self = pgpSignatureBody(recipe.certifier ?? primary, certified, {
    type: 0x13,
    issuer: primary,
    ...recipe.self,
    hashed: [...(flags === null ? [] : [pgpSubpacket(27, be(flags, 1))]), ...lifetime, ...(recipe.self?.hashed ?? [])],
  });
  const { revoked } = recipe;
  return Buffer.concat([
    pgpPacket(6, primary.body),
    ...(revoked === undefined
      ? []
      : [
          pgpPacket(
            2,
            pgpSignatureBody(revoked.by ?? primary, [pgpHashed(primary)], {
              type: 0x20,
              ...(revoked.hash === undefined ? {} : { hash: revoked.hash }),
            }),
          ),
        ]),
    pgpPacket(13, userId),
    pgpPacket(2, self),
    ...(recipe.subkeys ?? []).flatMap((subkey) => subkeyPackets(primary, subkey)),
  ]);
}

function subkeyPackets(primary: PgpKey, recipe: PgpSubkeyRecipe): Buffer[] {
  const both = [pgpHashed(primary), pgpHashed(recipe.key)];
  const back = recipe.back === undefined ? recipe.key : recipe.back;
  const binding = pgpSignatureBody(primary, both, {
    type: 0x18,
    ...recipe.binding,
    hashed: [
      pgpSubpacket(27, be(recipe.flags ?? 0x02, 1)),
      ...(recipe.lifetime === undefined ? [] : [pgpSubpacket(9, be(recipe.lifetime, 4))]),
      ...(back === null ? [] : [pgpSubpacket(32, pgpSignatureBody(back, both, { type: 0x19 }))]),
      ...(recipe.binding?.hashed ?? []),
    ],
  });
  return [
    pgpPacket(14, recipe.key.body),
    pgpPacket(2, binding),
    ...(recipe.revoked ? [pgpPacket(2, pgpSignatureBody(primary, both, { type: 0x28 }))] : []),
  ];
}

/** ASCII armour, with its checksum. */
export function pgpArmor(kind: "SIGNATURE" | "PUBLIC KEY BLOCK", bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x800000 ? ((crc << 1) ^ 0x1864cfb) & 0xffffff : crc << 1;
  }
  const sum = be(crc, 3).toString("base64");
  return `-----BEGIN PGP ${kind}-----\n\n${lines.join("\n")}\n=${sum}\n-----END PGP ${kind}-----\n`;
}

/** A cleartext-signed document; the text ends without a line end, or its last empty line is signed too. */
export function pgpClearsign(keys: readonly PgpKey[], text: string, recipe: PgpSignatureRecipe = {}): string {
  const plain = text.split("\n").map((line) => line.replace(/[ \t]+$/, ""));
  const signatures = keys.map((key) => pgpSign(key, plain.join("\r\n"), { type: 1, ...recipe }));
  const escaped = text.split("\n").map((line) => (line.startsWith("-") ? `- ${line}` : line));
  const head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1, SHA256, SHA384, SHA512\n\n";
  return `${head}${escaped.join("\n")}\n${pgpArmor("SIGNATURE", Buffer.concat(signatures))}`;
}
