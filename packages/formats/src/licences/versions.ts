import type { LicenceTerm } from "./expression.ts";
import { listedLicences } from "./list.ts";

/** Identifier of a licence with a version: `GPL-2.0-only`, `MPL-1.1`. */
const versioned = /^(?<family>.+?)-(?<version>\d+(?:\.\d+)*)(?<only>-only)?$/;

interface Edition {
  readonly id: string;
  readonly version: readonly number[];
}

let families: ReadonlyMap<string, readonly Edition[]> | undefined;

/** Editions of each family of licences, oldest first; `GPL` and `GPL-only` are told apart by what the list has. */
function editions(): ReadonlyMap<string, readonly Edition[]> {
  if (families !== undefined) return families;
  const made = new Map<string, Edition[]>();
  for (const { id, deprecated } of listedLicences().values()) {
    const { family, version } = versioned.exec(id)?.groups ?? {};
    if (family === undefined || version === undefined || deprecated) continue;
    const edition = { id, version: version.split(".").map(Number) };
    made.set(family, [...(made.get(family) ?? []), edition]);
  }
  for (const list of made.values()) list.sort((a, b) => compare(a.version, b.version));
  families = made;
  return made;
}

/**
 * The licences that "this version or any later one" leaves to choose from, oldest first, with the exception of the
 * term: `GPL-2.0-or-later` is `GPL-2.0-only` or `GPL-3.0-only`. Only the term itself where it gives no choice.
 */
export function choicesOf(term: LicenceTerm): readonly LicenceTerm[] {
  const id = term.id.replace(/-or-later$/, "");
  if (!term.orLater && id === term.id) return [term];
  const { family, version } = versioned.exec(id)?.groups ?? {};
  if (family === undefined || version === undefined) return [{ ...term, orLater: false }];
  const from = version.split(".").map(Number);
  const later = (editions().get(family) ?? []).filter((edition) => compare(edition.version, from) >= 0);
  if (later.length === 0) return [{ ...term, orLater: false }];
  return later.map((edition) => ({ ...term, id: edition.id, orLater: false }));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
