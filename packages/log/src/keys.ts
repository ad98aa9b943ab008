import { generateKeyPairSync, randomInt } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError, parseJson } from "@touchmark/core";
import { type NoteSigner, noteSigner } from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import { type SignedMemory, signedMemory } from "./memory.ts";

/** Signs checkpoints under an origin. */
export interface CheckpointSigner {
  /** First line of its checkpoints. */
  readonly origin: string;
  readonly signer: NoteSigner;
}

/** Everything that makes a log this log. */
export interface LogKeys extends CheckpointSigner {
  /** The P-256 checkpoint of the compatibility profile; its origin ends in ` - <number>`, its key is named by host alone. */
  readonly compatible?: CheckpointSigner;
  /** What the key signed last: how a log that was rolled back is recognised. */
  readonly memory?: SignedMemory;
  /** The log takes no entry from this time on. */
  readonly closesAt?: Date;
}

const fileName = "log-keys.json";

/**
 * Creates the keys of a log in a directory of their own, readable by the owner alone: Ed25519 for the checkpoint that
 * witnesses cosign, P-256 for the compatibility profile.
 * @throws LOG_KEYS_EXIST, LOG_ORIGIN_INVALID
 */
export function createLogKeys(directory: string, options: { readonly origin: string }): LogKeys {
  const { origin } = options;
  if (!/^[^\s+]+$/u.test(origin)) {
    throw logErrors.make(
      "LOG_ORIGIN_INVALID",
      `expected a name without spaces and plus, found ${JSON.stringify(origin)}`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pem = { type: "pkcs8", format: "pem" } as const;
  const content = {
    origin,
    // Rekor v1 puts its tree's number here; clients tell the two profiles apart by its presence.
    compatibleOrigin: `${origin} - ${randomInt(1, 2 ** 47)}`,
    ed25519: generateKeyPairSync("ed25519").privateKey.export(pem),
    p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pem),
  };
  const path = join(directory, fileName);
  const fresh = `${path}.${process.pid}`;
  const fd = openSync(fresh, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(content, undefined, 2)}\n`);
    fsyncSync(fd);
    // A link, unlike a rename, never replaces the keys of a log that exists.
    linkSync(fresh, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw logErrors.make("LOG_KEYS_EXIST", `expected no log keys in ${directory}`, { cause });
  } finally {
    closeSync(fd);
    rmSync(fresh, { force: true });
  }
  return openLogKeys(directory);
}

/** Opens the keys that {@link createLogKeys} made. @throws LOG_KEYS_INVALID */
export function openLogKeys(directory: string): LogKeys {
  const path = join(directory, fileName);
  try {
    const content = parseJson(readFileSync(path)) as Record<string, unknown>;
    const member = (name: string): string => {
      const value = content[name];
      if (typeof value !== "string") throw logErrors.make("LOG_KEYS_INVALID", `expected the member ${name} in ${path}`);
      return value;
    };
    const origin = member("origin");
    const signer = noteSigner(origin, "ed25519", member("ed25519"));
    return {
      origin,
      signer,
      compatible: { origin: member("compatibleOrigin"), signer: noteSigner(origin, "ecdsa-p256", member("p256")) },
      memory: signedMemory(join(directory, "last-signed"), signer),
    };
  } catch (cause) {
    if (isFactoryError(cause) && cause.code === "LOG_KEYS_INVALID") throw cause;
    throw logErrors.make("LOG_KEYS_INVALID", `expected readable log keys in ${directory}`, { cause });
  }
}
