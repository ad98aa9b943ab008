import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scryptSync } from "node:crypto";
import { oids } from "@touchmark/formats/certificate-writer";
import { integer, objectIdentifier, octetString, sequence } from "@touchmark/formats/der-writer";
import { encodePem } from "@touchmark/formats/evidence";
import { identityErrors } from "./errors.ts";

// OWASP's choice for 16 MiB; the most that OpenSSL's default memory bound still reads, so that its tools stay a way in.
const COST = 16384;
const BLOCK_SIZE = 8;
const PARALLEL = 5;

/** Shortest accepted passphrase, in characters. */
export const MIN_PASSPHRASE_LENGTH = 12;

/**
 * A private key as PEM EncryptedPrivateKeyInfo: PKCS#8, PBES2 (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC.
 * `openssl pkey -in FILE` reads it.
 * @throws PASSPHRASE_WEAK
 */
export function encryptKey(key: KeyObject, passphrase: string): string {
  if (passphrase.length < MIN_PASSPHRASE_LENGTH) {
    throw identityErrors.make(
      "PASSPHRASE_WEAK",
      `expected at least ${MIN_PASSPHRASE_LENGTH} characters, found ${passphrase.length}`,
    );
  }
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const secret = scryptSync(passphrase, salt, 32, { N: COST, r: BLOCK_SIZE, p: PARALLEL });
  const cipher = createCipheriv("aes-256-cbc", secret, iv);
  const plain = key.export({ format: "der", type: "pkcs8" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  secret.fill(0);
  const derivation = sequence(
    objectIdentifier(oids.scrypt),
    sequence(octetString(salt), integer(COST), integer(BLOCK_SIZE), integer(PARALLEL)),
  );
  const scheme = sequence(objectIdentifier(oids.aes256Cbc), octetString(iv));
  const info = sequence(sequence(objectIdentifier(oids.pbes2), sequence(derivation, scheme)), octetString(encrypted));
  return encodePem("ENCRYPTED PRIVATE KEY", info);
}

/** Opens what `encryptKey` wrote. @throws PASSPHRASE_WRONG */
export function decryptKey(text: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: text, format: "pem", passphrase });
  } catch (cause) {
    throw identityErrors.make("PASSPHRASE_WRONG", "expected the passphrase of the root key, found another", { cause });
  }
}
