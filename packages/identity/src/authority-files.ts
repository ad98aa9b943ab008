import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { equalBytes } from "@touchmark/core";
import { decodePem, encodePem } from "@touchmark/formats/evidence";
import { readPrivateFile, writeDurably } from "./durable-file.ts";
import { identityErrors } from "./errors.ts";

/** Kinds of key in an identity directory. */
export type KeyKind = "p256" | "ed25519";

/** A key with its certificate, both read and compared. */
export interface Authority {
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

/** A fresh private key. */
export function newKey(kind: KeyKind): KeyObject {
  return kind === "p256"
    ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
    : generateKeyPairSync("ed25519").privateKey;
}

/** DER SubjectPublicKeyInfo of a private or public key. */
export function publicKeyDer(key: KeyObject): Uint8Array {
  return (key.type === "private" ? createPublicKey(key) : key).export({ format: "der", type: "spki" });
}

/** Reads a key file, making it first when `make` is set and none is there. @throws KEY_FILE_DAMAGED | KEY_FILE_EXPOSED | IDENTITY_INCOMPLETE */
export function keyFile(directory: string, name: string, kind: KeyKind, make: boolean): KeyObject {
  const path = join(directory, name);
  if (make && readPrivateFile(path) === undefined) {
    writeDurably(path, newKey(kind).export({ format: "pem", type: "pkcs8" }), "exclusive");
  }
  const text = presentFile(directory, name);
  // The PEM grammar catches a cut file; a key that parses and is of another kind is no better.
  const block = decodePem(text);
  try {
    if (block?.label !== "PRIVATE KEY") throw new Error("not one PEM block");
    const key = createPrivateKey({ key: Buffer.from(block.der), format: "der", type: "pkcs8" });
    const isKind =
      kind === "ed25519"
        ? key.asymmetricKeyType === "ed25519"
        : key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    if (!isKind) throw new Error(`a key of type ${key.asymmetricKeyType}`);
    return key;
  } catch (cause) {
    throw identityErrors.make("KEY_FILE_DAMAGED", `expected a ${kind} private key (PKCS#8 PEM) at ${path}`, { cause });
  }
}

/** Reads a certificate file, issuing it first when there is none and `issue` is given. Errors as `keyFile`. */
export function certificateFile(directory: string, name: string, issue?: () => Uint8Array): Uint8Array {
  const path = join(directory, name);
  if (issue !== undefined && readPrivateFile(path) === undefined) {
    writeDurably(path, encodePem("CERTIFICATE", issue()), "exclusive");
  }
  const block = decodePem(presentFile(directory, name));
  try {
    if (block?.label !== "CERTIFICATE") throw new Error("not one PEM block");
    return new X509Certificate(block.der).raw;
  } catch (cause) {
    throw identityErrors.make("KEY_FILE_DAMAGED", `expected a certificate (PEM) at ${path}`, { cause });
  }
}

/** The text of a file that must be there. @throws IDENTITY_INCOMPLETE | KEY_FILE_DAMAGED | KEY_FILE_EXPOSED */
export function presentFile(directory: string, name: string): string {
  const text = readPrivateFile(join(directory, name));
  if (text === undefined) {
    throw identityErrors.make("IDENTITY_INCOMPLETE", `expected ${name} in ${directory}, found nothing`);
  }
  return text;
}

/** Refuses a certificate that is not for the key or not signed by the issuer. @throws KEY_CERTIFICATE_MISMATCH */
export function checkAuthority(name: string, authority: Authority, issuer: Uint8Array): Authority {
  const certificate = new X509Certificate(authority.certificate);
  if (!equalBytes(publicKeyDer(certificate.publicKey), publicKeyDer(authority.key))) {
    throw identityErrors.make("KEY_CERTIFICATE_MISMATCH", `the key of ${name} is not the one in its certificate`);
  }
  if (!certificate.verify(new X509Certificate(issuer).publicKey)) {
    throw identityErrors.make("KEY_CERTIFICATE_MISMATCH", `the certificate of ${name} is not signed by the root`);
  }
  return authority;
}
