import type { PredicateName, PredicateOf } from "./catalogue.ts";
import { chain, digest } from "./example-parts.ts";

type AnalysisName = Extract<
  PredicateName,
  "advisory-database" | "analysis" | "licences" | "composition" | "step-report" | "vex-decision"
>;

const counts = { critical: 0, high: 1, medium: 0, low: 0, none: 0, unscored: 0 };

/** One example for each kind of statement about content, as the published documents show them. */
export const analysisExamples: { readonly [Name in AnalysisName]: PredicateOf<Name> } = {
  "advisory-database": {
    ...chain,
    compiledAt: "2026-11-21T08:00:00Z",
    sources: [
      {
        name: "osv-npm",
        kind: "osv",
        digest: digest(0x98),
        origin: "/srv/osv/npm",
        importedAt: "2026-11-21T08:00:00Z",
        newest: "2026-11-20T23:10:00Z",
        licence: "CC-BY-4.0",
        records: 15000,
        leftOut: 2,
      },
    ],
  },
  "vex-decision": {
    ...chain,
    document: digest(0x99),
    format: "openvex",
    author: "Ada <ada@vendor.example>",
    approver: "Grace",
    reason: "the vendor's own statement, checked against our build",
    expires: "2027-01-31T00:00:00Z",
    projects: ["demo"],
    artifacts: [],
  },
  licences: {
    ...chain,
    policy: digest(0x91),
    components: [
      {
        component: "pkg:npm/left-pad@1.3.0",
        declared: "WTFPL",
        class: "warned",
        reason: "WTFPL is on the list to warn of",
      },
    ],
  },
  analysis: {
    ...chain,
    artifact: "package",
    digest: digest(0xd1),
    sbom: {
      bundle: digest(0x92),
      components: 12,
      edges: 11,
      losses: [{ path: "lib/old.jar", code: "SBOM_JAVA_TRUNCATED", message: "expected an archive, found half of one" }],
    },
    materials: 240,
    vulnerabilities: { bundle: digest(0x93), evaluated: true, database: digest(0x94), counts },
    licences: { bundle: digest(0x95), allowed: 11, warned: 1, denied: 0, unknown: 0 },
    unaccounted: [],
    unowned: [],
    gate: {
      policy: digest(0x91),
      verdict: "refused",
      results: [
        {
          rule: "severity",
          outcome: "refused",
          message: "expected no vulnerability of class high or above, found CVE-2026-0001 (high) in left-pad 1.3.0",
          code: "SCAN_VULNERABILITY",
        },
      ],
    },
  },
  composition: {
    ...chain,
    step: "fetch",
    packages: [
      {
        purl: "pkg:npm/left-pad@1.3.0",
        digest: digest(0x96),
        licence: "WTFPL",
        findings: ["CVE-2026-0001 high"],
        provenance: false,
        supplierSbom: false,
        signature: true,
      },
    ],
    shares: { packages: 1, provenance: 0, supplierSbom: 0, signature: 1, licence: 1 },
    vulnerabilities: { evaluated: true, database: digest(0x94), counts },
    gate: { verdict: "not-evaluated", results: [] },
  },
  "step-report": {
    ...chain,
    label: "reported by the step",
    step: "test",
    path: "report.xml",
    kind: "junit",
    format: "junit-xml",
    digest: digest(0x97),
    bytes: 812,
    output: digest(0xd1),
    revision: "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    summary: [
      { name: "tests", value: "42" },
      { name: "failures", value: "0" },
    ],
    failures: [],
  },
};
