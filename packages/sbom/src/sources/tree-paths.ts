import { PathSet, pathHash } from "./path-set.ts";

/** What one layer has and hides. A directory source is one layer. */
interface LayerPaths {
  readonly directories: PathSet;
  readonly others: PathSet;
  /** Paths that it takes away from the layers below it, with everything under them. */
  readonly hidden: PathSet;
  /** Directories whose whole content it takes away from the layers below it. */
  readonly opaque: PathSet;
  /** Directory number and hash of each regular file, in turns: what a count of the living ones needs. */
  readonly files: number[];
}

const linkDepth = 6;

/** Which entries a tree has, over its layers, without keeping their paths. */
export class TreePaths {
  readonly #layers: LayerPaths[] = [];
  readonly #directoryNumbers = new Map<string, number>();
  /** Links by path: those near the root, which is where directories are links. */
  readonly #links = new Map<string, { readonly target: string; readonly layer: number }>();
  readonly #archives = new Set<string>();
  readonly #resolved = new Map<string, string>();

  #at(layer: number): LayerPaths {
    while (this.#layers.length <= layer) {
      this.#layers.push({
        directories: new PathSet(),
        others: new PathSet(),
        hidden: new PathSet(),
        opaque: new PathSet(),
        files: [],
      });
    }
    return this.#layers[layer] as LayerPaths;
  }

  /** Makes a layer known, if only to be empty. */
  layer(layer: number): void {
    this.#at(layer);
  }

  /** Directories that a path lies in, where the archive itself does not name them. */
  parents(path: string, layer: number): void {
    const { directories } = this.#at(layer);
    for (let at = parentOf(path); at !== "" && !directories.has(at); at = parentOf(at)) {
      if (!this.#archives.has(at)) directories.add(at);
    }
  }

  /** Says that paths below `PATH!/` are the content of an archive. */
  archive(path: string): void {
    this.#archives.add(`${path}!`);
  }

  /** The file of the tree itself that a path belongs to: of what lies in an archive, the outermost archive. */
  container(path: string): string {
    for (let at = path.indexOf("!/"); at >= 0; at = path.indexOf("!/", at + 2)) {
      // A directory whose name ends so is none, whatever stands beside it.
      if (!this.#layers.some(({ directories }) => directories.has(path.slice(0, at + 1)))) return path.slice(0, at);
    }
    return path;
  }

  directory(path: string, layer: number): void {
    this.#at(layer).directories.add(path);
  }

  file(path: string, layer: number): void {
    const hash = pathHash(path);
    const { others, files } = this.#at(layer);
    others.addHash(hash);
    const directory = parentOf(path);
    let number = this.#directoryNumbers.get(directory);
    if (number === undefined) {
      number = this.#directoryNumbers.size;
      this.#directoryNumbers.set(directory, number);
    }
    files.push(number, hash);
  }

  /** Devices, pipes and sockets. */
  other(path: string, layer: number): void {
    this.#at(layer).others.add(path);
  }

  link(path: string, target: string, layer: number): void {
    this.#at(layer).others.add(path);
    if (path.split("/", linkDepth + 1).length <= linkDepth) this.#links.set(path, { target, layer });
  }

  /** What a layer takes away from those below it. */
  hide(path: string, layer: number, kind: "entry" | "opaque"): void {
    this.#at(layer)[kind === "entry" ? "hidden" : "opaque"].add(path);
  }

  /** True when no layer above takes away or replaces what `layer` has at this path. */
  lives(path: string, layer: number): boolean {
    for (let above = layer + 1; above < this.#layers.length; above++) if (this.#takes(path, above)) return false;
    return true;
  }

  /** The layer above that takes away or replaces it, when there is one. */
  takenBy(path: string, layer: number): number | undefined {
    for (let above = layer + 1; above < this.#layers.length; above++) if (this.#takes(path, above)) return above;
    return undefined;
  }

  #takes(path: string, layer: number): boolean {
    const { directories, others } = this.#at(layer);
    return others.has(path) || directories.has(path) || this.#hides(path, layer);
  }

  #hides(path: string, layer: number): boolean {
    return this.#at(layer).hidden.has(path) || this.#hidesBelow(parentOf(path), layer);
  }

  /** True when this layer takes away everything below a directory of lower ones. */
  #hidesBelow(directory: string, layer: number): boolean {
    const { hidden, opaque, others } = this.#at(layer);
    if (hidden.size + opaque.size + others.size === 0) return false;
    for (let at = directory; at !== ""; at = parentOf(at)) {
      if (hidden.has(at) || opaque.has(at) || others.has(at)) return true;
    }
    return opaque.has("");
  }

  /** True when the tree has an entry of any kind there, links in its directories followed. */
  exists(path: string): boolean {
    return this.#has(path) || this.#has(this.resolve(path));
  }

  #has(path: string): boolean {
    const hash = pathHash(path);
    for (let layer = this.#layers.length - 1; layer >= 0; layer--) {
      const { directories, others } = this.#at(layer);
      if (others.hasHash(hash) || directories.hasHash(hash)) return true;
      if (this.#hides(path, layer)) return false;
    }
    return false;
  }

  /** Regular files of the tree. */
  count(): number {
    const directories = [...this.#directoryNumbers.keys()];
    let count = 0;
    for (const [layer, { files }] of this.#layers.entries()) {
      const above = this.#layers.slice(layer + 1);
      const gone = directories.map((directory) =>
        above.some((_, index) => this.#hidesBelow(directory, layer + 1 + index)),
      );
      const seen = new PathSet();
      for (let at = 0; at < files.length; at += 2) {
        const [directory, hash] = [files[at] as number, files[at + 1] as number];
        if (gone[directory] === true || seen.hasHash(hash)) continue;
        seen.addHash(hash);
        const taken = above.some(
          ({ others, directories, hidden }) =>
            others.hasHash(hash) || directories.hasHash(hash) || hidden.hasHash(hash),
        );
        if (!taken) count++;
      }
    }
    return count;
  }

  /** The path with the links in its directories followed, within the tree; the last part itself is not followed. */
  resolve(path: string): string {
    const slash = path.lastIndexOf("/");
    if (slash < 0 || this.#links.size === 0) return path;
    const directory = this.#directory(path.slice(0, slash));
    return directory === "" ? path.slice(slash + 1) : `${directory}${path.slice(slash)}`;
  }

  #directory(written: string): string {
    const known = this.#resolved.get(written);
    if (known !== undefined) return known;
    let pending = written.split("/").reverse();
    let done: string[] = [];
    let hops = 0;
    while (pending.length > 0) {
      const part = pending.pop() as string;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        done.pop();
        continue;
      }
      done.push(part);
      const at = done.join("/");
      const link = this.#links.get(at);
      if (link === undefined || !this.lives(at, link.layer)) continue;
      if (++hops > 40 || link.target.length > 4096) break;
      done = link.target.startsWith("/") ? [] : done.slice(0, -1);
      pending = [...pending, ...link.target.split("/").reverse()];
    }
    const resolved = done.join("/");
    if (this.#resolved.size < 1_000_000) this.#resolved.set(written, resolved);
    return resolved;
  }
}

/** The directory that a path lies in; empty for the root, and for what lies in it. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
