import type { LicenceClass } from "../findings/index.ts";
import { currentLicence } from "./current.ts";
import { licenceErrors } from "./errors.ts";
import { licenceText } from "./expression.ts";
import { parseLicenceExpression } from "./parse.ts";

/** Which licences are allowed, warned of and denied. Made by `licencePolicy`, so that its entries are canonical. */
export interface LicencePolicy {
  /** One licence each: `MIT`, `GPL-2.0-only WITH Classpath-exception-2.0`, `LicenseRef-ours`; or a beginning: `CC-BY-NC-*`. */
  readonly allow: readonly string[];
  readonly warn: readonly string[];
  readonly deny: readonly string[];
  /** Class of a licence that is in none of the lists. */
  readonly unlisted: LicenceClass;
  /** Class of a component of which no licence is known, or of which what is written names none. */
  readonly missing: LicenceClass;
  /**
   * What texts inside a component count for. `judge`: as much as what it declares; `warn`: they count alone when nothing
   * is declared, and where they are worse than what is declared, that is warned of; `fill`: only when nothing is declared.
   */
  readonly detected: "judge" | "warn" | "fill";
  /** A text less like its licence than this does not count, 0 to 1. */
  readonly confidence: number;
}

const mostEntries = 2_000;

/**
 * A policy with canonical entries. Defaults: licences in no list and unknown ones are `unknown`, texts `warn`, from a
 * likeness of 0.9 on.
 *
 * @throws LICENCE_POLICY_INVALID
 */
export function licencePolicy(rules: Partial<LicencePolicy>): LicencePolicy {
  const { unlisted = "unknown", missing = "unknown", detected = "warn", confidence = 0.9 } = rules;
  if (!(confidence >= 0 && confidence <= 1)) throw invalid("a confidence from 0 to 1", String(confidence));
  const seen = new Map<string, string>();
  const canonical = (list: "allow" | "warn" | "deny"): readonly string[] => {
    const entries = rules[list] ?? [];
    if (entries.length > mostEntries) throw invalid(`at most ${mostEntries} entries`, String(entries.length));
    return entries.map((entry) => {
      const name = canonicalEntry(entry);
      const other = seen.get(name);
      if (other !== undefined && other !== list) throw invalid(`${name} in one list`, `it in ${other} and ${list}`);
      seen.set(name, list);
      return name;
    });
  };
  const [allow, warn, deny] = [canonical("allow"), canonical("warn"), canonical("deny")];
  return { allow, warn, deny, unlisted, missing, detected, confidence };
}

function canonicalEntry(entry: string): string {
  if (/^[A-Za-z0-9.-]{2,100}\*$/.test(entry)) return entry;
  let expression: ReturnType<typeof parseLicenceExpression>;
  try {
    expression = currentLicence(parseLicenceExpression(entry));
  } catch (cause) {
    throw invalid("an SPDX licence, or a beginning of its name with `*`", JSON.stringify(entry.slice(0, 100)), cause);
  }
  if (expression.kind !== "licence") throw invalid("one licence in each entry", JSON.stringify(entry.slice(0, 100)));
  return licenceText(expression);
}

function invalid(expected: string, found: string, cause?: unknown): Error {
  return licenceErrors.make("LICENCE_POLICY_INVALID", `expected ${expected}, found ${found}`, { cause });
}
