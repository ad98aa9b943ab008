import type { Draft } from "./assemble.ts";
import { lockfileErrors } from "./errors.ts";
import type { LockedPackage } from "./locked.ts";

/** Keys that are reached from some, over edges. */
export function reachable(from: Iterable<string>, edges: (key: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...from];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    open.push(...edges(key));
  }
  return seen;
}

/** What the project asks for, by kind; and edges that may be left out. */
export interface Wants {
  readonly runtime: readonly string[];
  readonly optional: readonly string[];
  readonly development: readonly string[];
  /** Edges out of a package that it can do without; they stand in its dependencies, too. */
  readonly optionalEdges?: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Sets each package's scope by how it is reached: at run time without any optional edge, else optionally, else only in
 * development. What nobody reaches keeps its scope.
 */
export function setScopes(drafts: readonly Draft[], wants: Wants): void {
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const all = (key: string) => byKey.get(key)?.dependencies ?? [];
  const firm = (key: string) => all(key).filter((next) => !wants.optionalEdges?.get(key)?.has(next));
  const runtime = reachable(wants.runtime, firm);
  const optional = reachable([...wants.runtime, ...wants.optional], all);
  const development = reachable(wants.development, all);
  for (const draft of drafts) {
    const scope: LockedPackage["scope"] | undefined = runtime.has(draft.key)
      ? "runtime"
      : optional.has(draft.key)
        ? "optional"
        : development.has(draft.key)
          ? "development"
          : undefined;
    if (scope !== undefined) draft.scope = scope;
  }
}

/** Marks as direct what no other package asks for: somebody must, and that is the project. */
export function markUnasked(drafts: readonly Draft[]): void {
  const asked = new Set(drafts.flatMap(({ key, dependencies }) => dependencies.filter((next) => next !== key)));
  for (const draft of drafts) if (!asked.has(draft.key)) draft.direct = true;
}

/** More packages of one name than any project locks: looking among them for each edge would never end. */
const mostOfOneName = 1000;

/** Groups by name. @throws LOCKFILE_TOO_LARGE */
export function groupByName<T>(all: readonly T[], nameOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const name = nameOf(one);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else if (group.push(one) > mostOfOneName) {
      throw lockfileErrors.make("LOCKFILE_TOO_LARGE", `expected at most ${mostOfOneName} packages of one name`);
    }
  }
  return groups;
}
