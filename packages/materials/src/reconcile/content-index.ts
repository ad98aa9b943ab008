import type { Digest } from "@touchmark/core";
import type { MaterialRecord } from "../material.ts";
import { bringsPackage } from "./match-records.ts";
import type { PackageUnit } from "./package-unit.ts";
import type { ReconcileInput } from "./reconciliation.ts";

/** SHA-256 of nothing: every second package has an empty file, and it says nothing of where it comes from. */
export const emptyContent: Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Which packages hold which content. */
export class ContentIndex {
  readonly #holders = new Map<Digest, PackageUnit | Set<PackageUnit>>();
  readonly #bodies = new Set<Digest>();
  /** By path inside the archive, where archives unpack into one directory. */
  readonly #members = new Map<string, PackageUnit | null>();
  readonly #unread = new Set<PackageUnit>();

  constructor(units: readonly PackageUnit[], records: readonly MaterialRecord[], contents: ReconcileInput["contents"]) {
    for (const record of records) this.#bodies.add(record.digest);
    for (const unit of units) {
      for (const digest of new Set(unit.records.filter(bringsPackage).map((record) => record.digest))) {
        this.#hold(digest, unit);
        const members = contents(digest);
        if (members === undefined) this.#unread.add(unit);
        else this.#read(unit, members);
      }
    }
  }

  #read(unit: PackageUnit, members: ReadonlyMap<string, string>): void {
    for (const [path, digest] of members) {
      this.#hold(`sha256:${digest}`, unit);
      if (unit.ecosystem === "pypi") {
        const place = path.replace(/^[^/]+\.data\/(?:purelib|platlib)\//, "");
        const slash = place.indexOf("/");
        claim(this.#members, place, unit);
        // The first directory of a wheel is most often its alone: then it says whose a file is that no archive has.
        if (slash > 0) claim(this.#members, place.slice(0, slash + 1), unit);
      }
    }
  }

  #hold(digest: Digest, unit: PackageUnit): void {
    if (digest === emptyContent) return;
    const held = this.#holders.get(digest);
    if (held === undefined) this.#holders.set(digest, unit);
    else if (held instanceof Set) held.add(unit);
    else if (held !== unit) this.#holders.set(digest, new Set([held, unit]));
  }

  /** Packages whose archives hold this content, in no order. */
  holders(digest: Digest): readonly PackageUnit[] {
    const held = this.#holders.get(digest);
    return held === undefined ? [] : held instanceof Set ? [...held] : [held];
  }

  /** True for the content of an admitted answer, or of a file in an admitted archive. */
  has(digest: Digest): boolean {
    return this.#holders.has(digest) || this.#bodies.has(digest);
  }

  /** The package that alone puts a file at a path of a shared directory, or that alone has the first directory there. */
  member(path: string): readonly PackageUnit[] {
    const unit = this.#members.get(path) ?? this.#members.get(path.slice(0, path.indexOf("/") + 1));
    return unit === undefined || unit === null ? [] : [unit];
  }

  /** Packages of which some body could not be read as an archive. */
  get unread(): ReadonlySet<PackageUnit> {
    return this.#unread;
  }
}

/** Of a place that two packages claim, neither is told. */
function claim(places: Map<string, PackageUnit | null>, place: string, unit: PackageUnit): void {
  const other = places.get(place);
  places.set(place, other === undefined || other === unit ? unit : null);
}
