import { compareTreePaths, type Digest } from "@touchmark/core";
import type { Component, ComponentHash, ComponentScope, Occurrence } from "@touchmark/formats/sbom";
import type { CollectedFile, Found, FoundComponent } from "./cataloger.ts";
import type { Ownership } from "./ownership.ts";

/** Name of the property with the ref of the distribution's package that a component came with. */
export const ownedByProperty = "touchmark:owned-by";

/** All components with their refs, and the way from what was found to them. */
export interface AssembledComponents {
  /** In byte order of refs. */
  readonly all: readonly Component[];
  refOf(found: Found, key: string): string | undefined;
}

/** What was found more than once and is one component. */
interface Group {
  readonly owner: FoundComponent | undefined;
  readonly members: FoundComponent[];
  readonly hashes: Map<string, string>;
}

/**
 * Makes one component of what has the same name, version and package URL, the same owner, and no hash that differs;
 * gives each its ref (SPEC C6, C7).
 */
export function assembleComponents(
  found: readonly Found[],
  ownership: Ownership,
  files: readonly CollectedFile[],
): AssembledComponents {
  const grouping = new Grouping();
  const groupOf = new Map<FoundComponent, Group>();
  for (const { components } of found) {
    for (const component of components) {
      groupOf.set(component, grouping.add(component, ownership.ownerOf(component)));
    }
  }
  const refs = refsOf(grouping.groups);
  const layers = new Map(files.flatMap(({ path, layer }) => (layer === undefined ? [] : [[path, layer] as const])));
  const refOfComponent = (component: FoundComponent) => refs.get(groupOf.get(component) as Group) as string;
  const all = [...refs]
    .map(([group, ref]) => merged(group, ref, group.owner && refOfComponent(group.owner), layers))
    .sort((a, b) => compareTreePaths(a.ref, b.ref));
  const byKey = new Map(
    found.map((one) => [one, new Map(one.components.map((component) => [component.key, refOfComponent(component)]))]),
  );
  return { all, refOf: (one, key) => byKey.get(one)?.get(key) };
}

function identity({ kind, type, name, version, purl }: FoundComponent): string {
  return purl ?? `${type}:${kind === "library" ? "" : `${kind}:`}${name}${version === "" ? "" : `@${version}`}`;
}

/** Groups of one identity that a component is compared with; beyond them it must say exactly the same. */
const mostCompared = 50;

/** Finds the group that a component belongs to. */
class Grouping {
  readonly groups = new Map<string, Group[]>();
  readonly #exact = new Map<string, Group>();

  add(component: FoundComponent, owner: FoundComponent | undefined): Group {
    const key = identity(component);
    const hashes = component.hashes ?? [];
    const whole = `${key}\0${owner?.key ?? ""}\0${hashes.map(({ algorithm, value }) => `${algorithm}:${value}`).join()}`;
    let same = this.groups.get(key);
    if (same === undefined) {
      same = [];
      this.groups.set(key, same);
    }
    const exact = this.#exact.get(whole);
    let group =
      exact !== undefined && exact.owner === owner
        ? exact
        : same.slice(0, mostCompared).find((one) => one.owner === owner && agree(one.hashes, hashes));
    if (group === undefined) {
      group = { owner, members: [], hashes: new Map() };
      same.push(group);
    }
    this.#exact.set(whole, group);
    group.members.push(component);
    for (const { algorithm, value } of hashes) group.hashes.set(algorithm, value);
    return group;
  }
}

function agree(known: ReadonlyMap<string, string>, hashes: readonly ComponentHash[]): boolean {
  return hashes.every(({ algorithm, value }) => (known.get(algorithm) ?? value) === value);
}

/** The package URL alone where one component has it; with `#PATH` behind it where several do. */
function refsOf(groups: ReadonlyMap<string, readonly Group[]>): Map<Group, string> {
  const refs = new Map<Group, string>();
  const taken = new Set(groups.keys());
  const counts = new Map<string, number>();
  for (const [key, same] of groups) {
    if (same.length === 1 && same[0] !== undefined) {
      refs.set(same[0], key);
      continue;
    }
    for (const group of same) {
      const base = `${key}#${encodeURI(places(group)[0]?.path ?? "")}`;
      let count = counts.get(base) ?? 1;
      let ref = count === 1 ? base : `${base}:${count}`;
      while (taken.has(ref)) ref = `${base}:${++count}`;
      counts.set(base, count);
      taken.add(ref);
      refs.set(group, ref);
    }
  }
  return refs;
}

function places({ members }: Group): Occurrence[] {
  return members
    .flatMap(({ occurrences }) => occurrences)
    .sort(
      (a, b) => compareTreePaths(a.path, b.path) || compareTreePaths(a.rule, b.rule) || (a.line ?? 0) - (b.line ?? 0),
    );
}

/** From what counts most to what counts least: what is needed at run time anywhere is needed at run time. */
const scopes: readonly ComponentScope[] = ["runtime", "unknown", "build", "optional", "development"];

function merged(group: Group, ref: string, owner: string | undefined, layers: ReadonlyMap<string, Digest>): Component {
  const [first, ...others] = group.members as [FoundComponent, ...FoundComponent[]];
  const { key: _, owns: __, ownsBelow: ___, direct: ____, ...facts } = first;
  let known: typeof facts = facts;
  for (const other of others) known = { ...optional(other), ...known };
  const all = group.members;
  const properties = unique(all.flatMap((one) => [...(one.properties ?? [])]));
  if (owner !== undefined) properties.push({ name: ownedByProperty, value: owner });
  return {
    ...known,
    ref,
    scope: scopes.find((scope) => all.some((one) => one.scope === scope)) ?? "unknown",
    ...(all.some(({ direct }) => direct === true) && { direct: true }),
    hashes: unique(all.flatMap((one) => [...(one.hashes ?? [])])).sort((a, b) => (a.algorithm < b.algorithm ? -1 : 1)),
    declaredLicences: unique(all.flatMap((one) => [...(one.declaredLicences ?? [])])),
    detectedLicences: unique(all.flatMap((one) => [...(one.detectedLicences ?? [])])),
    cpes: unique(all.flatMap((one) => [...(one.cpes ?? [])])),
    properties: properties.sort((a, b) => compareTreePaths(a.name, b.name) || compareTreePaths(a.value, b.value)),
    occurrences: unique(places(group).map((place) => withLayer(place, layers))),
  };
}

/** What later members know and the first one may not. */
function optional(component: FoundComponent): Partial<FoundComponent> {
  const { sourcePackage, architecture, supplier, description, homepage, downloadLocation, distribution } = component;
  return {
    ...(sourcePackage !== undefined && { sourcePackage }),
    ...(architecture !== undefined && { architecture }),
    ...(supplier !== undefined && { supplier }),
    ...(description !== undefined && { description }),
    ...(homepage !== undefined && { homepage }),
    ...(downloadLocation !== undefined && { downloadLocation }),
    ...(distribution !== undefined && { distribution }),
  };
}

function withLayer(place: Occurrence, layers: ReadonlyMap<string, Digest>): Occurrence {
  const layer = place.layer ?? layers.get(place.path);
  return layer === undefined ? place : { ...place, layer };
}

function unique<T>(values: readonly T[]): T[] {
  if (values.length < 2) return [...values];
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
