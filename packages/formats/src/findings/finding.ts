/** Severity classes of CVSS (section 5 of v3.1); `unscored` is a class of its own and never counts as low. */
export type SeverityClass = "none" | "low" | "medium" | "high" | "critical" | "unscored";

/** How severe a vulnerability is, with where that comes from. */
export interface Severity {
  readonly class: SeverityClass;
  /** Base score 0.0 to 10.0, computed by us from the vector. */
  readonly score?: number;
  /** Vector as published: `CVSS:3.1/AV:N/...`. */
  readonly vector?: string;
  /** Who gave it: name of the advisory source, with the advisory's id. */
  readonly from: string;
}

/** Whether a version without the vulnerability is there. */
export type FixState = "fixed" | "not-fixed" | "will-not-fix" | "end-of-life" | "unknown";

/** One source's statement that a component is affected. */
export interface FindingEvidence {
  /** Name of the advisory source: `osv`, `debian-tracker`, `alpine-secdb`, `redhat-csaf`, ... */
  readonly source: string;
  /** Id of the advisory in that source. */
  readonly advisory: string;
  /** Digest of the advisory's canonical bytes, so that a finding leads back to what was read. */
  readonly digest: string;
  /** Ecosystem and package that the advisory names: `Debian:12`, `openssl`. */
  readonly ecosystem: string;
  readonly package: string;
  /** The range or version list that holds the component's version, in words: `>= 1.0.0, < 1.2.3`. */
  readonly matched: string;
  /** Comparison rules that were used: `semver`, `debian`, `pep440`, ... */
  readonly comparison: string;
}

/** How to be rid of a finding. */
export interface FixAdvice {
  /** Nearest version that this advisory says is fixed, above the one there. */
  readonly nearest?: string;
  /** Nearest version above with no finding known at all, re-checked against the whole database. */
  readonly clean?: string;
  /** Direct dependencies of the root that lead to the component, each with one shortest path of refs from the root. */
  readonly direct: readonly { readonly ref: string; readonly path: readonly string[] }[];
}

/** What was said of a finding by a VEX statement, or an exception. */
export interface FindingDecision {
  readonly status: "not_affected" | "affected" | "fixed" | "under_investigation" | "accepted";
  /** Justification word of VEX, or the reason. */
  readonly reason: string;
  /** Who said it, and in which document (digest). */
  readonly by: string;
  readonly document: string;
  readonly expires?: string;
}

/** A vulnerability of a component. One per component and vulnerability; aliases are merged. */
export interface Finding {
  /** CVE id where there is one, else the id of the advisory that stands first in byte order. */
  readonly id: string;
  /** All other ids, sorted. */
  readonly aliases: readonly string[];
  /** Ref of the component in its SBOM. */
  readonly component: string;
  readonly severity: Severity;
  /** What others say, when they differ. */
  readonly otherSeverities: readonly Severity[];
  readonly summary: string;
  readonly published?: string;
  readonly modified?: string;
  readonly fixState: FixState;
  readonly fixedVersions: readonly string[];
  readonly advice: FixAdvice;
  /** EPSS probability 0 to 1 and percentile 0 to 1, with the date of the model. */
  readonly epss?: { readonly probability: number; readonly percentile: number; readonly date: string };
  /** In CISA's catalogue of known exploited vulnerabilities. */
  readonly knownExploited?: { readonly added: string; readonly due?: string; readonly ransomware: boolean };
  readonly cwes: readonly string[];
  readonly references: readonly string[];
  /** Sorted by source and advisory. Never empty. */
  readonly evidence: readonly FindingEvidence[];
  readonly decisions: readonly FindingDecision[];
}
