import type { Sbom } from "../sbom/index.ts";
import type { Finding } from "./finding.ts";

/** Kinds of reports that steps write: tests, coverage, static and dynamic analysis. */
export type ReportKind = "junit" | "coverage" | "sast" | "dast";

/** Class of a licence for the gate. */
export type LicenceClass = "allowed" | "warned" | "denied" | "unknown";

/** What the licence policy says of one component. */
export interface LicenceFinding {
  readonly component: string;
  /** Expression that was judged; absent: none is known. */
  readonly expression?: string;
  readonly class: LicenceClass;
  /** Where an `OR` gives a choice: the side that was taken. */
  readonly chosen?: string;
  readonly reason: string;
}

/** The advisory data that a scan was made with. */
export interface AdvisoryDataFacts {
  /** SHA-256 of the compiled database. */
  readonly digest: string;
  readonly compiledAt: string;
  readonly advisories: number;
  readonly sources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly digest: string;
    /** When the newest record in it was modified. */
    readonly newest?: string;
    readonly importedAt: string;
    readonly licence?: string;
    readonly advisories: number;
  }[];
}

/** Components of a scan that nothing can be said about, and why. */
export interface NotEvaluated {
  readonly component: string;
  /** `no-ecosystem`, `no-version`, `version-unreadable`, `ecosystem-without-data`, ... */
  readonly reason: string;
  readonly message: string;
}

/** Everything that is known of a subject at one time. */
export interface ScanResult {
  readonly sbom: Sbom;
  /** RFC 3339. */
  readonly at: string;
  /** Absent: no advisories are configured, and vulnerabilities were *not evaluated*. */
  readonly advisories?: AdvisoryDataFacts;
  /** In order of severity (critical first, unscored after critical), then id, then component. */
  readonly findings: readonly Finding[];
  readonly licences: readonly LicenceFinding[];
  readonly notEvaluated: readonly NotEvaluated[];
  /** Refs of components of an artifact that nobody fetched or built; absent where there is nothing to compare with. */
  readonly unaccounted?: readonly string[];
  /** Kinds of reports that steps of the build wrote and that were read; absent where there was no build. */
  readonly reports?: readonly ReportKind[];
  /** Refs of packages without an SBOM of their supplier that a verified signature covers; absent where nobody looked. */
  readonly withoutSupplierSbom?: readonly string[];
}

/** One rule of the gate, and what became of it. */
export interface ScanRuleResult {
  /** Stable id, kebab-case. */
  readonly rule: string;
  readonly outcome: "passed" | "warned" | "refused" | "excepted" | "not-evaluated";
  readonly message: string;
  /** Set when refused. */
  readonly code?: string;
  /** Refs of components and ids of findings concerned. */
  readonly concerns: readonly { readonly component?: string; readonly finding?: string }[];
}

/** What the gate says of a scan. Refused when any rule refused. */
export interface ScanGateResult {
  readonly verdict: "passed" | "refused" | "not-evaluated";
  readonly results: readonly ScanRuleResult[];
}
