import type { Ecosystem } from "@touchmark/formats/lockfiles";

/** What the place of a file says of the package that it belongs to. */
export interface LayoutClaim {
  readonly ecosystem: Ecosystem;
  /** As the directory has it; an alias, where the project uses one. Absent where only a commit or a member is known. */
  readonly name?: string;
  readonly version?: string;
  /** Directory of the package in npm's tree: the end of it is the key of a lockfile. */
  readonly place?: string;
  /** Beginning of a commit. */
  readonly commit?: string;
  /** Path as it is inside the package's archive, for ecosystems that unpack several packages into one directory. */
  readonly member?: string;
}

/**
 * What a path says, by the layouts that package managers unpack into: npm's tree, pnpm's and yarn's stores, Python's
 * site directories, Go's module cache, Cargo's registry, git checkouts and vendored crates, Maven's repository, Debian's
 * archives (SPEC R3). Several claims where a place is ambiguous; the first that names a known package counts.
 */
export function claimsOf(path: string): readonly LayoutClaim[] {
  for (const read of [npm, yarn, python, go, cargo, maven, debian, vendored]) {
    const claims = read(path);
    if (claims.length > 0) return claims;
  }
  return [];
}

/** What follows the last occurrence of a directory in a path. */
function below(path: string, directory: string): string | undefined {
  const at = path.lastIndexOf(directory);
  return at < 0 || (at > 0 && path[at - 1] !== "/") ? undefined : path.slice(at + directory.length);
}

function npm(path: string): readonly LayoutClaim[] {
  const rest = below(path, "node_modules/");
  if (rest === undefined) return [];
  const [first = "", second = ""] = rest.split("/", 2);
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  // Directories of the clients' own: .bin, .pnpm, .cache; and files that lie beside the packages.
  if (name.startsWith(".") || name === "") return [];
  const place = path.slice(0, path.length - rest.length) + name;
  const store = /(?:^|\/)node_modules\/\.pnpm\/([^/]+)\/node_modules\/$/.exec(path.slice(0, path.length - rest.length));
  const stored = store?.[1] === undefined ? undefined : pnpmDirectory(store[1]);
  if (stored !== undefined && stored.name === name) return [{ ecosystem: "npm", ...stored }];
  return [{ ecosystem: "npm", name, place }];
}

/** `NAME@VERSION`, with `+` for the slash of a scope and peers behind `_` or `(`. */
function pnpmDirectory(directory: string): { name: string; version: string } | undefined {
  const at = directory.indexOf("@", 1);
  if (at < 0) return undefined;
  return { name: directory.slice(0, at).replace("+", "/"), version: directory.slice(at + 1).replace(/[_(].*$/, "") };
}

function yarn(path: string): readonly LayoutClaim[] {
  const [, spelled, version] =
    /(?:^|\/)\.yarn\/(?:cache|unplugged)\/(.+?)-npm-([^/]+?)-[0-9a-f]{8,10}(?:-[0-9]+)?[./]/.exec(path) ?? [];
  if (spelled === undefined || version === undefined) return [];
  if (!spelled.startsWith("@")) return [{ ecosystem: "npm", name: spelled, version }];
  // The slash of a scope is a hyphen there, as others may be.
  const parts = spelled.split("-");
  return parts.slice(1).map((_, index) => ({
    ecosystem: "npm",
    name: `${parts.slice(0, index + 1).join("-")}/${parts.slice(index + 1).join("-")}`,
    version,
  }));
}

function python(path: string): readonly LayoutClaim[] {
  const member = below(path, "site-packages/") ?? below(path, "dist-packages/");
  if (member === undefined) return [];
  const [, name, version] = /^([^/]+?)-([^/-]+)\.(?:dist-info|egg-info|data)(?:\/|$)/.exec(member) ?? [];
  if (name !== undefined && version !== undefined) return [{ ecosystem: "pypi", name, version }];
  return [{ ecosystem: "pypi", member: member.replace(/(^|\/)__pycache__\/([^/]+?)\.cpython-[^/]+\.pyc$/, "$1$2.py") }];
}

function go(path: string): readonly LayoutClaim[] {
  const rest = below(path, "pkg/mod/");
  if (rest === undefined) return [];
  const [, module, version] =
    /^cache\/download\/(.+)\/@v\/([^/]+)\.[a-z]+$/.exec(rest) ?? /^(?!cache\/)(.+?)@([^/]+)\//.exec(rest) ?? [];
  if (module === undefined || version === undefined) return [];
  return [{ ecosystem: "golang", name: unescaped(module), version: unescaped(version) }];
}

/** The module cache writes capitals as `!` and the small letter. */
function unescaped(text: string): string {
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const crate = /^(.+?)-(\d+\.\d+\.\d+[^/]*)$/;

function cargo(path: string): readonly LayoutClaim[] {
  const kept = below(path, "registry/src/") ?? below(path, "registry/cache/");
  if (kept !== undefined) {
    const [, name, version] = crate.exec((kept.split("/")[1] ?? "").replace(/\.crate$/, "")) ?? [];
    return name === undefined || version === undefined ? [] : [{ ecosystem: "cargo", name, version }];
  }
  const commit = /^[^/]+\/([0-9a-f]{7,40})\//.exec(below(path, "git/checkouts/") ?? "")?.[1];
  return commit === undefined ? [] : [{ ecosystem: "cargo", commit }];
}

function maven(path: string): readonly LayoutClaim[] {
  const rest = below(path, "repository/");
  const parts = rest?.split("/") ?? [];
  const [file = "", version = "", artifact = ""] = [parts.at(-1), parts.at(-2), parts.at(-3)];
  if (parts.length < 4 || !file.startsWith(`${artifact}-`)) return [];
  return [{ ecosystem: "maven", name: `${parts.slice(0, -3).join(".")}:${artifact}`, version }];
}

function debian(path: string): readonly LayoutClaim[] {
  const [, name, version] = /(?:^|\/)([a-z0-9][a-z0-9+.-]+)_([^_/]+)_[a-z0-9]+\.deb$/.exec(path) ?? [];
  return name === undefined || version === undefined
    ? []
    : [{ ecosystem: "deb", name, version: version.replace(/%3a/gi, ":") }];
}

/** `vendor/` is Go's and Cargo's: a module has its whole path there, a crate its name, with or without version. */
function vendored(path: string): readonly LayoutClaim[] {
  const rest = below(path, "vendor/");
  if (rest === undefined) return [];
  const [first = "", ...more] = rest.split("/");
  if (more.length === 0) return [];
  const claims: LayoutClaim[] = [];
  const [, name, version] = crate.exec(first) ?? [];
  if (name !== undefined && version !== undefined) claims.push({ ecosystem: "cargo", name, version });
  claims.push({ ecosystem: "cargo", name: first });
  // The longest path first: a module may lie below another.
  for (let depth = Math.min(more.length, 8); depth >= 1; depth -= 1) {
    claims.push({ ecosystem: "golang", name: [first, ...more.slice(0, depth - 1)].join("/") });
  }
  return claims;
}
