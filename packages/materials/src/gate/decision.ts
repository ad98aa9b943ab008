import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { Announcement, RequestFacts } from "../material.ts";
import type { SeenFile } from "../mirror/mirror.ts";

/** What became of one rule. */
export interface RuleResult {
  /** Stable id, kebab-case; it has a page in the documents and a test. */
  readonly rule: string;
  readonly outcome: "passed" | "refused" | "excepted" | "not-applicable" | "not-evaluated";
  /** What was expected and found; for `not-evaluated` why. */
  readonly message: string;
  /** The nearest version that would pass, where one is known. */
  readonly wouldPass?: string;
  /** Digest of the exception or review that applied. */
  readonly exception?: string;
}

/** What a dependency gate says of one candidate. Refused when any rule refused. */
export interface GateDecision {
  readonly verdict: "admitted" | "refused";
  readonly results: readonly RuleResult[];
}

/** Evidence of others about a package, verified or not. */
export interface UpstreamEvidence {
  readonly kind:
    | "npm-signature"
    | "npm-provenance"
    | "pypi-attestation"
    | "go-checksum-database"
    | "maven-pgp"
    | "maven-sigstore"
    | "debian-chain"
    | "git-signature"
    | "touchmark-provenance";
  readonly outcome: "verified" | "absent" | "unreachable" | "refused";
  /** Key id, certificate identity or name of the database. */
  readonly signer?: string;
  readonly message: string;
}

/** What an archive holds, measured by reading it whole. */
export interface InspectedArchive {
  readonly format: "tar" | "tar.gz" | "tar.xz" | "tar.bz2" | "tar.zst" | "zip" | "deb" | "none";
  readonly files: number;
  readonly unpackedBytes: number;
  /** Names of install-time programs: npm lifecycle scripts, setup.py, build.rs, maintainer scripts, ... */
  readonly installScripts: readonly string[];
  /** Licence that the package itself declares. */
  readonly licence?: string;
  /** SHA-256 of each regular file, by path inside the archive. */
  readonly digests: ReadonlyMap<string, string>;
  /** Names that no one archive may hold, each with its code: two entries of one name, path outside, ... */
  readonly faults: readonly { readonly code: string; readonly message: string }[];
}

/** Everything that the gate knows of what wants in. */
export interface Candidate {
  readonly facts: RequestFacts;
  /** The step that asks. */
  readonly step: string;
  readonly now: Date;
  readonly locked: readonly LockedPackage[];
  readonly announced: readonly Announcement[];
  readonly seen: readonly SeenFile[];
  readonly evidence: readonly UpstreamEvidence[];
  /** Absent before the archive is here. */
  readonly archive?: InspectedArchive;
  readonly size?: number;
}
