import type { CollectedTree } from "../sources/scanned-tree.ts";
import type { Found, FoundComponent } from "./cataloger.ts";

/** Types of packages whose records say which files of the system are theirs. */
const systemTypes = new Set(["deb", "apk", "rpm", "alpm"]);

/** True for a package of a distribution. */
export function isSystemPackage(component: { readonly type: string }): boolean {
  return systemTypes.has(component.type);
}

/** Whose a file is, by the records of the packages that were found. */
export class Ownership {
  /** Whether some distribution's records of files were there to measure by. */
  readonly hasRecords: boolean;
  readonly #bySystem = new Map<string, FoundComponent>();
  readonly #byOthers = new Set<string>();
  readonly #belowSystem = new Map<string, FoundComponent>();
  readonly #belowOthers = new Set<string>();
  readonly #resolve: (path: string) => string;
  readonly #container: (path: string) => string;

  constructor(found: readonly Found[], collected: CollectedTree) {
    this.#resolve = (path) => collected.resolve(path);
    this.#container = (path) => collected.container(path);
    let hasRecords = false;
    for (const { components } of found) {
      for (const component of components) {
        const isSystem = isSystemPackage(component);
        hasRecords ||= isSystem;
        for (const path of component.owns ?? []) this.#own(path, component, isSystem);
        for (const path of component.ownsBelow ?? []) {
          if (isSystem) this.#belowSystem.set(this.#resolve(path), component);
          else this.#belowOthers.add(this.#resolve(path));
        }
      }
    }
    this.hasRecords = hasRecords;
  }

  #own(path: string, component: FoundComponent, isSystem: boolean): void {
    const at = this.#resolve(path);
    if (!isSystem) this.#byOthers.add(at);
    else if (!this.#bySystem.has(at)) this.#bySystem.set(at, component);
  }

  /** The distribution's package that a file belongs to; of an archive's content, the archive's. */
  systemOwner(path: string): FoundComponent | undefined {
    const file = this.#container(path);
    return this.#bySystem.get(file) ?? above(file, (directory) => this.#belowSystem.get(directory));
  }

  /** True when any component's records claim it. */
  isOwned(path: string): boolean {
    if (this.#bySystem.has(path) || this.#byOthers.has(path)) return true;
    return (
      above(path, (directory) =>
        this.#belowSystem.has(directory) || this.#belowOthers.has(directory) ? true : undefined,
      ) ?? false
    );
  }

  /**
   * The distribution's package that a component of another kind came with: all places that it was found at belong to it.
   */
  ownerOf(component: FoundComponent): FoundComponent | undefined {
    if (isSystemPackage(component) || component.occurrences.length === 0) return undefined;
    const owners = new Set(component.occurrences.map(({ path }) => this.systemOwner(path)));
    return owners.size === 1 ? [...owners][0] : undefined;
  }
}

/** The first answer for the directories that a path lies in, nearest first. */
function above<T>(path: string, ask: (directory: string) => T | undefined): T | undefined {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const answer = ask(path.slice(0, slash));
    if (answer !== undefined) return answer;
  }
  return undefined;
}
