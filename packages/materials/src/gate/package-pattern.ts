import type { Ecosystem } from "@touchmark/formats/lockfiles";

/**
 * True when a pattern (`pkg:npm/@org/*`, `pkg:pypi/name@1.*`, `*`) covers a package URL. `*` stands for any text. A
 * pattern without version covers every version; qualifiers and subpath of the package do not count.
 */
export function coversPackage(pattern: string, purl: string): boolean {
  if (pattern === "*") return true;
  const wanted = split(pattern);
  const found = split(purl);
  if (!glob(wanted.named, found.named)) return false;
  return wanted.version === undefined || (found.version !== undefined && glob(wanted.version, found.version));
}

/** True when a pattern states a version, and so covers no later one by accident. */
export function namesVersion(pattern: string): boolean {
  return split(pattern).version !== undefined;
}

/**
 * True when a name pattern of an ecosystem (`@org/*`, `com.example.*`, `example.com/team/*`) covers a package name.
 * For Maven a pattern without `:` speaks of the group: `com.example.*` covers that group and those below it.
 */
export function coversName(pattern: string, name: string, ecosystem: Ecosystem): boolean {
  const given = comparableName(ecosystem, name);
  const wanted = comparableName(ecosystem, pattern);
  if (ecosystem === "maven" && !wanted.includes(":")) {
    const group = given.split(":")[0] ?? "";
    return glob(wanted, group) || (wanted.endsWith(".*") && group === wanted.slice(0, -2));
  }
  if (ecosystem === "golang" && wanted.endsWith("/*") && given === wanted.slice(0, -2)) return true;
  return glob(wanted, given);
}

/** A name in the one spelling under which its ecosystem compares it. */
export function comparableName(ecosystem: Ecosystem, name: string): string {
  switch (ecosystem) {
    case "pypi":
      return name.toLowerCase().replace(/[-_.]+/g, "-");
    case "cargo":
      return name.toLowerCase().replace(/_/g, "-");
    // Served case-insensitively by some repositories: a scope must not be left by writing it in capitals.
    case "npm":
    case "maven":
    case "deb":
      return name.toLowerCase();
    default:
      return name;
  }
}

function split(purl: string): { named: string; version?: string } {
  const plain = purl.split(/[?#]/, 1)[0] ?? "";
  const lastSlash = plain.lastIndexOf("/");
  const at = plain.indexOf("@", lastSlash + 2);
  const named = decode(at === -1 ? plain : plain.slice(0, at));
  return at === -1 ? { named } : { named, version: decode(plain.slice(at + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Matches without backtracking: text between stars must follow in order. */
function glob(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  if (parts.length === 1) return pattern === text;
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= text.length - last.length;
}
