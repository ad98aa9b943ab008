import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { decodePem } from "@touchmark/formats/evidence";
import { newKey, publicKeyDer } from "./authority-files.ts";
import { readPrivateFile, writeDurably } from "./durable-file.ts";
import { encryptKey } from "./encrypted-key.ts";
import { identityErrors } from "./errors.ts";

const MAX_KEY_BYTES = 64 * 1024;

/**
 * Makes a person's key where the person keeps it, mode 0600, encrypted when there is a passphrase. A file that is there
 * stays as it is, and is answered.
 * @throws PASSPHRASE_WEAK and as `openUserKey`
 */
export function createUserKey(path: string, passphrase?: string): KeyObject {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    const key = newKey("p256");
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const text = passphrase === undefined ? key.export({ format: "pem", type: "pkcs8" }) : encryptKey(key, passphrase);
    writeDurably(path, text, "exclusive");
  }
  return openUserKey(path, passphrase);
}

/**
 * Opens a person's private key. One in plain text must be readable by its owner alone.
 * @throws USER_KEY_UNSUPPORTED | USER_KEY_LOCKED | KEY_FILE_EXPOSED
 */
export function openUserKey(path: string, passphrase?: string): KeyObject {
  const text = readKeyFile(path);
  const label = decodePem(text)?.label;
  if (label === "ENCRYPTED PRIVATE KEY") return checked(path, () => unlocked(path, text, passphrase));
  if (label !== "PRIVATE KEY" && label !== "EC PRIVATE KEY") throw unsupported(path);
  // Its mode is looked at only now: what is encrypted may lie anywhere.
  readPrivateFile(path);
  return checked(path, () => createPrivateKey(text));
}

/** DER SubjectPublicKeyInfo in a person's file of a public or private key. Errors as `openUserKey`. */
export function readUserPublicKey(path: string, passphrase?: string): Uint8Array {
  const text = readKeyFile(path);
  if (decodePem(text)?.label !== "PUBLIC KEY") return publicKeyDer(openUserKey(path, passphrase));
  return publicKeyDer(checked(path, () => createPublicKey(text)));
}

function readKeyFile(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.size > MAX_KEY_BYTES || !status.isFile()) throw unsupported(path);
  return readFileSync(path, "utf8");
}

function unlocked(path: string, text: string, passphrase: string | undefined): KeyObject {
  try {
    if (passphrase === undefined) throw new Error("no passphrase");
    return createPrivateKey({ key: text, format: "pem", passphrase });
  } catch (cause) {
    throw identityErrors.make("USER_KEY_LOCKED", `expected the passphrase of the key at ${path}`, { cause });
  }
}

function checked(path: string, read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "USER_KEY_LOCKED") throw cause;
    throw unsupported(path, cause);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw unsupported(path);
  return key;
}

function unsupported(path: string, cause?: unknown) {
  const message = `expected a P-256 key in PEM (PKCS#8, SEC 1 or SubjectPublicKeyInfo) at ${path}`;
  return identityErrors.make("USER_KEY_UNSUPPORTED", message, cause === undefined ? {} : { cause });
}
