import type { DecisionPoint } from "@touchmark/formats/policy";
import type { LibraryRule } from "./library-rule.ts";
import { dependencyRules } from "./rules/dependency.ts";
import { releaseRules } from "./rules/release.ts";
import { requestRules } from "./rules/request.ts";
import { stepRules } from "./rules/step.ts";

/** Every rule of the library, by point and theme. One visible place; nothing registers itself. */
export const libraryRules: readonly LibraryRule[] = [
  ...requestRules,
  ...dependencyRules,
  ...stepRules,
  ...releaseRules,
];

/** Rules of a collection; undefined for a name that the library does not know. */
export function rulesOf(collection: string): readonly LibraryRule[] | undefined {
  const rules = libraryRules.filter((rule) => rule.collections.includes(collection));
  return rules.length === 0 ? undefined : rules;
}

/** Rules of a collection that can be judged at a point: what a policy of that point takes. Undefined as in `rulesOf`. */
export function rulesAt(collection: string, point: DecisionPoint): readonly LibraryRule[] | undefined {
  return rulesOf(collection)?.filter((rule) => rule.points.includes(point));
}
