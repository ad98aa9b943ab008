import { join } from "node:path";
import { type Json, parseJson } from "@touchmark/core";
import { readPrivateFile, writeDurably } from "./durable-file.ts";
import { identityErrors } from "./errors.ts";

/** What `identity.json` records: parameters and generations. It holds no secret and is no evidence. */
export interface IdentityState {
  readonly format: typeof STATE_FORMAT;
  /** `creating` until every file is there. */
  readonly state: "creating" | "ready";
  readonly trustDomain: string;
  readonly issuer: string;
  /** The public keys of the factory's log. */
  readonly log: LogKeyRecord;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Intermediates, oldest first; the last is in use. */
  readonly intermediates: readonly Generation[];
  /** Time-stamp authorities, oldest first; the last is in use. */
  readonly timestampAuthorities: readonly Generation[];
}

/** The log's public keys as recorded: base64 DER SubjectPublicKeyInfo. */
export interface LogKeyRecord {
  /** Origin of the log's checkpoint, a host name. */
  readonly origin: string;
  /** Ed25519. */
  readonly publicKey: string;
  /** P-256, of the checkpoint for profile v1. */
  readonly compatiblePublicKey?: string;
}

/** One generation of a key. */
export interface Generation {
  readonly number: number;
  /** RFC 3339: end of its validity in the trusted root, once another has taken over. */
  readonly validUntil?: string;
}

export const STATE_FORMAT = "touchmark-identity/v1";
const FILE = "identity.json";

/** Reads the state; undefined when the directory holds none. @throws KEY_FILE_DAMAGED | KEY_FILE_EXPOSED | IDENTITY_VERSION_UNKNOWN */
export function readState(directory: string): IdentityState | undefined {
  const path = join(directory, FILE);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  let value: Json;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw identityErrors.make("KEY_FILE_DAMAGED", `expected JSON at ${path}`, { cause });
  }
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (typeof format === "string" && format !== STATE_FORMAT) {
    throw identityErrors.make("IDENTITY_VERSION_UNKNOWN", `expected ${STATE_FORMAT}, found ${format} at ${path}`);
  }
  const state = value as unknown as IdentityState;
  if (!isState(state)) throw identityErrors.make("KEY_FILE_DAMAGED", `expected an identity's state at ${path}`);
  return state;
}

function isState(state: IdentityState): boolean {
  const text = (value: unknown) => typeof value === "string" && value !== "";
  const generations = (list: unknown) =>
    Array.isArray(list) && list.length > 0 && list.every((each, i) => (each as Generation)?.number === i + 1);
  return (
    typeof state === "object" &&
    state !== null &&
    (state.state === "creating" || state.state === "ready") &&
    [state.trustDomain, state.issuer, state.log?.origin, state.log?.publicKey, state.createdAt].every(text) &&
    generations(state.intermediates) &&
    generations(state.timestampAuthorities)
  );
}

/** Writes the state, durably. With `exclusive` an existing one stays. */
export function writeState(directory: string, state: IdentityState, mode: "exclusive" | "replace"): void {
  writeDurably(join(directory, FILE), `${JSON.stringify(state, null, 2)}\n`, mode);
}
