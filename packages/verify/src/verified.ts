import type { Digest } from "@touchmark/core";
import type { BundleVersion, Statement } from "@touchmark/formats/evidence";
import type { VerifiedTime } from "./timestamp.ts";
import type { VerifiedLogEntry } from "./transparency.ts";

/** Who signed, as far as it was verified. */
export type VerifiedSigner =
  | {
      readonly kind: "certificate";
      readonly identity: string;
      readonly issuer: string;
      /** Digest of the certificate's DER. */
      readonly certificate: Digest;
      readonly notBefore: Date;
      readonly notAfter: Date;
    }
  | {
      readonly kind: "key";
      readonly hint: string;
      /** Digest of the key's SubjectPublicKeyInfo. */
      readonly key: Digest;
    };

/** What verification found out. */
export interface VerifiedFacts {
  /** Digest of the bundle's bytes. */
  readonly bundle: Digest;
  readonly bundleVersion: BundleVersion;
  /** The trusted root that it was verified with. */
  readonly trustRoot: Digest;
  /** The expected artifact, found among the subjects; undefined where the caller compares subjects. */
  readonly artifact: Digest | undefined;
  readonly signer: VerifiedSigner;
  /** Every time that counted, earliest first. */
  readonly times: readonly VerifiedTime[];
  readonly logEntries: readonly VerifiedLogEntry[];
  /** What was not checked, in words. */
  readonly notChecked: readonly string[];
}

declare const verifiedBrand: unique symbol;

/** A statement whose signer, time and log entry were verified. Only `verifyBundle` makes one. */
export interface VerifiedStatement extends VerifiedFacts {
  readonly kind: "statement";
  readonly statement: Statement;
  /** Digest of the signed payload. */
  readonly payload: Digest;
  readonly [verifiedBrand]: true;
}

/** An artifact whose own bytes were signed (cosign `sign-blob`); nobody states anything about it. */
export interface VerifiedSignature extends VerifiedFacts {
  readonly kind: "signature";
  readonly [verifiedBrand]: true;
}

const minted = new WeakSet<object>();

/** Marks facts as verified. Not exported by the package: this file and `verify-bundle.ts` are the mint. */
export function mint<Verified extends VerifiedStatement | VerifiedSignature>(
  facts: Omit<Verified, typeof verifiedBrand>,
): Verified {
  const verified = Object.freeze(facts) as Verified;
  minted.add(verified);
  return verified;
}

/** True when this very object came out of a verification here, and is no copy. */
export function isVerified(value: unknown): value is VerifiedStatement | VerifiedSignature {
  return typeof value === "object" && value !== null && minted.has(value);
}
