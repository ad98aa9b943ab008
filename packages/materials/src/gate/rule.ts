import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { Candidate, RuleResult } from "./decision.ts";
import type { GateCode } from "./errors.ts";
import type { GateRules } from "./rules.ts";

/** One rule of the gate: pure, and described well enough that its page is made from this. */
export interface Rule {
  /** Stable id, kebab-case. */
  readonly id: string;
  /** What it asks, in a sentence. */
  readonly what: string;
  /** Its member of `gate` and the default, for people. */
  readonly setting: string;
  /** A message as people meet it. */
  readonly example: string;
  /** How to ask for an exception, or why there is none. */
  readonly exceptable: "any" | "versioned" | "never";
  evaluate(rules: GateRules, candidate: Candidate): Finding;
}

/** What a rule found; the gate adds the rule's id and what exceptions say. */
export type Finding = Omit<RuleResult, "rule" | "exception" | "outcome"> & {
  readonly outcome: "passed" | "refused" | "not-applicable" | "not-evaluated";
};

export const passed = (message: string): Finding => ({ outcome: "passed", message });
export const notApplicable = (message: string): Finding => ({ outcome: "not-applicable", message });
export const notEvaluated = (message: string): Finding => ({ outcome: "not-evaluated", message });
export const refused = (code: GateCode, message: string, wouldPass?: string): Finding => ({
  outcome: "refused",
  code,
  message,
  ...(wouldPass === undefined ? {} : { wouldPass }),
});
/** A fact that a rule needs is not there: refused, because absence never passes. */
export const missing = (fact: string): Finding => refused("GATE_FACTS_MISSING", `expected ${fact}, found nothing`);

/** Kinds of answer that carry a package into the build. */
export function carriesPackage(candidate: Candidate): boolean {
  const { kind } = candidate.facts;
  return kind === "archive" || kind === "git" || kind === "download";
}

/** The package as messages name it. */
export function nameOf({ facts }: Candidate): string {
  const version = facts.version === undefined ? "" : `@${facts.version}`;
  const name = facts.name ?? facts.fileName ?? "a file without a name";
  return `${name}${version} (${facts.ecosystem})`;
}

/** Package URL of a candidate: the one that its ecosystem gave, or one from name and version. */
export function purlOf({ facts }: Candidate): string | undefined {
  if (facts.purl !== undefined) return facts.purl;
  if (facts.name === undefined) return undefined;
  return `pkg:${facts.ecosystem}/${facts.name}${facts.version === undefined ? "" : `@${facts.version}`}`;
}

/** Announcements about the very version and file that is asked for. */
export function announcementsOf(candidate: Candidate) {
  const { version, fileName } = candidate.facts;
  return candidate.announced.filter(
    (each) =>
      (each.version === undefined || version === undefined || each.version === version) &&
      (each.fileName === undefined || fileName === undefined || each.fileName === fileName),
  );
}

/** Ecosystems that the gate has rules for. */
export const knownEcosystems: ReadonlySet<string> = new Set<Ecosystem>([
  "npm",
  "pypi",
  "golang",
  "cargo",
  "maven",
  "deb",
  "git",
  "generic",
]);
