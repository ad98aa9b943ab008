import type { ListedEntry } from "../unpack/tree-listing.ts";
import { slimErrors } from "./errors.ts";
import { LinkPaths } from "./link-paths.ts";
import { pathSet } from "./path-pattern.ts";

/** What goes and what stays. */
export interface SlimRules {
  /** Patterns of paths that go. */
  readonly remove: readonly string[];
  /** Patterns of paths that stay all the same. */
  readonly keep: readonly string[];
  /** What recorded steps read: every other file goes. Nothing may be missing in the record. */
  readonly used?: { readonly paths: readonly string[]; readonly complete: boolean };
}

/** What stays although no step read it: what names, certificates and packages are looked up in. */
const always = [
  "etc/passwd",
  "etc/group",
  "etc/nsswitch.conf",
  "etc/os-release",
  "usr/lib/os-release",
  "etc/ld.so.cache",
  "etc/ssl/certs",
  "var/lib/dpkg/status",
  "var/lib/dpkg/status.d",
];

/**
 * The paths that go. Directories go with a pattern that names them, when nothing in them stays; links go when what they
 * lead to goes, if the rules are about what was used. @throws SLIM_PATTERN_INVALID | SLIM_TRACE_INCOMPLETE
 */
export function removedPaths(entries: readonly ListedEntry[], rules: SlimRules): ReadonlySet<string> {
  const removes = pathSet(rules.remove);
  const keeps = pathSet(rules.keep);
  const removed = new Set<string>();
  if (rules.used?.complete === false) {
    throw slimErrors.make("SLIM_TRACE_INCOMPLETE", "expected a record that misses nothing, found one with losses");
  }
  const unused = rules.used === undefined ? undefined : unusedPaths(entries, rules.used.paths);
  for (const { path } of entries) {
    if (path !== "" && !keeps(path) && (removes(path) || unused?.has(path) === true)) removed.add(path);
  }
  // A directory stays when anything in it does. Entries are in byte order: what is inside comes after.
  for (let i = entries.length - 1; i >= 0; i--) {
    const path = entries[i]?.path ?? "";
    if (path === "" || removed.has(path)) continue;
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      removed.delete(path.slice(0, cut));
    }
  }
  return removed;
}

function unusedPaths(entries: readonly ListedEntry[], used: readonly string[]): ReadonlySet<string> {
  const links = new LinkPaths(entries);
  const kept = new Set<string>();
  const keep = (path: string) => {
    const end = links.resolve(path, (link) => kept.add(link));
    if (end !== undefined) kept.add(end);
  };
  for (const path of used) keep(path.replace(/^\/+/, ""));
  const isAlways = pathSet(always);
  for (const { path, kind } of entries) if (kind !== "directory" && isAlways(path)) keep(path);
  const directories = new Set(entries.filter(({ kind }) => kind === "directory").map(({ path }) => path));
  const unused = new Set<string>();
  for (const { path, kind } of entries) {
    if (kind === "directory" || kept.has(path)) continue;
    const end = kind === "symlink" ? links.resolve(path) : undefined;
    // Links to what stays cost nothing, and names that programs are called by are such links.
    if (end !== undefined && (kept.has(end) || directories.has(end))) continue;
    unused.add(path);
  }
  return unused;
}
