import type { Finding, ScanGatePolicy, ScanResult } from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";

/** A component as a lockfile brings it. */
export function componentOf(name: string, version: string, rest: Partial<Component> = {}): Component {
  return {
    ref: `pkg:npm/${name}@${version}`,
    kind: "library",
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    type: "npm",
    scope: "runtime",
    hashes: [],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [{ path: "package-lock.json", rule: "npm-package-lock" }],
    properties: [],
    ...rest,
  };
}

/** A finding of a component. */
export function findingOf(id: string, component: string, rest: Partial<Finding> = {}): Finding {
  return {
    id,
    aliases: [],
    component,
    severity: { class: "high", score: 7.5, from: "osv" },
    otherSeverities: [],
    summary: "a flaw",
    published: "2026-01-01T00:00:00Z",
    fixState: "fixed",
    fixedVersions: ["9.9.9"],
    advice: { direct: [] },
    cwes: [],
    references: [],
    evidence: [
      {
        source: "osv",
        advisory: id,
        digest: `sha256:${"0".repeat(64)}`,
        ecosystem: "npm",
        package: "left-pad",
        matched: "< 9.9.9",
        comparison: "semver",
      },
    ],
    decisions: [],
    ...rest,
  };
}

/** A scan of two libraries, with data that is a day old. */
export function scanOf(rest: Partial<ScanResult> = {}): ScanResult {
  const root = componentOf("shop", "1.0.0", { kind: "application" });
  const components = [root, componentOf("left-pad", "1.3.0"), componentOf("mocha", "10.0.0", { scope: "development" })];
  return {
    sbom: {
      subject: { kind: "directory", name: "shop", digest: `sha256:${"1".repeat(64)}` },
      root: root.ref,
      components,
      dependencies: [{ from: root.ref, to: components.slice(1).map(({ ref }) => ref) }],
      layers: [],
      losses: [],
      unowned: [],
      tools: [],
    },
    at: "2026-11-21T00:00:00Z",
    advisories: {
      digest: `sha256:${"2".repeat(64)}`,
      compiledAt: "2026-11-20T00:00:00Z",
      advisories: 3,
      sources: [
        {
          name: "osv",
          kind: "osv",
          digest: `sha256:${"3".repeat(64)}`,
          newest: "2026-11-20T00:00:00Z",
          importedAt: "2026-11-20T00:00:00Z",
          advisories: 3,
        },
      ],
    },
    findings: [],
    licences: [],
    notEvaluated: [],
    ...rest,
  };
}

/** Rules that ask for nothing. */
export const noRules: ScanGatePolicy = {
  unownedExecutables: "ignore",
  unaccountedComponents: "ignore",
  losses: "ignore",
  requiredReports: [],
  supplierSbom: "ignore",
  exceptions: [],
};

/** Rules over vulnerabilities: high and above refuse. */
export const strictRules: ScanGatePolicy = {
  ...noRules,
  vulnerabilities: {
    refuse: "high",
    warn: "low",
    unscored: 0,
    knownExploited: "refuse",
    fix: "any",
    scopes: ["runtime", "optional", "build", "unknown"],
    graceDays: 0,
    newOnly: false,
    notEvaluated: "refuse",
    maximumDataAgeDays: 7,
  },
};
