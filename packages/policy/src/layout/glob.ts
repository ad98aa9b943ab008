/** A pattern of an artifact rule, read once. */
export interface Glob {
  /** The only name that it can match, where it has no wildcard. */
  readonly exact?: string;
  /** Upper bound of the work for one character of a name. */
  readonly effort: number;
  matches(name: string): boolean;
}

type Part = { readonly kind: "star" } | { readonly kind: "one"; readonly is: (character: string) => boolean };

/**
 * Patterns as in-toto has them (Python's fnmatch, which its specification points to): `*` any characters, `/` and a
 * leading dot too; `?` one; `[abc]`, `[a-z]`, `[!abc]` one of a set; an unclosed `[` is itself; there is no escaping.
 * Time is at most the product of both lengths.
 */
export function globOf(pattern: string): Glob {
  if (!/[*?[]/.test(pattern)) return { exact: pattern, effort: 0, matches: (name) => name === pattern };
  if (/^\*+$/.test(pattern)) return { effort: 0, matches: () => true };
  const parts = partsOf(Array.from(pattern));
  return { effort: parts.length, matches: (name) => matchParts(parts, Array.from(name)) };
}

function partsOf(characters: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] as string;
    if (character === "*") {
      if (parts.at(-1)?.kind !== "star") parts.push({ kind: "star" });
    } else if (character === "?") {
      parts.push({ kind: "one", is: () => true });
    } else {
      const set = character === "[" ? setAt(characters, at) : undefined;
      parts.push({ kind: "one", is: set?.is ?? ((found) => found === character) });
      at = set?.end ?? at;
    }
  }
  return parts;
}

/** The set that opens here, with the place of its closing bracket; undefined when none closes it. */
function setAt(
  characters: readonly string[],
  open: number,
): { readonly is: (character: string) => boolean; readonly end: number } | undefined {
  const isNegated = characters[open + 1] === "!";
  const from = open + (isNegated ? 2 : 1);
  // A bracket that stands first is a member.
  const end = characters.indexOf("]", characters[from] === "]" ? from + 1 : from);
  if (end < 0) return undefined;
  const ranges: [number, number][] = [];
  for (let at = from; at < end; at += 1) {
    const isRange = characters[at + 1] === "-" && at + 2 < end;
    ranges.push([codeOf(characters[at]), codeOf(characters[isRange ? at + 2 : at])]);
    if (isRange) at += 2;
  }
  const isMember = (character: string) => {
    const code = codeOf(character);
    return ranges.some(([low, high]) => low <= code && code <= high);
  };
  return { is: (character) => isMember(character) !== isNegated, end };
}

function codeOf(character: string | undefined): number {
  return character?.codePointAt(0) ?? -1;
}

/** Goes back only to the last star: no later choice can need an earlier one. */
function matchParts(parts: readonly Part[], name: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const next = parts[part];
    if (next?.kind === "star") {
      star = part;
      starAt = at;
      part += 1;
    } else if (next?.kind === "one" && next.is(name[at] as string)) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      part = star + 1;
      starAt += 1;
      at = starAt;
    } else {
      return false;
    }
  }
  return parts.slice(part).every((rest) => rest.kind === "star");
}
