import { z } from "zod";
import { durationPattern } from "./quantity.ts";
import { section, text } from "./schema-parts.ts";

/**
 * Members of the dependency gate. A project may write those that tighten (`materials:` in touchmark.yaml); the user's
 * own configuration has all of them. One shape for both, so that the words are the same.
 */

/** Ecosystems that the gate knows. */
export const gateEcosystems = ["npm", "pypi", "golang", "cargo", "maven", "deb", "git", "generic"] as const;
/** Evidence of others that can be required. */
export const evidenceKinds = [
  "npm-signature",
  "npm-provenance",
  "pypi-attestation",
  "go-checksum-database",
  "maven-pgp",
  "maven-sigstore",
  "debian-chain",
  "git-signature",
  "touchmark-provenance",
] as const;

const packagePatternText = /^(?:\*|pkg:(?:npm|pypi|golang|cargo|maven|deb|git|generic)\/[^\s?#]{1,512})$/;
const timePattern = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)?$/;

/** A package URL in which `*` stands for any text; without a version it covers every version. */
export const packagePattern = z
  .string()
  .regex(packagePatternText, 'expected a package URL pattern such as "pkg:npm/@org/*" or "pkg:pypi/name@1.*"')
  .meta({ examples: ["pkg:npm/@org/*", "pkg:pypi/name@1.*"] });
export const packagePatterns = (what: string) =>
  z.array(packagePattern).max(10_000, "expected at most 10000 patterns").meta({ description: what });
export const moment = (what: string) =>
  z
    .string()
    .regex(timePattern, 'expected a quoted date such as "2026-01-31" or "2026-01-31T12:00:00Z"')
    .refine((given) => !Number.isNaN(Date.parse(given)), "expected a date that exists")
    .meta({ description: what, examples: ["2026-01-31"] });
export const strictness = (what: string, first: "record" | "off" = "record") =>
  (first === "off" ? z.enum(["refuse", "record", "off"]) : z.enum(["refuse", "record"])).meta({ description: what });
export const age = (what: string) =>
  z
    .string('expected an age such as "7d", "12h" or "0s"')
    .refine((given) => given === "0s" || /^[1-9][0-9]{0,4}d$/.test(given) || durationPattern.test(given), {
      error: 'expected an age such as "7d", "12h" or "0s"',
    })
    .meta({ description: what, examples: ["7d"] });
const count = (what: string, most: number) =>
  z
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(most, `expected at most ${most}`)
    .meta({ description: what });
const amount = (what: string) =>
  z
    .string('expected an amount of bytes such as "512MiB"')
    .regex(/^[1-9][0-9]{0,8}(?:B|kB|MB|GB|KiB|MiB|GiB|TiB)$/, 'expected an amount of bytes such as "512MiB"')
    .meta({ description: what, examples: ["512MiB"] });
const names = (what: string) =>
  z.array(text(214).min(1, "expected a name")).max(10_000, "expected at most 10000 names").meta({ description: what });
const reason = text(2000).min(1, "expected a reason").meta({ description: "Why, for people." });

const denied = z
  .array(
    section(
      { package: packagePattern.meta({ description: "Package URL pattern." }), reason },
      { description: "Packages that are never admitted." },
    ),
  )
  .max(10_000)
  .meta({ description: "Packages that are never admitted." });
const sizes = section(
  {
    archive: amount("Bytes of one archive as it comes.").optional(),
    index: amount("Bytes of one index or metadata answer.").optional(),
    unpacked: amount("Bytes of one archive's content.").optional(),
    files: count("Entries of one archive.", 10_000_000).optional(),
    ratio: count("How many times larger the content may be than the archive.", 100_000).optional(),
  },
  { description: "Limits of size and count." },
);
const requiredEvidence = z
  .array(
    section(
      {
        packages: packagePattern.meta({ description: "Package URL pattern." }),
        all: z
          .array(z.enum(evidenceKinds))
          .min(1, "expected at least one kind of evidence")
          .max(evidenceKinds.length)
          .meta({ description: "Kinds that must each be verified." }),
      },
      { description: "Evidence that packages of a scope must have." },
    ),
  )
  .max(1000)
  .meta({ description: "Evidence that packages must have, by scope." });
const licences = (what: string) => z.array(text(128).min(1)).max(1000).meta({ description: what });
const severity = z.enum(["low", "medium", "high", "critical"]);
const reviewDemand = z.enum(["all", "new", "off"]);

/** Members that both documents have, in the words of the user's one. Lists add to the user's, amounts only shrink. */
export const gateMembers = {
  unlocked: z
    .partialRecord(z.enum(gateEcosystems), z.enum(["refuse", "signed", "record"]))
    .optional()
    .meta({
      description: "What becomes of a package that is fetched but not locked: refuse, admit when signed, or record.",
    }),
  "locked-digest": z.enum(["lockfile", "announced"]).optional().meta({
    description:
      "Where the digest of a locked package must come from: the lockfile alone, or the index where the lockfile keeps none.",
  }),
  denied: denied.optional(),
  "as-of": moment("Versions published later are refused.").optional(),
  "minimum-age": age("How long a version must have been published.").optional(),
  lookalike: strictness("Names that look like known ones.", "off").optional(),
  "known-names": names("Names that others may not look like, beside those of the user's own lockfiles.").optional(),
  "install-scripts": z.enum(["refuse", "list"]).optional().meta({
    description: "Packages with install-time programs: refuse, or list (they never run in a fetch step).",
  }),
  "required-evidence": requiredEvidence.optional(),
  "licence-denied": licences("SPDX identifiers that no package may declare.").optional(),
  vulnerabilities: severity.optional().meta({
    description: "Severity from which known vulnerabilities refuse. Without advisory data every package is refused.",
  }),
  "new-publisher": strictness("A publisher who never published this package before.").optional(),
  "vanished-evidence": strictness("A version without the evidence that earlier versions had.").optional(),
  withdrawn: strictness("Versions that their registry calls withdrawn, yanked or deprecated.").optional(),
  "third-party-review": reviewDemand.optional().meta({
    description: "Which packages need a signed review: all, new names, or none.",
  }),
  chatter: z.enum(["refuse", "allow"]).optional().meta({
    description: "Requests on which nothing rests: audits, pings, update checks.",
  }),
  sizes: sizes.optional(),
} as const;

/** `materials:` of a project: can only tighten what the user configured. */
export const projectGate = section(gateMembers, {
  description: "Rules of the dependency gate that this project adds. They can only tighten those of the user.",
});

/** What a project writes about the gate. */
export type ProjectGate = z.infer<typeof projectGate>;
