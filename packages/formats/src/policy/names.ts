import { nearestName } from "../pipeline/nearest.ts";
import type { YamlPath } from "../pipeline/yaml-reader.ts";
import { cycleIn } from "./cycle.ts";
import type { DocumentProblems } from "./document-problems.ts";
import type { Functionary, PolicyRule } from "./policy.ts";

/**
 * Rules of one place: ids once, and dependencies that exist and end. With `open` a dependency may be a rule of a
 * collection, which is not in the document.
 */
export function checkRules(
  rules: readonly PolicyRule[],
  at: YamlPath,
  problems: DocumentProblems,
  others: "open" | "closed" = "closed",
): void {
  const ids = rules.map((rule) => rule.id);
  checkUnique(ids, at, "id", problems);
  for (const [i, rule] of rules.entries()) {
    if ((rule.expression === undefined) === (rule.rego === undefined)) {
      const found = rule.rego === undefined ? "neither" : "both";
      problems.add("POLICY_DOCUMENT_VALUE", [...at, i], `expected an expression or rego, found ${found}`, "key");
    }
    if (others === "closed") checkNames(rule.dependsOn ?? [], ids, "rule", [...at, i, "dependsOn"], problems);
  }
  const circle = cycleIn(new Map(rules.map((rule) => [rule.id, rule.dependsOn ?? []])));
  if (circle === undefined) return;
  const first = ids.indexOf(circle[0] ?? "");
  problems.add("POLICY_DOCUMENT_CYCLE", [...at, first, "dependsOn"], `rules depend on each other: ${shown(circle)}`);
}

/** The first names of a circle, for people. */
export function shown(circle: readonly string[]): string {
  return `${circle.slice(0, 10).join(" -> ")}${circle.length > 10 ? " -> …" : ""} -> ${circle[0]}`;
}

/** Every functionary can sign: it has an identity or a key. */
export function checkFunctionaries(
  functionaries: { readonly [name: string]: Functionary },
  at: YamlPath,
  problems: DocumentProblems,
): void {
  for (const [name, { identities = [], keys = [] }] of Object.entries(functionaries)) {
    if (identities.length + keys.length > 0) continue;
    problems.add("POLICY_DOCUMENT_VALUE", [...at, name], "expected identities or keys, found neither", "key");
  }
}

/** Notes names that are none of those that exist. */
export function checkNames(
  names: readonly string[],
  valid: readonly string[],
  what: string,
  at: YamlPath,
  problems: DocumentProblems,
): void {
  for (const [i, name] of names.entries()) checkName(name, valid, [...at, i], problems, what);
}

/** Notes a name that is none of those that exist. */
export function checkName(
  name: string,
  valid: readonly string[],
  at: YamlPath,
  problems: DocumentProblems,
  what = "step",
): void {
  if (valid.includes(name)) return;
  const near = nearestName(name, valid);
  const advice = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  problems.add("POLICY_DOCUMENT_REFERENCE", at, `there is no ${what} ${JSON.stringify(name)}${advice}`);
}

/** Notes names that stand twice. `member` is undefined for a list of names. */
export function checkUnique(
  names: readonly string[],
  at: YamlPath,
  member: string | undefined,
  problems: DocumentProblems,
): void {
  const seen = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, i);
    else {
      const place = member === undefined ? [...at, i] : [...at, i, member];
      problems.add("POLICY_DOCUMENT_NAME_TWICE", place, `${JSON.stringify(name)} stands already at ${first}`);
    }
  }
}

/** A threshold that no number of signers can reach would never be noticed but by refusals. */
export function checkThreshold(
  where: { readonly threshold?: number },
  functionaries: readonly string[],
  at: YamlPath,
  problems: DocumentProblems,
): void {
  const most = new Set(functionaries).size;
  if (where.threshold === undefined || where.threshold <= most) return;
  const text = `expected at most ${most}, the number of functionaries, found ${where.threshold}`;
  problems.add("POLICY_DOCUMENT_VALUE", [...at, "threshold"], text);
}
