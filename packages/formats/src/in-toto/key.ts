import { createPublicKey, type KeyObject } from "node:crypto";
import { type Digest, decodeHex, digestHex, encodeHex, type Json, sha256 } from "@touchmark/core";
import { decodePem } from "../pem.ts";
import { olpcCanonicalJson } from "./canonical.ts";
import { DocumentMembers } from "./document-members.ts";
import { inTotoErrors } from "./errors.ts";

/** A public key as layouts for in-toto have it. */
export interface ClassicKey {
  /** What signatures and steps call it. It proves nothing: `digest` says which key it is. */
  readonly keyid: string;
  readonly keytype: string;
  readonly scheme: string;
  readonly hashAlgorithms?: readonly string[];
  /** As written: PEM, or hexadecimal for ed25519. */
  readonly public: string;
  readonly certificate?: string;
  /** SHA-256 of SubjectPublicKeyInfo (DER): one key under two ids is one key. */
  readonly digest: Digest;
}

const hashAlgorithms = ["sha256", "sha512"] as const;
const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");
const ecdsaSchemes: Readonly<Record<string, string>> = {
  "ecdsa-sha2-nistp256": "prime256v1",
  "ecdsa-sha2-nistp384": "secp384r1",
};

/** Reads a key of a layout. @throws INTOTO_MALFORMED | INTOTO_KEY_MALFORMED | INTOTO_KEY_UNSUPPORTED */
export function readClassicKey(value: Json, path: string, name?: string): ClassicKey {
  const members = new DocumentMembers(value, path);
  const keytype = members.text("keytype");
  const scheme = members.text("scheme");
  const stated = members.optional("keyid_hash_algorithms");
  const algorithms = stated === undefined ? undefined : members.texts("keyid_hash_algorithms", 16);
  const keyval = new DocumentMembers(members.required("keyval"), `${path}.keyval`);
  const publicText = keyval.text("public");
  const certificate = keyval.optionalText("certificate");
  // Written empty by the tools of Python; anything in it is a secret that was let out.
  if ((keyval.optionalText("private") ?? "") !== "") {
    throw inTotoErrors.make("INTOTO_KEY_MALFORMED", `expected a public key at ${path}, found a private one`);
  }
  keyval.end();
  const own = members.optionalText("keyid");
  members.end();
  if (own !== undefined && name !== undefined && own !== name) {
    throw inTotoErrors.make("INTOTO_KEY_MALFORMED", `expected one key id at ${path}, found ${own.slice(0, 80)}`);
  }
  const written = { keytype, scheme, public: publicText };
  const key = publicKey(written, path);
  const keyid = own ?? name ?? keyIds({ ...written, hashAlgorithms: algorithms ?? hashAlgorithms })[0];
  return {
    keyid,
    ...written,
    ...(algorithms === undefined ? {} : { hashAlgorithms: algorithms }),
    ...(certificate === undefined ? {} : { certificate }),
    digest: sha256(key.export({ format: "der", type: "spki" })),
  };
}

/** How a layout has a key: RSA and ECDSA as PEM, ed25519 as hexadecimal. @throws INTOTO_KEY_UNSUPPORTED */
export function classicKeyOf(key: KeyObject): ClassicKey {
  const der = key.export({ format: "der", type: "spki" });
  const pem = key.export({ format: "pem", type: "spki" }).toString().trim();
  const written = (keytype: string, scheme: string, publicText: string): ClassicKey => {
    const parts = { keytype, scheme, hashAlgorithms, public: publicText };
    publicKey(parts, "key");
    return { keyid: keyIds(parts)[0], ...parts, digest: sha256(der) };
  };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const scheme = Object.keys(ecdsaSchemes).find((each) => ecdsaSchemes[each] === curve);
  if (key.asymmetricKeyType === "ed25519") return written("ed25519", "ed25519", encodeHex(der.subarray(-32)));
  if (key.asymmetricKeyType === "rsa") return written("rsa", "rsassa-pss-sha256", pem);
  if (scheme !== undefined) return written("ecdsa", scheme, pem);
  throw inTotoErrors.make("INTOTO_KEY_UNSUPPORTED", `a key of type ${key.asymmetricKeyType} has no classic form`);
}

/** The ids that tools compute for a key: with the members of old ones first, then with those of securesystemslib 1. */
export function keyIds(key: {
  readonly keytype: string;
  readonly scheme: string;
  readonly hashAlgorithms?: readonly string[];
  readonly public: string;
}): readonly [string, string] {
  const { keytype, scheme } = key;
  const algorithms = key.hashAlgorithms ?? hashAlgorithms;
  const id = (value: object) => digestHex(sha256(olpcCanonicalJson(value)));
  // The new ones count the newline behind a PEM, the old ones do not.
  const bare = key.public.trim();
  const line = bare.startsWith("-") ? `${bare}\n` : bare;
  return [
    id({ keytype, scheme, keyid_hash_algorithms: algorithms, keyval: { public: bare } }),
    id({ keytype, scheme, keyval: { public: line } }),
  ];
}

/** A key as JSON. No `private` member: present and empty it breaks in-toto-golang. */
export function writeClassicKey(key: ClassicKey): Json {
  return {
    keyid: key.keyid,
    keytype: key.keytype,
    scheme: key.scheme,
    ...(key.hashAlgorithms === undefined ? {} : { keyid_hash_algorithms: key.hashAlgorithms }),
    keyval: {
      public: key.public,
      ...(key.certificate === undefined ? {} : { certificate: key.certificate }),
    },
  };
}

/** The key itself. @throws INTOTO_KEY_MALFORMED | INTOTO_KEY_UNSUPPORTED */
export function publicKey(
  key: { readonly keytype: string; readonly scheme: string; readonly public: string },
  path = "key",
): KeyObject {
  const { keytype, scheme } = key;
  const unsupported = (found: string) =>
    inTotoErrors.make("INTOTO_KEY_UNSUPPORTED", `${path}: ${found.slice(0, 200)} is not supported`);
  if (keytype === "ed25519" && scheme === "ed25519") return ed25519(key.public, path);
  if (keytype === "rsa" && scheme === "rsassa-pss-sha256") {
    const rsa = fromPem(key.public, path);
    if (rsa.asymmetricKeyType !== "rsa") throw mismatch(path, "an RSA key", rsa);
    const bits = rsa.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < 2048 || bits > 8192) throw unsupported(`RSA of ${bits} bits`);
    return rsa;
  }
  const curve = Object.hasOwn(ecdsaSchemes, scheme) ? ecdsaSchemes[scheme] : undefined;
  if (curve !== undefined && (keytype === "ecdsa" || keytype === scheme)) {
    const ecdsa = fromPem(key.public, path);
    if (ecdsa.asymmetricKeyDetails?.namedCurve !== curve) throw mismatch(path, `a key on ${curve}`, ecdsa);
    return ecdsa;
  }
  throw unsupported(`${keytype} with ${scheme}`);
}

function ed25519(text: string, path: string): KeyObject {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    // Later tools in Go write PEM here too.
    const key = fromPem(text, path);
    if (key.asymmetricKeyType !== "ed25519") throw mismatch(path, "an ed25519 key", key);
    return key;
  }
  return fromDer(Buffer.concat([ed25519Prefix, decodeHex(text)]), "spki", path);
}

function fromPem(text: string, path: string): KeyObject {
  const pem = text.length > 16_384 ? undefined : decodePem(text);
  if (pem?.label === "PUBLIC KEY") return fromDer(pem.der, "spki", path);
  if (pem?.label === "RSA PUBLIC KEY") return fromDer(pem.der, "pkcs1", path);
  throw inTotoErrors.make("INTOTO_KEY_MALFORMED", `expected a public key in PEM at ${path}`);
}

function fromDer(der: Uint8Array, type: "spki" | "pkcs1", path: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type });
  } catch (cause) {
    throw inTotoErrors.make("INTOTO_KEY_MALFORMED", `expected a public key at ${path}`, { cause });
  }
}

function mismatch(path: string, expected: string, found: KeyObject): Error {
  const name = found.asymmetricKeyDetails?.namedCurve ?? found.asymmetricKeyType;
  return inTotoErrors.make("INTOTO_KEY_MALFORMED", `expected ${expected} at ${path}, found ${name}`);
}
