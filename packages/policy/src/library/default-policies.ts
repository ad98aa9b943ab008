import { canonicalJson, sha256 } from "@touchmark/core";
import { type DecisionPoint, decisionPoints, type Policy, type PolicyRule } from "@touchmark/formats/policy";
import type { Pinned } from "../decision.ts";
import { rulesAt } from "./collections.ts";
import type { LibraryRule } from "./library-rule.ts";

/** Name of the set that is in force where nothing is installed. */
export const DEFAULT_COLLECTION = "touchmark-default";

const descriptions: Readonly<Record<DecisionPoint, string>> = {
  request: "What any run must have: a known caller, one commit, a pipeline of that commit.",
  dependency: "Nothing comes in that the dependency gate refuses.",
  step: "No step starts on inputs that nobody vouches for.",
  publish: "Only what an unbroken chain leads to leaves the factory.",
  deploy: "Only what an unbroken chain leads to is put to use.",
};

/**
 * The policies in force in a fresh home, one for each point. They hold until the end of the next year, so that their
 * digests stay the same for a year.
 */
export function defaultPolicies(now: Date): readonly Pinned<Policy>[] {
  const expires = `${now.getUTCFullYear() + 1}-12-31T23:59:59Z`;
  return decisionPoints.map((point) =>
    pinned({
      touchmark: "policy/v1",
      name: `${DEFAULT_COLLECTION}-${point}`,
      version: 1,
      description: descriptions[point],
      expires,
      point,
      rules: (rulesAt(DEFAULT_COLLECTION, point) ?? []).map(plainRule),
    }),
  );
}

/** A document with the digest of its canonical JSON. */
export function pinned<Document>(document: Document): Pinned<Document> {
  return { document, digest: sha256(canonicalJson(document)) };
}

/** A rule of the library as a policy holds it, without what only the library's page says. */
export function plainRule(rule: LibraryRule): PolicyRule {
  const { id, title, expression, message, messageExpression, solution, severity, dependsOn, practices } = rule;
  return {
    ...{ id, title, expression },
    ...(dependsOn === undefined ? {} : { dependsOn }),
    message,
    ...(messageExpression === undefined ? {} : { messageExpression }),
    ...{ solution, severity, practices },
  };
}
