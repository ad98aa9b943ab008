import { z } from "zod";
import { age, moment, packagePattern } from "./gate-schema.ts";
import { section, text } from "./schema-parts.ts";

/**
 * Rules of the gate of scans: in `analyse:` of a pipeline, in the user's `scan.yaml`, and in a file for
 * `touchmark scan --policy`. One shape for all, so that the words are the same.
 */

const threshold = z.enum(["low", "medium", "high", "critical"]);
const strictness = (what: string) => z.enum(["refuse", "warn", "ignore"]).optional().meta({ description: what });
const scopes = z
  .array(z.enum(["runtime", "development", "optional", "build", "unknown"]))
  .min(1, "expected at least one scope")
  .optional()
  .meta({
    description: "Scopes whose components count. Default: runtime, optional, build and unknown.",
    examples: [["runtime"]],
  });
const licenceList = (what: string) =>
  z
    .array(text(128).min(1, "expected an SPDX identifier"))
    .max(1000, "expected at most 1000 licences")
    .optional()
    .meta({ description: what, examples: [["MIT", "Apache-2.0", "BSD-*"]] });

const vulnerabilities = section(
  {
    refuse: threshold.optional().meta({ description: "Vulnerabilities of this class and above refuse." }),
    warn: threshold.optional().meta({ description: "Vulnerabilities of this class and above are warned of." }),
    unscored: z
      .int("expected a whole number")
      .min(0, "expected at least 0")
      .max(1_000_000, "expected at most 1000000")
      .optional()
      .meta({ description: "Most vulnerabilities without a score. Default: 0; one more refuses." }),
    epss: z
      .number("expected a probability from 0 to 1")
      .min(0, "expected a probability from 0 to 1")
      .max(1, "expected a probability from 0 to 1")
      .optional()
      .meta({ description: "Exploit prediction (EPSS) from which a vulnerability refuses.", examples: [0.5] }),
    "known-exploited": strictness("Vulnerabilities that are known to be exploited. Default: refuse."),
    fix: z.enum(["any", "available"]).optional().meta({
      description: "available: only vulnerabilities with a fixed version refuse, others are warned of. Default: any.",
    }),
    scopes,
    grace: age("How long after its publication a vulnerability is only warned of. Default: 0s.").optional(),
    "new-only": z
      .boolean()
      .optional()
      .meta({ description: "Only what the base does not have refuses. Default: false." }),
    "not-evaluated": strictness("Components that no advisory data speaks of. Default: warn."),
    "data-age": age("Oldest advisory data. Default: any age.").optional(),
  },
  { description: "Rules over known vulnerabilities. Where this stands, they must be evaluated, or the gate refuses." },
);

const licences = section(
  {
    allow: licenceList("Licences that are allowed; when given, every other is denied."),
    warn: licenceList("Licences that are warned of."),
    deny: licenceList("Licences that refuse."),
    unknown: strictness("Components whose licence is not known. Default: refuse."),
    scopes,
  },
  { description: "Rules over licences: SPDX identifiers, `*` at the end for any text." },
);

const gateMembers = {
  vulnerabilities: vulnerabilities.optional(),
  licences: licences.optional(),
  "unowned-executables": strictness("Executable files that belong to no component. Default: ignore."),
  "unaccounted-components": strictness("Components of an artifact that nobody fetched or built. Default: warn."),
  "supplier-sbom": strictness(
    "Packages without an SBOM of their supplier under a verified signature. Default: ignore.",
  ),
  "required-reports": z
    .array(z.enum(["junit", "coverage", "sast", "dast"]))
    .max(4, "expected at most 4 kinds")
    .optional()
    .meta({
      description: "Kinds of reports that steps of the build must have written.",
      examples: [["junit", "sast"]],
    }),
  losses: strictness("Files that could not be read. Default: warn."),
} as const;

/** `analyse.gate` of a pipeline: rules beside those of the user. */
export const scanGate = section(gateMembers, { description: "Rules over what is inside." });
export type WrittenScanGate = z.infer<typeof scanGate>;

const exception = section(
  {
    rule: text(64)
      .min(1)
      .meta({ description: "Id of the rule, as reports name it.", examples: ["severity"] }),
    finding: text(256)
      .min(1)
      .optional()
      .meta({ description: "Id of the vulnerability, or an alias.", examples: ["CVE-2026-0001"] }),
    component: packagePattern
      .or(z.string().regex(/^pkg:[a-z0-9.+-]+\/\S{1,512}$/))
      .optional()
      .meta({ description: "Package URL; `*` for any text.", examples: ["pkg:npm/left-pad@1.*"] }),
    artifact: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, "expected a digest")
      .optional()
      .meta({ description: "Digest of the one artifact." }),
    reason: text(2000).min(1, "expected a reason").meta({ description: "Why, for people." }),
    approver: text(256).min(1, "expected a person").meta({ description: "Who answers for it." }),
    expires: moment("When it stops counting."),
  },
  { description: "What one rule lets pass, until a date." },
);

/** `scan.yaml` of the home, or the file of `touchmark scan --policy`. */
export const scanDocument = section(
  {
    touchmark: z.literal("scan/v1").meta({ description: "Version of this document." }),
    gate: scanGate
      .optional()
      .meta({ description: "Rules over artifacts, and over what `touchmark scan` is asked about." }),
    "worker-images": scanGate.optional().meta({
      description:
        "Rules over images that steps run in or artifacts stand on; a refusal ends the run before its first step.",
    }),
    dependencies: scanGate
      .optional()
      .meta({ description: "Rules over what a fetch step brought; a refusal ends the run before any other step." }),
    exceptions: z
      .array(exception)
      .max(10_000, "expected at most 10000 exceptions")
      .optional()
      .meta({ description: "What a rule lets pass, by whom, why and until when." }),
  },
  { title: "Touchmark scan", description: "HOME/scan.yaml: what must hold of what is inside." },
);
export type ScanDocument = z.infer<typeof scanDocument>;

/** `analyse:` of a pipeline. */
export const analyse = z
  .union(
    [z.boolean(), section({ gate: scanGate.optional() }, { description: "Catalogued, with rules of the project." })],
    {
      error: "expected true, false, or a mapping with the key gate",
    },
  )
  .meta({ description: "Whether each artifact is catalogued, scanned and attested. Default: true.", examples: [true] });

/** `reports:` of a step. */
export const stepReports = z
  .array(
    section(
      {
        path: text(1024)
          .min(1, "expected a path")
          .refine(
            (given) =>
              !given.startsWith("/") && !given.split("/").some((part) => part === "" || part === "." || part === ".."),
            "expected a path relative to the output, without `.`, `..`, `//` or a slash at the end",
          )
          .meta({ description: "Path inside the step's output.", examples: ["report.xml"] }),
        kind: z.enum(["junit", "coverage", "sast", "dast"]).meta({ description: "What it is." }),
        required: z
          .boolean()
          .optional()
          .meta({ description: "A missing or unreadable report fails the step. Default: true." }),
      },
      { description: "A report that the step writes. It is signed as the step's own word." },
    ),
  )
  .max(64, "expected at most 64 reports")
  .meta({
    description: "Reports that the step writes into its output: tests, coverage, findings of analysers (SARIF).",
  });
