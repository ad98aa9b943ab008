import type { AffectedPackage } from "../advisory.ts";
import type { CompiledAdvisoryDatabase } from "./open.ts";
import { type AdvisoryRecord, recordOf } from "./row.ts";

/** A package that advisories are about. */
export interface ChangedPackage {
  readonly ecosystem: string;
  readonly name: string;
}

/** One row that came, went or differs. */
export interface ChangedAdvisory {
  readonly source: string;
  /** Id of the advisory; CVE of a row of a feed. */
  readonly id: string;
  readonly change: "added" | "changed" | "removed";
}

/** What two databases differ in. */
export interface DatabaseChanges {
  /** Sorted by source and id. */
  readonly advisories: readonly ChangedAdvisory[];
  /** Sorted, each once. */
  readonly packages: readonly ChangedPackage[];
  /** CVEs whose exploitation is told otherwise. Sorted. */
  readonly exploitations: readonly string[];
}

/** Packages whose advisories differ between two databases: whatever else was matched still holds. */
export function changedPackages(
  before: CompiledAdvisoryDatabase | undefined,
  after: CompiledAdvisoryDatabase,
): readonly ChangedPackage[] {
  return databaseChanges(before, after).packages;
}

/**
 * Compares two databases source by source: a part with the same digest is passed over, others are read side by side,
 * as both have their rows in order.
 */
export function databaseChanges(
  before: CompiledAdvisoryDatabase | undefined,
  after: CompiledAdvisoryDatabase,
): DatabaseChanges {
  const gathered = new Gathered();
  const names = new Set([...(before?.footer.sources ?? []), ...after.footer.sources].map(({ name }) => name));
  for (const name of [...names].sort()) {
    const old = before?.footer.sources.find((source) => source.name === name);
    const now = after.footer.sources.find((source) => source.name === name);
    if (old !== undefined && old.region.digest === now?.region.digest) continue;
    const left = before === undefined || old === undefined ? [] : before.rows(old);
    const right = now === undefined ? [] : after.rows(now);
    compareRows(name, left[Symbol.iterator](), right[Symbol.iterator](), gathered);
  }
  return gathered.finish();
}

type StoredRow = ReturnType<CompiledAdvisoryDatabase["rows"]> extends Iterable<infer Row> ? Row : never;

interface Read {
  readonly name: string;
  readonly kind: StoredRow["kind"];
  readonly bytes: Buffer;
  readonly affected: readonly AffectedPackage[];
}

class Gathered {
  readonly #advisories: ChangedAdvisory[] = [];
  readonly #packages = new Map<string, ChangedPackage>();
  readonly #exploitations = new Set<string>();

  add(source: string, change: ChangedAdvisory["change"], ...rows: readonly Read[]): void {
    for (const { kind, name, affected } of rows) {
      if (kind === "exploitation") this.#exploitations.add(name);
      for (const { ecosystem, name: spelled } of affected) {
        this.#packages.set(`${ecosystem}\u0000${spelled}`, { ecosystem, name: spelled });
      }
    }
    const [row] = rows;
    if (row?.kind === "advisory") this.#advisories.push({ source, id: row.name, change });
  }

  finish(): DatabaseChanges {
    const packages = [...this.#packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
    return { advisories: this.#advisories, packages, exploitations: [...this.#exploitations].sort() };
  }
}

function compareRows(source: string, left: Iterator<StoredRow>, right: Iterator<StoredRow>, into: Gathered): void {
  const next = (side: Iterator<StoredRow>): Read | undefined => {
    const { value, done } = side.next();
    return done === true ? undefined : read(value);
  };
  let a = next(left);
  let b = next(right);
  while (a !== undefined || b !== undefined) {
    if (b === undefined || (a !== undefined && a.name < b.name)) {
      if (a !== undefined) into.add(source, "removed", a);
      a = next(left);
    } else if (a === undefined || b.name < a.name) {
      into.add(source, "added", b);
      b = next(right);
    } else {
      if (!a.bytes.equals(b.bytes)) into.add(source, "changed", a, b);
      a = next(left);
      b = next(right);
    }
  }
}

function read({ kind, bytes }: StoredRow): Read {
  const record = recordOf(bytes) as Partial<AdvisoryRecord> & { cve?: string; distribution?: string; version?: string };
  const name = record.id ?? record.cve ?? `${record.distribution} ${record.version}`;
  return { name, kind, bytes, affected: record.affected ?? [] };
}
