import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { encodeHex } from "@touchmark/core";
import { openpgpErrors } from "./errors.ts";
import { Octets } from "./octets.ts";
import { keyAlgorithms } from "./signature-packet.ts";

/** A version 4 public key or subkey; nothing about it is verified. */
export interface PublicKey {
  /** Lower-case hexadecimal of 20 octets. */
  readonly fingerprint: string;
  /** Last 16 digits of the fingerprint. */
  readonly keyId: string;
  readonly algorithm: number;
  readonly algorithmName: string;
  /** Unix seconds. */
  readonly created: number;
  /** What is hashed where a signature is about this key: 0x99, length, body. */
  readonly hashed: Uint8Array;
  /** Makes a key that verifies. @throws OPENPGP_ALGORITHM_REFUSED | OPENPGP_KEY_WEAK | OPENPGP_PACKET_MALFORMED */
  readonly verifying: () => VerifyingKey;
}

/** A key that can verify signatures here. */
export interface VerifyingKey {
  readonly kind: "rsa" | "ecdsa" | "ed25519" | "eddsa";
  readonly key: KeyObject;
  /** Octets of a coordinate, of the modulus, or of half a signature. */
  readonly width: number;
}

const curves: Readonly<Record<string, { readonly name: string; readonly width: number }>> = {
  "2a8648ce3d030107": { name: "P-256", width: 32 },
  "2b81040022": { name: "P-384", width: 48 },
  "2b81040023": { name: "P-521", width: 66 },
};

const ed25519Oid = "2b06010401da470f01";
const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");
const maxModulusBits = 16_384;

/** Reads the body of a public key or subkey packet. @throws OPENPGP_PACKET_MALFORMED | OPENPGP_VERSION_UNSUPPORTED */
export function parsePublicKey(body: Uint8Array): PublicKey {
  const reader = new Octets(body);
  const version = reader.octet();
  if (version !== 4) {
    throw openpgpErrors.make("OPENPGP_VERSION_UNSUPPORTED", `expected a key of version 4, found ${version}`);
  }
  if (body.length > 0xffff) throw malformed("a longer one");
  const created = reader.number(4);
  const algorithm = reader.octet();
  const material = reader.rest();
  const hashed = Buffer.concat([Buffer.from([0x99, body.length >> 8, body.length & 0xff]), body]);
  // The fingerprint of version 4 is SHA-1 by definition (RFC 9580 §5.5.4.2); it names keys and vouches for nothing.
  const fingerprint = createHash("sha1").update(hashed).digest("hex");
  let made: VerifyingKey | undefined;
  return {
    fingerprint,
    keyId: fingerprint.slice(-16),
    algorithm,
    algorithmName: keyAlgorithms[algorithm] ?? `algorithm ${algorithm}`,
    created,
    hashed,
    verifying: () => {
      made ??= verifyingKey(algorithm, material);
      return made;
    },
  };
}

function verifyingKey(algorithm: number, material: Uint8Array): VerifyingKey {
  const reader = new Octets(material);
  if (algorithm === 1 || algorithm === 3) return rsaKey(reader);
  if (algorithm === 19) return ecdsaKey(reader);
  if (algorithm === 22) return eddsaKey(reader);
  if (algorithm === 27) {
    const point = reader.take(32);
    reader.end();
    return { kind: "ed25519", key: ed25519(point), width: 32 };
  }
  throw openpgpErrors.make(
    "OPENPGP_ALGORITHM_REFUSED",
    `expected a key for RSA, ECDSA or Ed25519, found ${keyAlgorithms[algorithm] ?? `algorithm ${algorithm}`}`,
  );
}

function rsaKey(reader: Octets): VerifyingKey {
  const modulus = reader.integer(maxModulusBits);
  const exponent = reader.integer(64);
  reader.end();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < 2048) {
    throw openpgpErrors.make("OPENPGP_KEY_WEAK", `expected an RSA key of at least 2048 bits, found ${bits}`);
  }
  const jwk = { kty: "RSA", n: base64Url(modulus), e: base64Url(exponent) };
  return { kind: "rsa", key: made(() => createPublicKey({ key: jwk, format: "jwk" })), width: modulus.length };
}

function ecdsaKey(reader: Octets): VerifyingKey {
  const oid = encodeHex(reader.take(reader.octet()));
  const point = reader.integer(8 * 133 + 8);
  reader.end();
  const curve = Object.hasOwn(curves, oid) ? curves[oid] : undefined;
  if (curve === undefined) {
    throw openpgpErrors.make("OPENPGP_ALGORITHM_REFUSED", `expected a curve P-256, P-384 or P-521, found ${oid}`);
  }
  const { name, width } = curve;
  if (point.length !== 1 + 2 * width || point[0] !== 4) throw malformed("a point that is not of its curve");
  const [x, y] = [base64Url(point.subarray(1, 1 + width)), base64Url(point.subarray(1 + width))];
  const key = made(() => createPublicKey({ key: { kty: "EC", crv: name, x, y }, format: "jwk" }));
  return { kind: "ecdsa", key, width };
}

function eddsaKey(reader: Octets): VerifyingKey {
  const oid = encodeHex(reader.take(reader.octet()));
  const point = reader.integer(8 * 64);
  reader.end();
  if (oid !== ed25519Oid) {
    throw openpgpErrors.make("OPENPGP_ALGORITHM_REFUSED", `expected the curve Ed25519, found ${oid}`);
  }
  if (point.length !== 33 || point[0] !== 0x40) throw malformed("a point that is not of its curve");
  return { kind: "eddsa", key: ed25519(point.subarray(1)), width: 32 };
}

function ed25519(point: Uint8Array): KeyObject {
  const der = Buffer.concat([ed25519Prefix, point]);
  return made(() => createPublicKey({ key: der, format: "der", type: "spki" }));
}

function made(make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (cause) {
    throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", "the values of a public key are none", { cause });
  }
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function malformed(found: string): Error {
  return openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected a public key, found ${found}`);
}
