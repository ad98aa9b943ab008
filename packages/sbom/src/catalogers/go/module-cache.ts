import { isFactoryError } from "@touchmark/core";
import { readGoModule } from "@touchmark/formats/lockfiles";
import type { CollectedFile } from "../../catalogue/cataloger.ts";

const place = /(?:^|\/)cache\/download\/(.+)\/@v\/(v[^/]+)\.mod$/;
const largest = 16 * 1024 * 1024;

/** True for a go.mod in the download cache of the go command. */
export function isCachedModule(path: string): boolean {
  return place.test(path);
}

/** True for what lies inside an unpacked module of the module cache: files of a dependency, which lock nothing here. */
export function isInModuleCache(path: string): boolean {
  return /@v\d[^/]*\//.test(path);
}

/** What modules require themselves, by `PATH@VERSION`, from the go.mod files in a download cache. */
export class ModuleCache {
  readonly #files = new Map<string, CollectedFile>();
  readonly #known = new Map<string, readonly string[] | undefined>();

  constructor(files: readonly CollectedFile[]) {
    for (const file of files) {
      const [, path, version] = place.exec(file.path) ?? [];
      if (path !== undefined && version !== undefined)
        this.#files.set(`${unescaped(path)}@${unescaped(version)}`, file);
    }
  }

  /** Paths of the modules whose packages it imports itself; undefined where its go.mod is not there. */
  requires(module: string): readonly string[] | undefined {
    if (!this.#known.has(module)) this.#known.set(module, this.#read(module));
    return this.#known.get(module);
  }

  #read(module: string): readonly string[] | undefined {
    const file = this.#files.get(module);
    if (file === undefined) return undefined;
    try {
      const { require } = readGoModule(Buffer.from(file.bytes(largest)).toString("utf8"));
      return require.filter(({ indirect }) => !indirect).map(({ path }) => path);
    } catch (error) {
      // The cache is no part of what is scanned: a file that is not read leaves its edges unknown.
      if (!isFactoryError(error)) throw error;
      return undefined;
    }
  }
}

/** Capital letters are written as `!` and the small one, for file systems that do not tell them apart. */
function unescaped(path: string): string {
  return path.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
