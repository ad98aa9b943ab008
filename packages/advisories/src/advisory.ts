import type { AdvisoryDataFacts, FixState } from "@touchmark/formats/findings";

/** One event of a range (OSV schema 1.7, `affected[].ranges[].events[]`): exactly one member. */
export type RangeEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly last_affected: string }
  | { readonly limit: string };

/** A range of affected versions. */
export interface AffectedRange {
  readonly type: "SEMVER" | "ECOSYSTEM" | "GIT";
  readonly repo?: string;
  readonly events: readonly RangeEvent[];
}

/** One package that an advisory is about. */
export interface AffectedPackage {
  /** Ecosystem of the OSV schema, with its suffix: `npm`, `PyPI`, `Go`, `crates.io`, `Maven`, `Debian:12`, `Alpine:v3.20`, `Ubuntu:22.04:LTS`, `Red Hat:...`. */
  readonly ecosystem: string;
  /** As the ecosystem spells it; for distributions the source package unless `binary`. */
  readonly name: string;
  /** The name is that of a binary package (Red Hat). */
  readonly binary?: boolean;
  readonly ranges: readonly AffectedRange[];
  readonly versions: readonly string[];
  /** What the source itself says of a fix, where it says more than the ranges. */
  readonly state?: FixState | "not-affected";
  /** CVSS vectors for this package alone. */
  readonly severities: readonly AdvisorySeverity[];
  /** Only on these architectures. */
  readonly architectures?: readonly string[];
}

/** A severity as published. `words`: LOW, MODERATE, IMPORTANT, ... of a source without vector. */
export interface AdvisorySeverity {
  readonly type: "CVSS_V2" | "CVSS_V3" | "CVSS_V4" | "words";
  readonly value: string;
}

/** An advisory, whichever source it came from, in the shape of OSV. */
export interface Advisory {
  readonly id: string;
  /** Name of the imported source. */
  readonly source: string;
  /** SHA-256 of its canonical bytes. */
  readonly digest: string;
  readonly aliases: readonly string[];
  /** OSV `upstream`: what a distribution's advisory is about. */
  readonly upstream: readonly string[];
  readonly related: readonly string[];
  readonly published?: string;
  readonly modified: string;
  readonly withdrawn?: string;
  readonly summary: string;
  readonly severities: readonly AdvisorySeverity[];
  readonly cwes: readonly string[];
  readonly references: readonly string[];
  readonly affected: readonly AffectedPackage[];
}

/** Exploitation of a CVE, from feeds. */
export interface Exploitation {
  readonly epss?: { readonly probability: number; readonly percentile: number; readonly date: string };
  readonly knownExploited?: { readonly added: string; readonly due?: string; readonly ransomware: boolean };
}

/** A compiled database, open for reading. All calls are synchronous: it is a file on this machine. */
export interface AdvisoryDatabase {
  readonly facts: AdvisoryDataFacts;
  /**
   * Every advisory with an affected package of this ecosystem (exact spelling, suffix and all) and name; withdrawn ones
   * too. Names are normalised by the ecosystem's rules (PyPI, NuGet, ...) before they are asked.
   */
  lookup(ecosystem: string, name: string): readonly Advisory[];
  /** Ecosystems that it has data for, with the number of advisories. */
  ecosystems(): ReadonlyMap<string, number>;
  /** By id or alias, for people. */
  find(id: string): readonly Advisory[];
  exploitation(cve: string): Exploitation | undefined;
  /** When a distribution's release is no longer supported: RFC 3339 date; undefined when not known. */
  endOfLife(distribution: string, version: string): string | undefined;
  close(): void;
}
