import type { MaterialRecord } from "../material.ts";
import { bringsPackage } from "./match-records.ts";
import type { PackageUnit } from "./package-unit.ts";
import type { ReconcileInput } from "./reconciliation.ts";

/** SHA-256 of nothing: every second package has an empty file, and it says nothing of where it comes from. */
export const emptyContent = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Which packages hold which content. */
export class ContentIndex {
  readonly #holders = new Map<string, PackageUnit | Set<PackageUnit>>();
  readonly #bodies = new Set<string>();
  /** By path inside the archive, where archives unpack into one directory. */
  readonly #members = new Map<string, PackageUnit>();
  readonly #unread = new Set<PackageUnit>();

  constructor(units: readonly PackageUnit[], records: readonly MaterialRecord[], contents: ReconcileInput["contents"]) {
    for (const record of records) this.#bodies.add(record.digest.slice("sha256:".length));
    for (const unit of units) {
      for (const digest of new Set(unit.records.filter(bringsPackage).map((record) => record.digest))) {
        this.#hold(digest.slice("sha256:".length), unit);
        const members = contents(digest);
        if (members === undefined) this.#unread.add(unit);
        else this.#read(unit, members);
      }
    }
  }

  #read(unit: PackageUnit, members: ReadonlyMap<string, string>): void {
    for (const [path, digest] of members) {
      this.#hold(digest, unit);
      if (unit.ecosystem === "pypi") {
        this.#members.set(path.replace(/^[^/]+\.data\/(?:purelib|platlib)\//, ""), unit);
        this.#topLevel(path, unit);
      }
    }
  }

  /** The first directory of a wheel is most often its alone; then it says whose a file is that no archive has. */
  #topLevel(path: string, unit: PackageUnit): void {
    const slash = path.indexOf("/");
    if (slash <= 0) return;
    const key = path.slice(0, slash + 1);
    const other = this.#tops.get(key);
    this.#tops.set(key, other === undefined || other === unit ? unit : null);
  }
  readonly #tops = new Map<string, PackageUnit | null>();

  #hold(digest: string, unit: PackageUnit): void {
    if (digest === emptyContent) return;
    const held = this.#holders.get(digest);
    if (held === undefined) this.#holders.set(digest, unit);
    else if (held instanceof Set) held.add(unit);
    else if (held !== unit) this.#holders.set(digest, new Set([held, unit]));
  }

  /** Packages whose archives hold this content, in no order. */
  holders(digest: string): readonly PackageUnit[] {
    const held = this.#holders.get(digest);
    return held === undefined ? [] : held instanceof Set ? [...held] : [held];
  }

  /** True for the content of an admitted answer, or of a file in an admitted archive. */
  has(digest: string): boolean {
    return this.#holders.has(digest) || this.#bodies.has(digest);
  }

  /** The package that puts a file at a path of a shared directory, or its first directory there. */
  member(path: string): PackageUnit | undefined {
    return this.#members.get(path) ?? this.#tops.get(path.slice(0, path.indexOf("/") + 1)) ?? undefined;
  }

  /** Packages of which some body could not be read as an archive. */
  get unread(): ReadonlySet<PackageUnit> {
    return this.#unread;
  }
}
