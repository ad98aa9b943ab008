import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedEntry } from "../unpack/tree-listing.ts";
import { LinkPaths } from "./link-paths.ts";

/** A Debian package as the image's own database has it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Which package owns which path, by the database in the image. Nothing of it is verified: it is what the image says. */
export interface DebianOwners {
  readonly packages: readonly DebianPackage[];
  /** By path without a leading slash, links of directories followed; position in `packages`. */
  readonly owners: ReadonlyMap<string, number>;
}

const MAX_FILE = 64 * 1024 * 1024;
const MAX_PACKAGES = 100_000;
const INFO = "var/lib/dpkg/info/";
/** Distroless images have a file for each package instead. */
const STATUS = /^var\/lib\/dpkg\/(?:status|status\.d\/[^/]+)$/;

/** Reads the database of an unpacked image; empty where there is none. */
export function debianOwners(directory: string, entries: readonly ListedEntry[]): DebianOwners {
  const files = new Map(
    entries.filter(({ kind, size }) => kind === "file" && size <= MAX_FILE).map(({ path }) => [path, path]),
  );
  const read = (path: string) => readFileSync(join(directory, path), "utf8");
  const packages: DebianPackage[] = [];
  const known = new Map<string, number>();
  const lists: (readonly [packageAt: number, text: string])[] = [];
  for (const path of files.keys()) {
    if (!STATUS.test(path) || path.endsWith(".md5sums")) continue;
    for (const found of stanzas(read(path))) {
      if (packages.length >= MAX_PACKAGES || known.has(`${found.name}:${found.architecture}`)) continue;
      known.set(`${found.name}:${found.architecture}`, packages.length);
      if (!known.has(found.name)) known.set(found.name, packages.length);
      const sums = files.get(`${path}.md5sums`);
      if (sums !== undefined) lists.push([packages.length, read(sums).replace(/^[0-9a-f]{32} {2}/gm, "/")]);
      packages.push(found);
    }
  }
  for (const path of files.keys()) {
    if (!path.startsWith(INFO) || !path.endsWith(".list")) continue;
    const at = known.get(path.slice(INFO.length, -".list".length));
    if (at !== undefined) lists.push([at, read(path)]);
  }
  const links = new LinkPaths(entries);
  const owners = new Map<string, number>();
  for (const [at, text] of lists) {
    for (const line of text.split("\n")) {
      if (!line.startsWith("/") || line === "/.") continue;
      const path = canonical(line.slice(1), links);
      if (!owners.has(path)) owners.set(path, at);
    }
  }
  return { packages, owners };
}

/** dpkg says /lib/x where a merged system has usr/lib/x: the directory is followed, the last part is not. */
function canonical(path: string, links: LinkPaths): string {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return path;
  const parent = links.resolve(path.slice(0, slash));
  return parent === undefined ? path : `${parent === "" ? "" : `${parent}/`}${path.slice(slash + 1)}`;
}

function* stanzas(text: string): Generator<DebianPackage> {
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string) => new RegExp(`^${name}: ([^\\s]{1,256})[ \\t]*$`, "m").exec(stanza)?.[1];
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    if (name === undefined || version === undefined || architecture === undefined) continue;
    // Removed packages leave a stanza with their configuration.
    if (/^Status: /m.test(stanza) && !/^Status: \S+ \S+ installed[ \t]*$/m.test(stanza)) continue;
    yield { name, version, architecture };
  }
}
