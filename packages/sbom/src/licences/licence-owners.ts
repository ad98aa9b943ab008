import type { Found, FoundComponent } from "../catalogue/cataloger.ts";

/** Files that describe the one package of the directory that they lie in. */
const manifests =
  /^(?:package\.json|PKG-INFO|METADATA|Cargo\.toml|composer\.json|go\.mod|pom\.xml)$|\.(?:gemspec|nuspec)$/;

/** Directories of a system in which each package has one of its own, by its name. */
const systemPlaces: readonly (readonly [place: RegExp, types: ReadonlySet<string>])[] = [
  [/^usr\/share\/doc\/([^/]+)\/copyright$/, new Set(["deb"])],
  [/^usr\/share\/licenses\/([^/]+)\//, new Set(["apk", "rpm", "alpm"])],
  [/^usr\/share\/doc\/([^/]+)\/[^/]+$/, new Set(["apk", "rpm"])],
];

/** Directories in which packages lie under their names: `vendor` of Go and Composer, `node_modules`. */
const namedPlaces: readonly (readonly [marker: string, types: ReadonlySet<string>])[] = [
  ["vendor/", new Set(["golang", "composer"])],
  ["pkg/mod/", new Set(["golang"])],
];

/** Whose a file of a licence is, by what catalogers say of their components. */
export class LicenceOwners {
  readonly #files = new Map<string, FoundComponent[]>();
  readonly #directories = new Map<string, FoundComponent[]>();
  readonly #byName = new Map<string, FoundComponent[]>();

  constructor(found: readonly Found[]) {
    for (const component of found.flatMap(({ components }) => components)) {
      for (const path of component.owns ?? []) add(this.#files, path, component);
      for (const path of component.ownsBelow ?? []) add(this.#directories, path, component);
      for (const { path } of component.occurrences) {
        const slash = path.lastIndexOf("/");
        if (manifests.test(path.slice(slash + 1)) && !path.includes("!/")) {
          add(this.#directories, path.slice(0, Math.max(0, slash)), component);
        }
      }
      add(this.#byName, `${component.type} ${component.name}`, component);
    }
  }

  /** The components that a file belongs to; none where nobody says. */
  of(path: string): readonly FoundComponent[] {
    const owned = this.#files.get(path) ?? this.#system(path) ?? this.#named(path);
    if (owned !== undefined) return owned;
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
      const components = this.#directories.get(path.slice(0, end));
      if (components !== undefined) return components;
      // What lies in a package that nobody found is not the one's around it.
      if (/(?:^|\/)(?:node_modules|vendor|site-packages|dist-packages)$/.test(path.slice(0, end))) return [];
    }
    return path.includes("/") && !isShallow(path) ? [] : (this.#directories.get("") ?? []);
  }

  #system(path: string): readonly FoundComponent[] | undefined {
    for (const [place, types] of systemPlaces) {
      const name = place.exec(path)?.[1];
      if (name === undefined) continue;
      const found = [...types].flatMap((type) => this.#byName.get(`${type} ${name}`) ?? []);
      if (found.length > 0) return found;
    }
    return undefined;
  }

  #named(path: string): readonly FoundComponent[] | undefined {
    for (const [marker, types] of namedPlaces) {
      const at = `/${path}`.lastIndexOf(`/${marker}`);
      if (at < 0) continue;
      const below = path.slice(at + marker.length).split("/");
      // Names of Go modules have many segments: the longest that is known is the module.
      for (let length = Math.min(below.length - 1, 12); length > 0; length--) {
        // `!a` stands for `A` in the module cache, and the version behind `@`.
        const plain = below
          .slice(0, length)
          .join("/")
          .replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
        const [name = "", version] = plain.split("@");
        const found = [...types]
          .flatMap((type) => this.#byName.get(`${type} ${name}`) ?? [])
          .filter((component) => version === undefined || component.version === version);
        if (found.length > 0) return found;
      }
    }
    return undefined;
  }
}

/** Directly below the top: of the project itself. */
function isShallow(path: string): boolean {
  return path.split("/").length <= 2;
}

function add(map: Map<string, FoundComponent[]>, key: string, component: FoundComponent): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [component]);
  else if (!list.includes(component)) list.push(component);
}
