import type { LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";

/**
 * Entries that this platform does not want: those for others that were not fetched, and those that only they lead to.
 * A lockfile marks the first alone.
 */
export function foreignEntries(
  lockfiles: readonly Lockfile[],
  isFetched: (entry: LockedPackage) => boolean,
): ReadonlySet<LockedPackage> {
  const foreign = new Set<LockedPackage>();
  for (const { packages } of lockfiles) {
    const { leadsTo, wanted } = edgesOf(packages);
    const elsewhere = new Set(packages.filter((entry) => entry.platform !== undefined && !isFetched(entry)));
    const roots = packages.filter((entry) => entry.direct || isFetched(entry) || !wanted.has(entry));
    const here = reached(
      roots.filter((entry) => !elsewhere.has(entry)),
      leadsTo,
      elsewhere,
    );
    for (const entry of reached([...elsewhere], leadsTo, here)) foreign.add(entry);
  }
  return foreign;
}

/** Everything that entries lead to, themselves included, without entering what is shut. */
function reached(from: readonly LockedPackage[], leadsTo: Edges, shut: ReadonlySet<LockedPackage>): Set<LockedPackage> {
  const found = new Set(from);
  for (const entry of found) {
    for (const next of leadsTo.get(entry) ?? []) if (!shut.has(next)) found.add(next);
  }
  return found;
}

type Edges = Map<LockedPackage, LockedPackage[]>;

/** Dependencies, and which entries are one. What lies within another's archive is wanted by that one. */
function edgesOf(packages: readonly LockedPackage[]): {
  readonly leadsTo: Edges;
  readonly wanted: ReadonlySet<LockedPackage>;
} {
  const byKey = new Map(packages.map((entry) => [entry.key, entry]));
  const leadsTo: Edges = new Map();
  const wanted = new Set<LockedPackage>();
  const link = (from: LockedPackage | undefined, to: LockedPackage | undefined): void => {
    if (from === undefined || to === undefined || from === to) return;
    const list = leadsTo.get(from);
    if (list === undefined) leadsTo.set(from, [to]);
    else list.push(to);
    wanted.add(to);
  };
  for (const entry of packages) {
    for (const key of entry.dependencies) link(entry, byKey.get(key));
    if (entry.from.kind === "bundled") link(byKey.get(entry.from.within), entry);
  }
  return { leadsTo, wanted };
}
