import { lockfileErrors } from "./errors.ts";
import { shown } from "./shape.ts";

/** Where pnpm's references lead, by version of the lockfile. */
export interface PnpmKeys {
  /** Key of the package that a reference in a package's dependencies means; undefined for a directory. */
  keyOf(name: string, reference: string): string | undefined;
  /** A key without the peers that it was resolved with. */
  withoutPeers(key: string): string;
  /** Name and version, or address in the place of a version. @throws LOCKFILE_MALFORMED */
  split(key: string): { readonly name: string; readonly version: string };
}

const isDirectory = (reference: string): boolean => /^(?:link|workspace):/.test(reference);

/** Cuts `(react@18.2.0)(…)` from the end; brackets are balanced. */
function withoutPeers(key: string): string {
  if (!key.endsWith(")")) return key;
  let open = 0;
  for (let at = key.length - 1; at >= 0; at--) {
    if (key[at] === ")") open++;
    else if (key[at] === "(") open--;
    if (open === 0 && key[at - 1] !== ")") return key.slice(0, at);
  }
  return key;
}

function split(key: string): { name: string; version: string } {
  const at = key.indexOf("@", 1);
  if (at < 1) throw lockfileErrors.make("LOCKFILE_MALFORMED", `packages: expected NAME@VERSION, found ${shown(key)}`);
  return { name: key.slice(0, at), version: key.slice(at + 1) };
}

/** Version 9: `name@1.0.0(peer@2.0.0)`. */
export const pnpmKeys9: PnpmKeys = {
  keyOf(name, reference) {
    if (isDirectory(reference)) return undefined;
    if (reference.startsWith("@")) return reference;
    const at = reference.indexOf("@");
    const colon = reference.indexOf(":");
    const bracket = reference.indexOf("(");
    const isKey = at !== -1 && (colon === -1 || at < colon) && (bracket === -1 || at < bracket);
    return isKey ? reference : `${name}@${reference}`;
  },
  withoutPeers,
  split,
};

/** Version 6: `/name@1.0.0(peer@2.0.0)`; packages from elsewhere have an address as their key. */
export const pnpmKeys6: PnpmKeys = {
  keyOf(name, reference) {
    if (isDirectory(reference)) return undefined;
    const bracket = reference.indexOf("(");
    const bare = bracket === -1 ? reference : reference.slice(0, bracket);
    return reference.startsWith("file:") || bare.includes("/") ? reference : `/${name}@${reference}`;
  },
  withoutPeers,
  split: (key) => (key.startsWith("/") ? split(key.slice(1)) : { name: "", version: key }),
};

/** Version 5: `/name/1.0.0_peer@2.0.0`; packages from elsewhere have their host and path as key. */
export const pnpmKeys5: PnpmKeys = {
  keyOf(name, reference) {
    if (isDirectory(reference)) return undefined;
    return reference.startsWith("file:") || reference.includes("/") ? reference : `/${name}/${reference}`;
  },
  withoutPeers(key) {
    if (!key.startsWith("/")) return key;
    const segments = key.split("/");
    const at = segments[1]?.startsWith("@") ? 3 : 2;
    // No version holds an underscore; names may.
    return [...segments.slice(0, at), (segments[at] ?? "").replace(/_.*$/s, "")].join("/");
  },
  split(key) {
    const at = key.startsWith("/") ? key.lastIndexOf("/") : 0;
    return at < 2 ? { name: "", version: key } : { name: key.slice(1, at), version: key.slice(at + 1) };
  },
};
