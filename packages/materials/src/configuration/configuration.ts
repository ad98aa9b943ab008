import type { Digest } from "@touchmark/core";
import type { UpstreamEvidence } from "../gate/decision.ts";
import type { GateRules } from "../gate/rules.ts";

/** Where a secret is. */
export type CredentialSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "keyring"; readonly attributes: Readonly<Record<string, string>> }
  | { readonly kind: "command"; readonly program: string; readonly words: readonly string[] };

/** How a secret is sent. */
export type CredentialForm =
  | { readonly kind: "bearer" }
  | { readonly kind: "basic"; readonly user: string }
  | { readonly kind: "header"; readonly name: string };

/** A secret by reference, and what it is bound to. Never holds the secret. */
export interface CredentialBinding {
  readonly name: string;
  /** Host in lower case, with port unless the usual one; `*` is named as over-broad and matches nothing. */
  readonly host: string;
  readonly purpose: "fetch" | "git" | "publish";
  /** Names of steps; `*` is named as over-broad. */
  readonly steps: readonly string[];
  readonly form: CredentialForm;
  readonly from: CredentialSource;
  /** RFC 3339 UTC. */
  readonly expires?: string;
}

/** Where keys of others lie. */
export type TrustPurpose = UpstreamEvidence["kind"] | "third-party-review";

/** `HOME/materials.yaml`, read and checked: what may enter builds, and from where. */
export interface MaterialsConfiguration {
  readonly fileName: string;
  /** SHA-256 of the file's text, which evidence records. */
  readonly digest: Digest;
  /** Rules with upstreams, complete with defaults. */
  readonly gate: GateRules;
  /** Names of upstreams that are asked over plain http by the user's wish. */
  readonly insecureHttp: readonly string[];
  /** Credential of an upstream, by the upstream's name. */
  readonly upstreamCredentials: Readonly<Record<string, string>>;
  readonly credentials: readonly CredentialBinding[];
  /** Absolute paths of key and trust-root files. */
  readonly trust: Readonly<Partial<Record<TrustPurpose, readonly string[]>>>;
}
