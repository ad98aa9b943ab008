import { packageUrlWithoutVersion } from "@touchmark/formats/package-url";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import { inOrder } from "./order.ts";

/** A component of one side, by what people know it by. */
export interface ComparedComponent {
  /** Package URL without version and qualifiers, or `TYPE:NAME`. */
  readonly package: string;
  readonly name: string;
  readonly version: string;
  readonly ref: string;
}

/** One that is on both sides, and not the same. */
export interface ComponentChange {
  readonly package: string;
  readonly name: string;
  readonly before: string;
  readonly after: string;
  /** Members that differ: `version`, `hashes`, `licences`, `scope`, `supplier`. */
  readonly changes: readonly { readonly what: string; readonly before: string; readonly after: string }[];
  /** The version is the same, and a digest is not: the content was exchanged. */
  readonly alarm: boolean;
}

/** An edge between packages, whatever their versions. */
export interface ComparedEdge {
  readonly from: string;
  readonly to: string;
}

/** What two SBOMs differ in. Everything sorted. */
export interface SbomDifference {
  readonly added: readonly ComparedComponent[];
  readonly removed: readonly ComparedComponent[];
  readonly changed: readonly ComponentChange[];
  readonly edgesAdded: readonly ComparedEdge[];
  readonly edgesRemoved: readonly ComparedEdge[];
  /** Components that are the same on both sides. */
  readonly unchanged: number;
}

/**
 * Compares two SBOMs by package, not by ref: a package whose version changed is one change, not one added and one
 * removed. Of a package with several versions those that both sides have are the same; the others are paired in order.
 * The two roots are the same thing.
 */
export function compareSboms(before: Sbom, after: Sbom): SbomDifference {
  const left = sideOf(before);
  const right = sideOf(after);
  const added: ComparedComponent[] = [];
  const removed: ComparedComponent[] = [];
  const changed: ComponentChange[] = [];
  let unchanged = 0;
  for (const name of new Set([...left.packages.keys(), ...right.packages.keys()])) {
    const { pairs, gone, come } = paired(left.packages.get(name) ?? [], right.packages.get(name) ?? []);
    for (const [a, b] of pairs) {
      const change = changeOf(name, a, b);
      if (change === undefined) unchanged++;
      else changed.push(change);
    }
    removed.push(...gone.map((component) => comparedOf(name, component)));
    added.push(...come.map((component) => comparedOf(name, component)));
  }
  return {
    added: inOrder(added, textOf),
    removed: inOrder(removed, textOf),
    changed: inOrder(changed, (change) => `${change.package} ${change.before} ${change.after}`),
    edgesAdded: edgesOnlyIn(right.edges, left.edges),
    edgesRemoved: edgesOnlyIn(left.edges, right.edges),
    unchanged,
  };
}

/** True when nothing differs. */
export function isSameSbom(difference: SbomDifference): boolean {
  const { added, removed, changed, edgesAdded, edgesRemoved } = difference;
  return added.length + removed.length + changed.length + edgesAdded.length + edgesRemoved.length === 0;
}

interface Side {
  readonly packages: ReadonlyMap<string, readonly Component[]>;
  readonly edges: ReadonlyMap<string, ComparedEdge>;
}

function sideOf(sbom: Sbom): Side {
  const packages = new Map<string, Component[]>();
  const names = new Map<string, string>();
  for (const component of sbom.components) {
    const name = component.ref === sbom.root ? "(subject)" : packageOf(component);
    names.set(component.ref, name);
    const same = packages.get(name);
    if (same === undefined) packages.set(name, [component]);
    else same.push(component);
  }
  const edges = new Map<string, ComparedEdge>();
  for (const { from, to } of sbom.dependencies) {
    for (const each of to) {
      const edge = { from: names.get(from) ?? from, to: names.get(each) ?? each };
      edges.set(`${edge.from}\u0000${edge.to}`, edge);
    }
  }
  return { packages, edges };
}

function packageOf({ purl, type, name }: Component): string {
  return purl === undefined ? `${type}:${name}` : packageUrlWithoutVersion(purl).replace(/[?#].*$/, "");
}

function paired(before: readonly Component[], after: readonly Component[]) {
  const pairs: (readonly [Component, Component])[] = [];
  const waiting = new Map<string, Component[]>();
  // Taken from the end of each list, so that they come in their order.
  for (const component of [...before].reverse()) {
    const same = waiting.get(component.version);
    if (same === undefined) waiting.set(component.version, [component]);
    else same.push(component);
  }
  const come: Component[] = [];
  for (const component of after) {
    const same = waiting.get(component.version)?.pop();
    if (same === undefined) come.push(component);
    else pairs.push([same, component]);
  }
  const left = new Set([...waiting.values()].flat());
  const gone = before.filter((component) => left.has(component));
  const both = Math.min(gone.length, come.length);
  for (let index = 0; index < both; index++) pairs.push([gone[index] as Component, come[index] as Component]);
  return { pairs, gone: gone.slice(both), come: come.slice(both) };
}

function changeOf(name: string, before: Component, after: Component): ComponentChange | undefined {
  const changes = [
    difference("version", before.version, after.version),
    difference("licences", licencesOf(before), licencesOf(after)),
    difference("hashes", differingHashes(before, after), differingHashes(after, before)),
    difference("scope", scopeOf(before), scopeOf(after)),
    difference("supplier", before.supplier ?? "", after.supplier ?? ""),
  ].flat();
  if (changes.length === 0) return undefined;
  const alarm = before.version === after.version && changes.some(({ what }) => what === "hashes");
  return { package: name, name: after.name, before: before.version, after: after.version, changes, alarm };
}

function difference(what: string, before: string, after: string): ComponentChange["changes"] {
  return before === after ? [] : [{ what, before, after }];
}

/** What nothing is known of counts as needed at run time, as it does in every gate. */
function scopeOf({ scope }: Component): string {
  return scope === "unknown" ? "runtime" : scope;
}

function licencesOf({ declaredLicences }: Component): string {
  return declaredLicences
    .map(({ expression, text }) => expression ?? text ?? "")
    .sort()
    .join(", ");
}

/** Digests that the other side has, too, with another value: one that only one side knows says nothing. */
function differingHashes(component: Component, other: Component): string {
  return component.hashes
    .filter(({ algorithm, value }) => {
      const same = other.hashes.filter((each) => each.algorithm === algorithm);
      return same.length > 0 && !same.some((each) => each.value === value);
    })
    .map(({ algorithm, value }) => `${algorithm}:${value}`)
    .join(", ");
}

function edgesOnlyIn(here: Side["edges"], there: Side["edges"]): ComparedEdge[] {
  const only = [...here].filter(([key]) => !there.has(key)).map(([, edge]) => edge);
  return inOrder(only, ({ from, to }) => `${from}\u0000${to}`);
}

function comparedOf(name: string, { name: spelled, version, ref }: Component): ComparedComponent {
  return { package: name, name: spelled, version, ref };
}

function textOf(component: ComparedComponent): string {
  return `${component.package} ${component.version} ${component.ref}`;
}
