import { evaluation, scanGate } from "./analysis.ts";
import { chainMembers, digest, name, path, prose } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

/** composition/v1: composition analysis of what came into a step, made before any other step may read it. */
export const composition = object({
  ...chainMembers,
  step: name,
  packages: list(
    object({
      purl: text({ max: 4096 }),
      digest: optional(described("SHA-256 of the archive.", digest)),
      licence: optional(described("SPDX expression that the package declares.", prose)),
      findings: described("Ids of known vulnerabilities with their class.", list(text({ max: 256 }), { max: 10_000 })),
      provenance: described("Somebody vouches for how it was built, and that was verified.", flag),
      supplierSbom: described("Its supplier's SBOM came with it, and its signature was verified.", flag),
      signature: described("A signature of its publisher or index was verified.", flag),
    }),
    { max: 200_000 },
  ),
  shares: described(
    "Of how many packages each is known.",
    object({ packages: whole(), provenance: whole(), supplierSbom: whole(), signature: whole(), licence: whole() }),
  ),
  vulnerabilities: evaluation,
  gate: scanGate,
});
export type Composition = Of<typeof composition>;

const metric = object({ name: text({ pattern: /^[a-z][a-z0-9-]{0,63}$/, max: 64 }), value: text({ max: 64 }) });

/** step-report/v1: a report that a step wrote. The factory read it; what it says is the step's own word. */
export const stepReport = object({
  ...chainMembers,
  label: described("Nobody but the step vouches for what the report says.", oneOf("reported by the step")),
  step: name,
  path: described("Place in the step's output.", path),
  kind: described(
    "JUnit results, coverage, or findings of static or dynamic analysis.",
    oneOf("junit", "coverage", "sast", "dast"),
  ),
  format: described(
    "What the file was read as.",
    oneOf("junit-xml", "cobertura-xml", "jacoco-xml", "lcov", "clover-xml", "sarif-2.1.0"),
  ),
  digest: described("SHA-256 of the file.", digest),
  bytes: whole(),
  output: described("Digest of the step's output, which has the file.", digest),
  revision: described("Commit that the run was of.", text({ pattern: /^([0-9a-f]{40}|[0-9a-f]{64})$/, max: 64 })),
  tool: optional(text({ max: 256 })),
  summary: described("Counts and shares that the report gives.", list(metric, { max: 64 })),
  failures: described("First failed tests, or findings, as the report words them.", list(prose, { max: 100 })),
});
export type StepReportStatement = Of<typeof stepReport>;
