import type { AllowedSigner } from "./allowed-signers.ts";
import { gpgFacts, verifyGpg } from "./gpg-signature.ts";
import type { CommitPerson, GitCommit } from "./object.ts";
import { verifySshSignature } from "./ssh-signature.ts";
import { x509Facts } from "./x509-signature.ts";

/** What is known about the signature of a commit. Facts, not a judgement: policy decides what they are worth. */
export interface SignatureFacts {
  readonly kind: "none" | "ssh" | "gpg" | "x509" | "unknown";
  /**
   * `unsigned`: there is none. `verified`: good, by a key that the caller allows for a principal at that time.
   * `unlisted-key`: good, but the key is not allowed; anybody can make such a signature.
   * `invalid`: it does not sign this commit, or its key is revoked or expired. `unverified`: nothing here can check it.
   */
  readonly verification: "unsigned" | "verified" | "unlisted-key" | "invalid" | "unverified";
  /** Why, in words. */
  readonly reason: string;
  /** `SHA256:…` for SSH, hexadecimal for GPG, `sha256:hex` of the certificate for X.509. As the signature claims, unless verified. */
  readonly keyFingerprint?: string;
  /** GPG key id, hexadecimal. */
  readonly keyId?: string;
  /** Key type and digest, such as `ssh-ed25519 sha512`. */
  readonly algorithm?: string;
  /** Who the key belongs to, by the caller's list (SSH) or keyring (GPG). */
  readonly principal?: string;
  /** True when the principal is the committer's e-mail address. */
  readonly principalIsCommitter?: boolean;
}

/** Against what signatures are checked. */
export interface SignerTrust {
  /** For SSH: see `parseAllowedSigners`. */
  readonly allowedSigners?: readonly AllowedSigner[];
  /** For GPG: a file of public keys, as `gpg --export` writes it. */
  readonly gpgKeyring?: string;
}

/** Finds out what the signature of a commit says and is worth. */
export async function signatureFacts(commit: GitCommit, trust: SignerTrust): Promise<SignatureFacts> {
  const { signature } = commit;
  if (signature === undefined)
    return { kind: "none", verification: "unsigned", reason: "the commit holds no signature" };
  const { block, payload } = signature;
  if (block.startsWith("-----BEGIN SSH SIGNATURE-----")) {
    return withPrincipal(
      verifySshSignature(block, payload, commit.committer.at, trust.allowedSigners),
      commit.committer,
    );
  }
  if (/^-----BEGIN PGP (?:SIGNATURE|MESSAGE)-----/.test(block)) {
    if (trust.gpgKeyring === undefined) {
      return { ...gpgFacts(block), verification: "unverified", reason: "no keyring was given to check it" };
    }
    return withPrincipal(await verifyGpg(block, payload, trust.gpgKeyring), commit.committer);
  }
  if (block.startsWith("-----BEGIN SIGNED MESSAGE-----")) return x509Facts(block);
  return { kind: "unknown", verification: "unverified", reason: "the signature has a form that is not read here" };
}

function withPrincipal(facts: SignatureFacts, committer: CommitPerson): SignatureFacts {
  if (facts.principal === undefined) return facts;
  const address = /<([^<>]*)>\s*$/.exec(facts.principal)?.[1] ?? facts.principal;
  return { ...facts, principalIsCommitter: address.toLowerCase() === committer.email.toLowerCase() };
}
