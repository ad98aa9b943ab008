import type { KeyObject } from "node:crypto";
import type { Clock } from "@touchmark/core";
import type { Signer, TimestampWitness } from "@touchmark/sign";
import type { FactoryRole } from "./spiffe.ts";

/** What a leaf certificate is for. Each is refused in the other's place. */
export type LeafProfile = "signing" | "authentication";

/** What to put into a leaf certificate. */
export interface LeafRequest {
  readonly spiffeId: string;
  /** P-256 public key, DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly profile: LeafProfile;
  /** At most 600; default 600. */
  readonly lifetimeSeconds?: number;
}

/** The record of one issued certificate, for the credential-issuance statement. Holds nothing secret. */
export interface CredentialIssuance {
  readonly spiffeId: string;
  readonly profile: LeafProfile;
  /** Hexadecimal. */
  readonly serial: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 of the DER certificate and of its DER SubjectPublicKeyInfo. */
  readonly certificate: string;
  readonly publicKey: string;
  /** SHA-256 of the issuing intermediate certificate. */
  readonly issuer: string;
}

/** A signer whose key lives in this process's memory only, and the record of its certificate. */
export interface IssuedSigner extends Signer {
  readonly spiffeId: string;
  readonly issuance: CredentialIssuance;
}

/** The keys of the transparency log, and the origins of its two checkpoints. */
export interface LogKeys {
  /** Ed25519: signs the checkpoint that witnesses see. */
  readonly origin: string;
  readonly key: KeyObject;
  /** P-256, for profile v1: origin ends in ` - <number>`. */
  readonly v1Origin: string;
  readonly v1Key: KeyObject;
}

/** The factory's own certificate authority, time-stamp authority and log keys, opened. The root key is not among them. */
export interface FactoryIdentity {
  readonly trustDomain: string;
  /** Issuer URL in extension 1.3.6.1.4.1.57264.1.8 of each leaf. */
  readonly issuer: string;
  readonly role: FactoryRole;
  /** @throws LEAF_LIFETIME_EXCEEDED | IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID */
  issue(request: LeafRequest): Uint8Array;
  /** A fresh P-256 key with a signing leaf. Errors as `issue`. */
  newSigner(request: { readonly spiffeId: string; readonly lifetimeSeconds?: number }): Promise<IssuedSigner>;
  /** @throws IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID */
  assertMayIssue(spiffeId: string): void;
  readonly timestampAuthority: TimestampWitness;
  readonly logKeys: LogKeys;
  /** Intermediate and root, DER. */
  chain(): readonly Uint8Array[];
  /** `trusted_root.json`. */
  trustedRoot(): Uint8Array;
  /** Every certificate issued through this handle, in order. */
  issuances(): readonly CredentialIssuance[];
}

/** How to open an identity directory. */
export interface OpenOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Default `factory`. */
  readonly role?: FactoryRole;
}
