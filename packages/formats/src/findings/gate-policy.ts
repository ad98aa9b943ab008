import type { ComponentScope } from "../sbom/index.ts";
import type { ReportKind } from "./scan.ts";

/** What becomes of something that a rule meets. */
export type Strictness = "refuse" | "warn" | "ignore";

/** Classes that a threshold can name. */
export type SeverityThreshold = "low" | "medium" | "high" | "critical";

/** Rules over vulnerabilities. Present: vulnerabilities must be evaluated, or the gate refuses. */
export interface VulnerabilityRules {
  /** Findings of this class and above refuse. Absent: no finding refuses by its class. */
  readonly refuse?: SeverityThreshold;
  /** Findings of this class and above are warned of. */
  readonly warn?: SeverityThreshold;
  /** Most findings without a score; one more refuses. */
  readonly unscored: number;
  /** Findings with at least this EPSS probability (0 to 1) refuse. */
  readonly epss?: number;
  readonly knownExploited: Strictness;
  /** `available`: only findings with a fixed version refuse; others are warned of. */
  readonly fix: "any" | "available";
  /** Scopes whose components count. */
  readonly scopes: readonly ComponentScope[];
  /** Days after publication in which a finding is warned of only; known exploited ones have none. */
  readonly graceDays: number;
  /** Only findings that the base does not have refuse; without a base all do. */
  readonly newOnly: boolean;
  /** Components that no data speaks of. */
  readonly notEvaluated: Strictness;
  /** Oldest advisory data, in days; older or undated data refuses. */
  readonly maximumDataAgeDays?: number;
}

/** Rules over licences; SPDX identifiers, `*` at the end stands for any text. */
export interface LicenceRules {
  /** When given, everything else is denied. */
  readonly allow?: readonly string[];
  readonly warn: readonly string[];
  readonly deny: readonly string[];
  /** Components whose licence is not known. */
  readonly unknown: Strictness;
  readonly scopes: readonly ComponentScope[];
}

/** A finding or component that one rule lets pass, until a date. */
export interface ScanException {
  readonly rule: string;
  /** Vulnerability id or alias; absent: every finding of the component. */
  readonly finding?: string;
  /** Package URL, `*` for any text; without a version it covers all. Absent: every component. */
  readonly component?: string;
  /** Digest of the one artifact; absent: every artifact. */
  readonly artifact?: string;
  readonly reason: string;
  readonly approver: string;
  /** RFC 3339. */
  readonly expires: string;
}

/** What a gate demands of a scan. A member that is absent asks for nothing. */
export interface ScanGatePolicy {
  readonly vulnerabilities?: VulnerabilityRules;
  readonly licences?: LicenceRules;
  /** Executables that belong to no component. */
  readonly unownedExecutables: Strictness;
  /** Components of an artifact that nobody fetched or built. */
  readonly unaccountedComponents: Strictness;
  /** Packages that came in without an SBOM of their supplier, signed. */
  readonly supplierSbom: Strictness;
  /** Files that could not be read. */
  readonly losses: Strictness;
  /** Kinds of reports that steps of the build must have written. */
  readonly requiredReports: readonly ReportKind[];
  readonly exceptions: readonly ScanException[];
}
