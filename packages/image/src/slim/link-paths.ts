import type { ListedEntry } from "../unpack/tree-listing.ts";

const MAX_LINKS = 40;

/** Where paths of an unpacked image lead, links followed within it, as a program in it would see them. */
export class LinkPaths {
  readonly #entries: ReadonlyMap<string, ListedEntry>;

  constructor(entries: readonly ListedEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
  }

  /**
   * The path without links. `through` takes every link on the way, each as the path that it has.
   * Undefined when it leads nowhere.
   */
  resolve(path: string, through?: (link: string) => void): string | undefined {
    const parts = path.split("/").reverse();
    let at: string[] = [];
    let links = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at.pop();
        continue;
      }
      const here = [...at, part].join("/");
      const entry = this.#entries.get(here);
      if (entry === undefined) return undefined;
      if (entry.kind !== "symlink") {
        at.push(part);
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      through?.(here);
      const target = entry.target ?? "";
      if (target.startsWith("/")) at = [];
      parts.push(...target.split("/").reverse());
    }
    return at.join("/");
  }
}
