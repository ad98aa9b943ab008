import type { Digest } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import { type ContentIndex, emptyContent } from "./content-index.ts";
import { claimsOf, type LayoutClaim } from "./layout.ts";
import type { Note } from "./match-records.ts";
import type { PackageUnit, PackageUnits } from "./package-unit.ts";
import type { ReconcileInput, UsedFile } from "./reconciliation.ts";

/** How many files were attributed how. */
export interface AttributionCounts {
  readonly usedFiles: number;
  readonly usedByContent: number;
  readonly usedByPlace: number;
  readonly usedMade: number;
  readonly outputFiles: number;
  readonly madeFiles: number;
}

/** An output may be the directory itself that packages are laid out in: then its paths lack that directory's name. */
const roots: readonly (readonly [Ecosystem, string])[] = [
  ["npm", "node_modules/"],
  ["pypi", "site-packages/"],
  ["golang", "pkg/mod/"],
  ["maven", "repository/"],
];

/** Finds the package that a path belongs to; remembers directories, since files come in their thousands. */
export class Places {
  readonly #units: PackageUnits;
  readonly #content: ContentIndex;
  readonly #known = new Map<string, readonly PackageUnit[]>();
  readonly #roots: readonly string[];

  constructor(units: PackageUnits, content: ContentIndex) {
    this.#units = units;
    this.#content = content;
    const ecosystems = new Set(units.all.map((unit) => unit.ecosystem));
    this.#roots = roots.filter(([ecosystem]) => ecosystems.has(ecosystem)).map(([, root]) => root);
  }

  /** Empty where the place says nothing; several for the packages of one repository, which come as one. */
  unitsAt(path: string): readonly PackageUnit[] {
    const found = this.#unitsBy(claimsOf(path));
    if (found.length > 0) return found;
    for (const root of this.#roots) {
      const below = this.#unitsBy(claimsOf(`${root}${path.replace(/^\/+/, "")}`));
      if (below.length > 0) return below;
    }
    return [];
  }

  #unitsBy(claims: readonly LayoutClaim[]): readonly PackageUnit[] {
    for (const claim of claims) {
      if (claim.member !== undefined) return this.#content.member(claim.member);
      const key = `${claim.ecosystem} ${claim.place ?? claim.name ?? ""} ${claim.version ?? ""} ${claim.commit ?? ""}`;
      let units = this.#known.get(key);
      if (units === undefined) {
        units = this.#find(claim);
        this.#known.set(key, units);
      }
      if (units.length > 0) return units;
    }
    return [];
  }

  #find({ ecosystem, name, version, place, commit }: LayoutClaim): readonly PackageUnit[] {
    if (commit !== undefined) return this.#units.withCommit(commit, undefined);
    // The key of a lockfile is the end of the place: tried from the whole of it on, so that the deepest lockfile wins.
    for (let rest = place; rest !== undefined && rest !== ""; ) {
      const unit = this.#units.atPlace(rest);
      if (unit !== undefined) return [unit];
      const slash = rest.indexOf("/");
      rest = slash < 0 ? undefined : rest.slice(slash + 1);
    }
    const named = this.#units.named(ecosystem, name ?? "", version);
    const fetched = named.filter((unit) => unit.records.length > 0);
    // Of several versions none can be told from the name alone.
    return fetched.length === 1 ? fetched : named.length === 1 ? named : [];
  }
}

/** Attributes what later steps read to packages: by content first, by place second (SPEC R3). */
export function attribute(input: ReconcileInput, content: ContentIndex, places: Places, note: Note): AttributionCounts {
  const counts = { usedFiles: 0, usedByContent: 0, usedByPlace: 0, usedMade: 0, outputFiles: 0, madeFiles: 0 };
  // What the step left and no archive or source has.
  const own = new Set<Digest>([emptyContent]);
  const source = new Set((input.inputs ?? []).map((entry) => entry.digest));
  for (const { path, kind, digest } of input.made) {
    if (kind !== "file" && kind !== "executable") continue;
    counts.outputFiles += 1;
    if (digest === emptyContent || content.has(digest) || source.has(digest)) continue;
    own.add(digest);
    // Where a package's own content is not known, nobody can say that a file is not of it.
    if (content.unread.size > 0 && places.unitsAt(path).some((unit) => content.unread.has(unit))) continue;
    counts.madeFiles += 1;
    note("made-by-the-step", path);
  }
  const use = (units: readonly PackageUnit[], { step }: UsedFile): void => {
    for (const unit of units) {
      unit.usedFiles += 1;
      unit.usedBy.add(step);
    }
  };
  for (const file of input.used) {
    counts.usedFiles += 1;
    const { digest } = file;
    const holders = digest === undefined ? [] : content.holders(digest);
    if (holders.length > 0) {
      counts.usedByContent += 1;
      // The same licence text is in a hundred packages: the place says which one was meant, else it may be any.
      const placed = holders.length === 1 ? [] : places.unitsAt(file.path).filter((unit) => holders.includes(unit));
      use(placed.length > 0 ? placed : holders, file);
      continue;
    }
    const known = digest !== undefined && (own.has(digest) || content.has(digest) || source.has(digest));
    if (!known) {
      note("read-not-a-material", `${file.path} (${file.digest ?? "no digest"}), read by ${file.step}`);
      continue;
    }
    const placed = places.unitsAt(file.path);
    if (placed.length === 0) counts.usedMade += 1;
    else counts.usedByPlace += 1;
    use(placed, file);
  }
  return counts;
}
