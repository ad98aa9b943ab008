import type { SeverityClass } from "@touchmark/formats/findings";
import type { DigestAlgorithm, LockedPackage } from "@touchmark/formats/lockfiles";
import type { Announcement, RequestFacts } from "../material.ts";
import type { SeenFile } from "../mirror/mirror.ts";
import type { GateCode } from "./errors.ts";
import type { PackageHistory } from "./history.ts";
import type { ReviewDecision } from "./review-decision.ts";

/** What became of one rule. */
export interface RuleResult {
  /** Stable id, kebab-case; it has a page in the documents and a test. */
  readonly rule: string;
  readonly outcome: "passed" | "refused" | "excepted" | "not-applicable" | "not-evaluated";
  /** What was expected and found; for `not-evaluated` why. */
  readonly message: string;
  /** Code of a refusal; set exactly when the outcome is `refused` or `excepted`. */
  readonly code?: GateCode;
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

/** What the advisory data of this factory says of one version of a package. */
export interface KnownVulnerabilities {
  /** SHA-256 of the compiled advisory database. */
  readonly database?: string;
  readonly findings: readonly {
    readonly id: string;
    readonly class: SeverityClass;
    /** Nearest version without it. */
    readonly fixed?: string;
  }[];
  /** Nearest version with no known vulnerability at all. */
  readonly clean?: string;
  /** Why nothing can be said; then `findings` is empty. */
  readonly notEvaluated?: string;
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

/**
 * When the gate is asked: `contact` before anything is asked of an upstream, `arrival` with the whole file in
 * quarantine. What only the file can tell is `not-evaluated` at contact, and a refusal on arrival when it is missing.
 */
export type GatePhase = "contact" | "arrival";

/** Everything that the gate knows of what wants in. */
export interface Candidate {
  readonly phase: GatePhase;
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
  /** Lower-case hex of the bytes that arrived; always with sha256. Required on arrival. */
  readonly hashes?: Readonly<Partial<Record<DigestAlgorithm, string>>>;
  /** Names that the user knows in this ecosystem: from lockfiles of his runs so far. Absent: none yet. */
  readonly known?: readonly string[];
  /** What was seen of this package before; absent when the mirror was not asked, `firstSeen` absent when it is new. */
  readonly history?: PackageHistory;
  /** Verified review decisions whose pattern may cover this package. */
  readonly reviews?: readonly ReviewDecision[];
  /** Absent: no advisory source is configured. */
  readonly vulnerabilities?: KnownVulnerabilities;
  /** Names of earlier upstreams of the ecosystem that answered that they do not have this package. */
  readonly absentFrom?: readonly string[];
}
