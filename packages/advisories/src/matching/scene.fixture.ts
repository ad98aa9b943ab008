import { canonicalJson, sha256 } from "@touchmark/core";
import type { ScanResult } from "@touchmark/formats/findings";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import type { Advisory, AdvisoryDatabase, AffectedPackage, RangeEvent } from "../advisory.ts";
import { matchSbom } from "./match.ts";
import { memoryDatabase } from "./memory-database.ts";

/** Time of all scans here. */
export const at = "2026-06-01T00:00:00Z";

/** A component by its package URL type, name and version; the ref is `NAME@VERSION`. */
export function component(type: string, name: string, version: string, more: Partial<Component> = {}): Component {
  const ref = `${name}@${version}`;
  return {
    ref,
    kind: "library",
    name,
    version,
    type,
    scope: "runtime",
    hashes: [],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [],
    properties: [],
    ...more,
  };
}

/** An SBOM of components below a root that wants them all, unless edges are given. */
export function sbomOf(components: readonly Component[], more: Partial<Sbom> = {}): Sbom {
  const root = component("generic", "root", "", { ref: "root", kind: "application" });
  return {
    subject: { kind: "directory", name: "root" },
    root: "root",
    components: [root, ...components],
    dependencies: [{ from: "root", to: components.map(({ ref }) => ref) }],
    layers: [],
    losses: [],
    tools: [],
    ...more,
  };
}

/** What an advisory says of a package: events of one range, in short. */
export function affects(
  ecosystem: string,
  name: string,
  events: readonly RangeEvent[],
  more: Partial<AffectedPackage> = {},
): AffectedPackage {
  const type = ["npm", "Go", "crates.io"].includes(ecosystem) ? "SEMVER" : "ECOSYSTEM";
  return { ecosystem, name, ranges: [{ type, events }], versions: [], severities: [], ...more };
}

/** Events of `introduced` to `fixed`. */
export const below = (fixed: string, introduced = "0"): readonly RangeEvent[] => [{ introduced }, { fixed }];

/** An advisory of the source `osv`. */
export function advisory(id: string, affected: readonly AffectedPackage[], more: Partial<Advisory> = {}): Advisory {
  const content = {
    id,
    source: "osv",
    aliases: [],
    upstream: [],
    related: [],
    modified: "2026-01-01T00:00:00Z",
    summary: `About ${id}`,
    severities: [],
    cwes: [],
    references: [],
    affected,
    ...more,
  };
  return { ...content, digest: sha256(canonicalJson(content)) };
}

/** Findings as `ID COMPONENT`, in their order. */
export function findingsOf(sbom: Sbom, advisories: readonly Advisory[]): readonly string[] {
  const { findings } = matchSbom(sbom, memoryDatabase({ advisories }), { at });
  return findings.map(({ id, component: ref }) => `${id} ${ref}`);
}

/** Reasons as `REASON COMPONENT`. */
export function unevaluatedOf(sbom: Sbom, advisories: readonly Advisory[]): readonly string[] {
  const { notEvaluated } = matchSbom(sbom, memoryDatabase({ advisories }), { at });
  return notEvaluated.map(({ reason, component: ref }) => `${reason} ${ref}`);
}

/** A whole scan, licences left out. */
export function scanOf(sbom: Sbom, database: AdvisoryDatabase): ScanResult {
  return { sbom, at, advisories: database.facts, licences: [], ...matchSbom(sbom, database, { at }) };
}

export const critical = { type: "CVSS_V3", value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" } as const;
export const high = { type: "CVSS_V3", value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" } as const;
export const debian12 = { id: "debian", version: "12", codename: "bookworm" } as const;
