import type { DecisionPoint } from "@touchmark/formats/policy";
import { type Collection, themes } from "./collection.ts";
import type { LibraryRule } from "./library-rule.ts";
import { practicesNotYet } from "./practices.ts";
import { analysisRules } from "./rules/analysis.ts";
import { buildRules } from "./rules/build.ts";
import { dependencyRules } from "./rules/dependency.ts";
import { releaseRules } from "./rules/release.ts";
import { requestRules } from "./rules/request.ts";
import { runRequestRules } from "./rules/run-request.ts";
import { stepRules } from "./rules/step.ts";
import { trustRules } from "./rules/trust.ts";

/** Every rule of the library, by point and theme. One visible place; nothing registers itself. */
export const libraryRules: readonly LibraryRule[] = [
  ...requestRules,
  ...runRequestRules,
  ...dependencyRules,
  ...stepRules,
  ...releaseRules,
  ...buildRules,
  ...analysisRules,
  ...trustRules,
];

/** Every collection, in the order of the page. */
export const collections: readonly Collection[] = [
  ...themes,
  {
    name: "moderate",
    title: "Practices at moderate",
    description: "The 34 practices that the supply chain paper asks for at moderate assurance or risk.",
    notYet: practicesNotYet("moderate"),
  },
  {
    name: "high",
    title: "Practices at high",
    description: "All 55 labelled practices of the supply chain paper.",
    notYet: practicesNotYet("high"),
  },
];

/** By collection: the rules that name it, and those that they depend on, in the library's order. */
const byCollection: ReadonlyMap<string, readonly LibraryRule[]> = new Map(
  collections.map(({ name }) => {
    const wanted = new Set<string>();
    const take = (rule: LibraryRule): void => {
      if (wanted.has(rule.id)) return;
      wanted.add(rule.id);
      for (const other of libraryRules) if (rule.dependsOn?.includes(other.id) === true) take(other);
    };
    for (const rule of libraryRules) if (rule.collections.includes(name)) take(rule);
    return [name, libraryRules.filter(({ id }) => wanted.has(id))];
  }),
);

/** Rules of a collection; undefined for a name that the library does not know. */
export function rulesOf(collection: string): readonly LibraryRule[] | undefined {
  return byCollection.get(collection);
}

/** Rules of a collection that can be judged at a point: what a policy of that point takes. Undefined as in `rulesOf`. */
export function rulesAt(collection: string, point: DecisionPoint): readonly LibraryRule[] | undefined {
  return rulesOf(collection)?.filter((rule) => rule.points.includes(point));
}
