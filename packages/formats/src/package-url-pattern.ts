/**
 * True when a pattern (`pkg:npm/@org/*`, `pkg:pypi/name@1.*`, `*`) covers a package URL. `*` stands for any text. A
 * pattern without version covers every version; qualifiers and subpath of the package do not count.
 */
export function coversPackage(pattern: string, purl: string): boolean {
  if (pattern === "*") return true;
  const wanted = split(pattern);
  const found = split(purl);
  if (!coversText(wanted.named, found.named)) return false;
  return wanted.version === undefined || (found.version !== undefined && coversText(wanted.version, found.version));
}

/** True when a pattern states a version, and so covers no later one by accident. */
export function namesVersion(pattern: string): boolean {
  return split(pattern).version !== undefined;
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

/** True when a text fits a pattern in which `*` stands for any text. Without backtracking: the parts follow in order. */
export function coversText(pattern: string, text: string): boolean {
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
