import type { Digest, TreeEntry } from "@touchmark/core";
import type { Ecosystem, Lockfile } from "@touchmark/formats/lockfiles";
import type { UnlockedMode } from "../gate/rules.ts";
import type { MaterialRecord } from "../material.ts";

/** A file of a fetch step's output that a later step read. */
export interface UsedFile {
  /** As the later step saw it, or relative to the output: only its end is looked at. */
  readonly path: string;
  /** Absent when nobody could take it. */
  readonly digest?: Digest;
  readonly step: string;
}

/** A request that was not let in. */
export interface RefusedMaterial {
  readonly url: string;
  readonly code: string;
  readonly purl?: string;
}

/** What the user's rules say of differences. */
export interface ReconcilePolicy {
  /** What becomes of packages of an ecosystem that no lockfile names; absent: `refuse`. */
  readonly unlocked?: Readonly<Partial<Record<Ecosystem, UnlockedMode>>>;
  /** A stronger effect than the default one. A weaker one changes nothing. */
  readonly effects?: Readonly<Partial<Record<DifferenceName, DifferenceEffect>>>;
}

/** Everything that is compared, for one fetch step. */
export interface ReconcileInput {
  readonly lockfiles: readonly Lockfile[];
  /** What was admitted in this step. */
  readonly records: readonly MaterialRecord[];
  readonly refused: readonly RefusedMaterial[];
  readonly used: readonly UsedFile[];
  /** Tree of the step's output. */
  readonly made: readonly TreeEntry[];
  /** Trees of the step's inputs, for a step that copies its source into its output. */
  readonly inputs?: readonly TreeEntry[];
  /** SHA-256 in hex of each member of an archive, by path inside it; undefined for what cannot be read as one (git packs). */
  readonly contents: (archive: Digest) => ReadonlyMap<string, string> | undefined;
  /** Commits that the pipeline names. */
  readonly commits?: readonly string[];
  /** Absent: every package of every ecosystem must be locked. */
  readonly policy?: ReconcilePolicy;
}

/** What a difference does: it fails the run, ends the claim to be hermetic, or is written down. */
export type DifferenceEffect = "note" | "not-hermetic" | "refuse";

/** Every difference with its default effect. Documented in SPEC.md, R2-R4. */
export const differenceEffects = {
  "fetched-not-locked": "refuse",
  "locked-digest-differs": "refuse",
  "locked-digest-unchecked": "refuse",
  "same-name-other-bytes": "refuse",
  "lockfiles-disagree": "refuse",
  "read-not-a-material": "not-hermetic",
  "asked-not-locked": "not-hermetic",
  "fetched-unlocked": "note",
  "locked-without-digest": "note",
  "locked-not-fetched": "note",
  "other-platform-not-fetched": "note",
  "optional-not-fetched": "note",
  "locked-refused": "note",
  "never-used": "note",
  "made-by-the-step": "note",
  "content-unknown": "note",
} as const satisfies Readonly<Record<string, DifferenceEffect>>;

export type DifferenceName = keyof typeof differenceEffects;

/** One kind of difference, with what it was found on. */
export interface Difference {
  readonly name: DifferenceName;
  readonly effect: DifferenceEffect;
  /** Package URLs, addresses or paths; in order, each once. */
  readonly items: readonly string[];
}

/** How many of each kind. Packages count once, however often and in how many lockfiles they stand. */
export type ReconciliationCounts = Readonly<
  Record<
    /** Packages that a lockfile says to fetch. */
    | "locked"
    /** Of these, those that were. */
    | "fetched"
    | "otherPlatforms"
    | "optional"
    /** Locked, for this platform, not optional, and not fetched. */
    | "notFetched"
    /** Inside another package's archive, of the project itself, under another name: as the lockfiles have them. */
    | "bundled"
    | "local"
    | "aliases"
    /** Fetched, not locked, and allowed so by rule. */
    | "unlocked"
    /** Fetched, not locked, and not allowed. */
    | "unknown"
    | "neverUsed"
    /** Files that later steps read; of these, those whose content is in an admitted archive, those that lie where a package of ours lies, those that the step made. */
    | "usedFiles"
    | "usedByContent"
    | "usedByPlace"
    | "usedMade"
    /** Files of the output; of these, those that are in no admitted archive. */
    | "outputFiles"
    | "madeFiles",
    number
  >
>;

/** One package as declaration, fetch and use have it. */
export interface ReconciledPackage {
  /** Package URL where there is one, else ecosystem, name and version. */
  readonly package: string;
  readonly locked: boolean;
  readonly fetched: boolean;
  /** Bodies that came for it. */
  readonly digests: readonly Digest[];
  /** Files of it that later steps read, and which steps. */
  readonly usedFiles: number;
  readonly usedBy: readonly string[];
}

/** Declared = admitted = fetched = recorded = used, or where not. */
export interface Reconciliation {
  readonly counts: ReconciliationCounts;
  /** Only those that were found, strongest effect first. */
  readonly differences: readonly Difference[];
  /** In order of their names. */
  readonly packages: readonly ReconciledPackage[];
  /** No difference refuses or ends the claim to be hermetic. */
  readonly accounted: boolean;
}
