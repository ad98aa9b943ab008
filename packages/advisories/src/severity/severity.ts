import { isFactoryError } from "@touchmark/core";
import type { Severity, SeverityClass } from "@touchmark/formats/findings";
import type { AdvisorySeverity } from "../advisory.ts";
import { cvss2BaseScore } from "./cvss-2.ts";
import { cvss3BaseScore } from "./cvss-3.ts";
import { cvss4Score } from "./cvss-4.ts";
import { malformed } from "./vector.ts";

/** A score with the version of the rules that it was computed by. */
export interface CvssScore {
  readonly version: "2.0" | "3.0" | "3.1" | "4.0";
  /** 0.0 to 10.0, one decimal. */
  readonly score: number;
}

/** Score of a CVSS vector of any version; that of version 2 has no prefix, and may stand in brackets. @throws CVSS_MALFORMED */
export function cvssScore(vector: string): CvssScore {
  const prefix = /^CVSS:([0-9.]{1,8})\//.exec(vector);
  const rest = prefix === null ? vector : vector.slice(prefix[0].length);
  switch (prefix?.[1]) {
    case undefined:
      return { version: "2.0", score: cvss2BaseScore(rest.replace(/^\((.*)\)$/, "$1"), vector) };
    case "3.0":
    case "3.1":
      return { version: prefix[1], score: cvss3BaseScore(prefix[1], rest, vector) };
    case "4.0":
      return { version: "4.0", score: cvss4Score(rest, vector) };
    default:
      throw malformed("version 2.0, 3.0, 3.1 or 4.0", vector);
  }
}

/** Class of a score: section 5 of 3.1 and 6 of 4.0; version 2 has the three classes that the NVD gave it. */
export function severityClass({ version, score }: CvssScore): SeverityClass {
  if (version === "2.0") return score >= 7 ? "high" : score >= 4 ? "medium" : "low";
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "none";
}

/** Ratings that sources give in words. What is not among them is unscored, never low. */
const words: Readonly<Record<string, SeverityClass>> = {
  none: "none",
  negligible: "low",
  unimportant: "low",
  minor: "low",
  low: "low",
  medium: "medium",
  moderate: "medium",
  high: "high",
  important: "high",
  critical: "critical",
};

/** A published severity with its class, or undefined where it says none: a vector that is broken, an unknown word. */
export function readSeverity(published: AdvisorySeverity, from: string): Severity | undefined {
  if (published.type === "words") {
    const word = published.value.trim().toLowerCase();
    return Object.hasOwn(words, word) ? { class: words[word] ?? "unscored", from } : undefined;
  }
  try {
    const found = cvssScore(published.value);
    return { class: severityClass(found), score: found.score, vector: published.value, from };
  } catch (error) {
    if (isFactoryError(error) && error.code === "CVSS_MALFORMED") return undefined;
    throw error;
  }
}

const ranks: readonly SeverityClass[] = ["none", "low", "medium", "high", "unscored", "critical"];

/** Order of classes for showing: critical first, then unscored, high, medium, low, none. */
export function compareSeverityClasses(a: SeverityClass, b: SeverityClass): number {
  return ranks.indexOf(b) - ranks.indexOf(a);
}
