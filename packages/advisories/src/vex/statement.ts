/** Status labels of OpenVEX 0.2.0 (and of CISA's minimum requirements for VEX). */
export type VexStatus = "not_affected" | "affected" | "fixed" | "under_investigation";

/** Justifications of `not_affected` (OpenVEX 0.2.0, status justifications). */
export const vexJustifications = [
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
] as const;
export type VexJustification = (typeof vexJustifications)[number];

/** What a statement is about: by any of these names. */
export interface VexProduct {
  /** Package URLs, digests as `sha256:HEX`, references of an SBOM (`urn:cdx:…`, bom-refs), other ids. Never empty. */
  readonly ids: readonly string[];
  /** Parts of the product that have the vulnerability; empty: the product itself. */
  readonly subcomponents: readonly string[];
}

/** One statement, whichever form it came in. */
export interface VexStatement {
  /** Ids of the vulnerability: its name first, then aliases. */
  readonly vulnerability: readonly string[];
  readonly products: readonly VexProduct[];
  readonly status: VexStatus;
  readonly justification?: VexJustification;
  /** Impact statement, or what to do. */
  readonly detail?: string;
  /** RFC 3339; a later statement about the same outweighs an earlier one. */
  readonly at: string;
}

/** A VEX document, read. */
export interface VexDocument {
  readonly format: "openvex" | "csaf" | "cyclonedx";
  readonly id: string;
  readonly author: string;
  /** SHA-256 of its bytes. */
  readonly digest: string;
  readonly statements: readonly VexStatement[];
  /** Person of this factory who let it count, and until when; set by who keeps it. */
  readonly approver?: string;
  readonly expires?: string;
  /** What in it could not be taken, in words. */
  readonly losses: readonly string[];
}
