import type { LockedPackage } from "@touchmark/formats/lockfiles";
import { attribute, Places } from "./attribution.ts";
import { ContentIndex } from "./content-index.ts";
import { foreignEntries } from "./foreign.ts";
import { matchRecords, type Note, noteDisagreement, noteOtherBytes } from "./match-records.ts";
import { isMetadataOnly, type PackageUnit, PackageUnits } from "./package-unit.ts";
import {
  type Difference,
  type DifferenceEffect,
  type DifferenceName,
  differenceEffects,
  type ReconciledPackage,
  type ReconcileInput,
  type Reconciliation,
  type RefusedMaterial,
} from "./reconciliation.ts";

/**
 * Codes of refused requests that are differences of their own. Nothing came in; but other bytes than the known ones are
 * an alarm, whatever the client made of the refusal, and who asks for what nobody declared is not fully described.
 */
const refusalNames: Readonly<Record<string, DifferenceName>> = {
  GATE_NOT_LOCKED: "asked-not-locked",
  SESSION_COMMIT_UNPINNED: "asked-not-locked",
  GATE_DIGEST_DIFFERS: "locked-digest-differs",
  SESSION_DIGEST_MISMATCH: "locked-digest-differs",
  GATE_BYTES_CHANGED: "same-name-other-bytes",
  MIRROR_IMPORT_CONFLICT: "same-name-other-bytes",
};

/**
 * Compares what lockfiles declare, what was admitted and recorded, and what later steps read, for one fetch step.
 * Pure; linear in files and packages. What differs has a name and an effect (SPEC R1-R5).
 */
export function reconcile(input: ReconcileInput): Reconciliation {
  const found = new Map<DifferenceName, Set<string>>();
  const note: Note = (name, item) => {
    const items = found.get(name);
    if (items === undefined) found.set(name, new Set([item]));
    else items.add(item);
  };
  const units = new PackageUnits(input.lockfiles);
  const unlocked = input.policy?.unlocked ?? {};
  matchRecords(units, input.records, { unlocked, commits: new Set(input.commits ?? []) }, note);
  noteOtherBytes(input.records, note);
  noteDisagreement(units.all, note);
  const refused = noteRefusals(input.refused, note);
  const content = new ContentIndex(units.all, input.records, input.contents);
  for (const unit of content.unread) note("content-unknown", unit.label);
  const files = attribute(input, content, new Places(units, content), note);
  const fetched = new Set(units.all.flatMap((unit) => (unit.records.length > 0 ? unit.locked : [])));
  const foreign = foreignEntries(input.lockfiles, (entry) => fetched.has(entry));
  const packages = countPackages(units.all, refused, foreign, note);
  const counts = {
    ...packages,
    ...units.counts,
    unlocked: found.get("fetched-unlocked")?.size ?? 0,
    unknown: found.get("fetched-not-locked")?.size ?? 0,
    ...files,
  };
  const differences = listed(found, input.policy?.effects ?? {});
  return {
    counts,
    differences,
    packages: units.all
      .filter((unit) => unit.records.length > 0 || !unit.locked.every(isMetadataOnly))
      .map(described)
      .sort(byName),
    accounted: differences.every((difference) => difference.effect === "note"),
  };
}

function noteRefusals(refused: readonly RefusedMaterial[], note: Note): ReadonlySet<string> {
  const packages = new Set<string>();
  for (const { url, code, purl } of refused) {
    if (purl !== undefined) packages.add(purl);
    const name = refusalNames[code];
    if (name !== undefined) note(name, `${purl ?? url} (refused: ${code})`);
  }
  return packages;
}

function countPackages(
  units: readonly PackageUnit[],
  refused: ReadonlySet<string>,
  foreign: ReadonlySet<LockedPackage>,
  note: Note,
) {
  const counts = { locked: 0, fetched: 0, otherPlatforms: 0, optional: 0, notFetched: 0, neverUsed: 0 };
  for (const unit of units) {
    const isFetched = unit.records.length > 0;
    if (isFetched && unit.usedFiles === 0) {
      counts.neverUsed += 1;
      note("never-used", unit.label);
    }
    if (unit.locked.length === 0 || (!isFetched && unit.locked.every(isMetadataOnly))) continue;
    counts.locked += 1;
    if (isFetched) counts.fetched += 1;
    else if (refused.has(unit.label)) {
      counts.notFetched += 1;
      note("locked-refused", unit.label);
    } else if (unit.locked.every((entry) => foreign.has(entry))) {
      counts.otherPlatforms += 1;
      note("other-platform-not-fetched", unit.label);
    } else if (
      unit.locked.every(({ scope, platform }) => scope === "optional" || scope === "peer" || platform !== undefined)
    ) {
      counts.optional += 1;
      note("optional-not-fetched", unit.label);
    } else {
      counts.notFetched += 1;
      note("locked-not-fetched", unit.label);
    }
  }
  return counts;
}

const strength: readonly DifferenceEffect[] = ["refuse", "not-hermetic", "note"];

function listed(
  found: ReadonlyMap<DifferenceName, ReadonlySet<string>>,
  wanted: Readonly<Partial<Record<DifferenceName, DifferenceEffect>>>,
): Difference[] {
  const differences: Difference[] = [];
  for (const effect of strength) {
    for (const [name, usual] of Object.entries(differenceEffects) as [DifferenceName, DifferenceEffect][]) {
      const items = found.get(name);
      const asked = wanted[name] ?? usual;
      const real = strength.indexOf(asked) < strength.indexOf(usual) ? asked : usual;
      if (items !== undefined && real === effect) differences.push({ name, effect, items: [...items].sort() });
    }
  }
  return differences;
}

function described(unit: PackageUnit): ReconciledPackage {
  return {
    package: unit.label,
    locked: unit.locked.length > 0,
    fetched: unit.records.length > 0,
    digests: [...new Set(unit.records.map((record) => record.digest))].sort(),
    usedFiles: unit.usedFiles,
    usedBy: [...unit.usedBy].sort(),
  };
}

function byName(one: ReconciledPackage, other: ReconciledPackage): number {
  return one.package < other.package ? -1 : one.package > other.package ? 1 : 0;
}
