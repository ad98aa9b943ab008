import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, statSync } from "node:fs";
import { type Clock, decodeBase64, digestHex, encodeBase64, parseJson, rfc3339, sha256 } from "@touchmark/core";
import { temporaryBeside, writeFileAtomically } from "@touchmark/store";
import { registryAuthorityErrors } from "./errors.ts";

/** The key that signs a registry's tokens. */
export interface TokenKey {
  /** First half of the SHA-256 of its public part. */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The one key in use, in a file that only its owner can read. A rotation ends all tokens of the key before. */
export interface TokenKeys {
  /** The key in use; the file is looked at again now and then. @throws REGISTRY_TOKEN_KEY_DAMAGED | REGISTRY_TOKEN_KEY_EXPOSED */
  current(): TokenKey;
}

const FORMAT = "touchmark-registry-token-key/v1";
/** Milliseconds for which a key is used without looking at its file. */
const LOOK_AGAIN_MS = 500;

/** Opens the key at a path, making one when none is there. Errors as `current`. */
export function openTokenKeys(path: string, clock: Clock, lookAgainMs = LOOK_AGAIN_MS): TokenKeys {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) makeKey(path, clock);
  let seen = "";
  let key = readKey(path);
  let looked = performance.now();
  return {
    current() {
      if (performance.now() - looked < lookAgainMs) return key;
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      const state = stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
      if (state !== seen || state === "") key = readKey(path);
      seen = state;
      looked = performance.now();
      return key;
    },
  };
}

/** Puts a new key in the place of the one in use, whatever state that is in. */
export function rotateTokenKey(path: string, clock: Clock): TokenKey {
  writeFileAtomically(path, newKeyText(clock));
  return readKey(path);
}

/** Two that begin at once end with one key. */
function makeKey(path: string, clock: Clock): void {
  const temporary = temporaryBeside(path);
  try {
    writeFileAtomically(temporary, newKeyText(clock));
    linkSync(temporary, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function newKeyText(clock: Clock): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  return `${JSON.stringify({ format: FORMAT, createdAt: rfc3339(clock.now()), privateKey: encodeBase64(der) })}\n`;
}

function readKey(path: string): TokenKey {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw registryAuthorityErrors.make(
        "REGISTRY_TOKEN_KEY_EXPOSED",
        `expected mode 0600 at ${path}, found ${(mode & 0o777).toString(8)}`,
      );
    }
    const { format, privateKey: text } = parseJson(readFileSync(path), { maxBytes: 4096 }) as Record<string, unknown>;
    if (format !== FORMAT || typeof text !== "string") throw new Error(`not ${FORMAT}`);
    const privateKey = createPrivateKey({ key: Buffer.from(decodeBase64(text)), format: "der", type: "pkcs8" });
    if (privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("not a P-256 key");
    const publicKey = createPublicKey(privateKey);
    const id = digestHex(sha256(publicKey.export({ format: "der", type: "spki" }))).slice(0, 32);
    return { id, privateKey, publicKey };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "REGISTRY_TOKEN_KEY_EXPOSED") throw cause;
    throw registryAuthorityErrors.make("REGISTRY_TOKEN_KEY_DAMAGED", `expected ${FORMAT} at ${path}`, { cause });
  }
}

/** An id that nothing else has. */
export const newTokenId = (): string => randomBytes(16).toString("hex");
