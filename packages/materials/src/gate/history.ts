import type { UpstreamEvidence } from "./decision.ts";

/** One version of a package as it was admitted, kept by whoever keeps the mirror. Small: a line of JSON. */
export interface AdmittedVersion {
  readonly version: string;
  /** When it was admitted first. RFC 3339 UTC. */
  readonly admittedAt: string;
  /** Who published it, as its index said. */
  readonly publisher?: string;
  /** Kinds of evidence that were verified. */
  readonly evidence: readonly UpstreamEvidence["kind"][];
  readonly installScripts: boolean;
  readonly upstream: string;
}

/** What was admitted of one package, by package URL without version, so far. */
export interface PackageHistory {
  /** Package URL without version. */
  readonly package: string;
  /** Oldest first; empty for a package that is new here. */
  readonly versions: readonly AdmittedVersion[];
}
