import type { KeyObject } from "node:crypto";
import type { Clock } from "@touchmark/core";
import type { Signer } from "@touchmark/sign";
import type { FactoryRole } from "./spiffe.ts";
import type { TimestampAuthority } from "./timestamp-authority.ts";

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
  /** DNS names and IP addresses of a server that authenticates; at most 100. */
  readonly hosts?: readonly string[];
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

/** The public keys of the transparency log that the trusted root names. The key set of @touchmark/log is one. */
export interface LogPublicKeys {
  /** Origin of the checkpoint: a host name, because clients compare it with the host of the log's address. */
  readonly origin: string;
  /** Ed25519. */
  readonly signer: { readonly publicKey: KeyObject };
  /** P-256, for profile v1. */
  readonly compatible?: { readonly signer: { readonly publicKey: KeyObject } };
}

/** The factory's own certificate authority and time-stamp authority, opened. The root key is not among their keys. */
export interface FactoryIdentity {
  readonly trustDomain: string;
  /** Issuer URL in extension 1.3.6.1.4.1.57264.1.8 of each leaf. */
  readonly issuer: string;
  readonly role: FactoryRole;
  /** @throws LEAF_LIFETIME_EXCEEDED | LEAF_HOST_INVALID | IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID */
  issue(request: LeafRequest): Uint8Array;
  /** A fresh P-256 key with a signing leaf. Errors as `issue`. */
  newSigner(request: { readonly spiffeId: string; readonly lifetimeSeconds?: number }): Promise<IssuedSigner>;
  /** @throws IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID */
  assertMayIssue(spiffeId: string): void;
  readonly timestampAuthority: TimestampAuthority;
  /** Long-lived Ed25519 key that signs exports for classic in-toto tools, and nothing that our verifier counts. */
  readonly compatibilityKey: KeyObject;
  /** Intermediate and root, DER. */
  chain(): readonly Uint8Array[];
  /** `trusted_root.json`. */
  trustedRoot(): Uint8Array;
  /** Every certificate issued through this handle, in order. */
  issuances(): readonly CredentialIssuance[];
}

/** How to create an identity directory. */
export interface CreateOptions {
  readonly directory: string;
  readonly trustDomain: string;
  /** Encrypts the root key; at least twelve characters. Never stored. */
  readonly passphrase: string;
  readonly clock: Clock;
  readonly log: LogPublicKeys;
  /** Default `https://<trust domain>`. */
  readonly issuer?: string;
}

/** How to open an identity directory. */
export interface OpenOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Default `factory`. */
  readonly role?: FactoryRole;
}
