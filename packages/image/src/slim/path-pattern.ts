import { slimErrors } from "./errors.ts";

const MAX_PATTERN = 512;
const MAX_STARS = 12;

/**
 * A set of paths by patterns: `*` and `?` within a name, `**` for any depth. What lies below a path that matches is in it
 * too. @throws SLIM_PATTERN_INVALID
 */
export function pathSet(patterns: readonly string[]): (path: string) => boolean {
  const plain = new Set<string>();
  const others: (readonly string[])[] = [];
  for (const pattern of patterns) {
    const path = checked(pattern);
    if (/[*?]/.test(path)) others.push(path.split("/"));
    else plain.add(path);
  }
  return (path) => {
    if (plain.size > 0) {
      if (plain.has(path)) return true;
      for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
        if (plain.has(path.slice(0, cut))) return true;
      }
    }
    if (others.length === 0) return false;
    const parts = path.split("/");
    return others.some((pattern) => beginsLike(parts, pattern));
  };
}

function checked(pattern: string): string {
  const path = pattern.replace(/^\/+/, "").replace(/\/+$/, "");
  const isWrong =
    path === "" ||
    pattern.length > MAX_PATTERN ||
    path.split("*").length - 1 > MAX_STARS ||
    /[\0-\x1f\x7f]/.test(path) ||
    path.split("/").some((part) => part === "" || part === "." || part === "..");
  if (isWrong) {
    const found = JSON.stringify(pattern.slice(0, 200));
    throw slimErrors.make("SLIM_PATTERN_INVALID", `expected a path of the image, found ${found}`);
  }
  return path;
}

/** True when the path, or a directory above it, is what the pattern means; each pair of parts is looked at once. */
function beginsLike(parts: readonly string[], pattern: readonly string[]): boolean {
  // How far into the pattern the parts so far can have come.
  let places = new Set(closure(0, pattern));
  for (const part of parts) {
    const next = new Set<number>();
    for (const place of places) {
      const wanted = pattern[place];
      if (wanted === undefined) continue;
      if (wanted === "**") for (const each of [place, ...closure(place + 1, pattern)]) next.add(each);
      else if (nameFits(part, wanted)) for (const each of closure(place + 1, pattern)) next.add(each);
    }
    // `**` at the end needs a part of its own, which this one may have been.
    if (next.has(pattern.length)) return true;
    places = next;
  }
  return false;
}

/** A place in the pattern, and those behind any `**` there, which may stand for nothing; not at the end. */
function closure(place: number, pattern: readonly string[]): number[] {
  const all = [place];
  for (let i = place; pattern[i] === "**" && i + 1 < pattern.length; i++) all.push(i + 1);
  return all;
}

/** `*` for any characters, `?` for one; by going back to the last star alone. */
function nameFits(name: string, pattern: string): boolean {
  let n = 0;
  let p = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      from = n;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star !== -1) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
