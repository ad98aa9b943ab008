import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { registryAuthorityErrors } from "./errors.ts";

/** A scrypt hash (RFC 7914) in the PHC spelling: `$scrypt$ln=14,r=8,p=5$SALT$HASH`, base64 without padding. */
export interface PasswordHash {
  readonly text: string;
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
/** 16 MiB and about a sixth of a second: as strong as N=2^17 with p=1, in an eighth of the memory. */
const chosen = { logN: 14, r: 8, p: 5 } as const;
const HASH_BYTES = 32;
/** Longest password taken; what is longer costs more to read than to guess. */
const MAX_PASSWORD = 1024;
const MIN_PASSWORD = 12;

/** Reads a hash strictly. @throws REGISTRY_AUTH_HASH_INVALID */
export function parsePasswordHash(text: string): PasswordHash {
  const match = /^\$scrypt\$ln=(1[4-7]),r=(8),p=([1-9])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(text);
  const salt = Buffer.from(match?.[4] ?? "", "base64");
  const hash = Buffer.from(match?.[5] ?? "", "base64");
  const isCanonical = unpadded(salt) === match?.[4] && unpadded(hash) === match?.[5];
  if (match === null || !isCanonical) {
    throw registryAuthorityErrors.make(
      "REGISTRY_AUTH_HASH_INVALID",
      "expected $scrypt$ln=14…17,r=8,p=1…9$SALT$HASH with a salt of 16 bytes and a hash of 32, found another text",
    );
  }
  return { text, logN: Number(match[1]), r: Number(match[2]), p: Number(match[3]), salt, hash };
}

/** Hashes a new password. @throws REGISTRY_AUTH_PASSWORD_WEAK */
export async function hashPassword(password: string): Promise<PasswordHash> {
  if (password.length < MIN_PASSWORD || password.length > MAX_PASSWORD || /[\u0000-\u001f\u007f]/.test(password)) {
    throw registryAuthorityErrors.make(
      "REGISTRY_AUTH_PASSWORD_WEAK",
      `expected a password of ${MIN_PASSWORD} to ${MAX_PASSWORD} characters on one line, found ${password.length}`,
    );
  }
  const salt = randomBytes(16);
  const { logN, r, p } = chosen;
  const hash = await run(password, { logN, r, p, salt });
  return parsePasswordHash(`$scrypt$ln=${logN},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`);
}

/** Whether the password has the hash; in a time that does not depend on where they differ. */
export async function hasPassword(known: PasswordHash, password: string): Promise<boolean> {
  // Too long is as wrong as any other, and costs as much.
  const found = await run(password.slice(0, MAX_PASSWORD), known);
  return timingSafeEqual(found, known.hash) && password.length <= MAX_PASSWORD;
}

/** A hash that no password has, to compare with when there is no such user: then that takes as long. */
export function unmatchedHash(): PasswordHash {
  const { logN, r, p } = chosen;
  return { text: "", logN, r, p, salt: randomBytes(16), hash: randomBytes(HASH_BYTES) };
}

async function run(password: string, { logN, r, p, salt }: Pick<PasswordHash, "logN" | "r" | "p" | "salt">) {
  // Unicode has several spellings of one password; keyboards differ in which they send.
  return derive(password.normalize("NFC"), salt, HASH_BYTES, { N: 2 ** logN, r, p, maxmem: 2 ** (logN + 11) });
}

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
