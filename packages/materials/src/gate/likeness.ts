import type { Ecosystem } from "@touchmark/formats/lockfiles";
import { comparableName } from "./package-pattern.ts";

/** A known name, and how another comes to look like it. */
export interface Likeness {
  readonly name: string;
  /** Completes "colourama, ... colorama". */
  readonly how: string;
}

/** Names shorter than this have too many honest neighbours. */
const shortest = 5;

// Letters of other scripts that a font draws like Latin ones (Unicode UTS 39, the ones that matter for names).
const foreign: Readonly<Record<string, string>> = {
  а: "a",
  в: "b",
  с: "c",
  ԁ: "d",
  е: "e",
  һ: "h",
  і: "i",
  ј: "j",
  к: "k",
  ӏ: "l",
  м: "m",
  н: "h",
  о: "o",
  р: "p",
  ԛ: "q",
  г: "r",
  ѕ: "s",
  т: "t",
  υ: "u",
  ѵ: "v",
  ԝ: "w",
  х: "x",
  у: "y",
  α: "a",
  ε: "e",
  ι: "i",
  κ: "k",
  ν: "v",
  ο: "o",
  ρ: "p",
  τ: "t",
  χ: "x",
  ı: "i",
  ł: "l",
  ø: "o",
};

/** The known name that a name looks like, or undefined. Equal names are no likeness. */
export function lookalikeOf(ecosystem: Ecosystem, name: string, known: Iterable<string>): Likeness | undefined {
  const own = comparableName(ecosystem, name);
  const ownSkeleton = skeleton(name);
  const [ownScope, ownBase] = scopeOf(ecosystem, own);
  for (const other of known) {
    const theirs = comparableName(ecosystem, other);
    if (theirs === own) continue;
    if (ownSkeleton === skeleton(other)) return { name: other, how: "which looks like" };
    const [scope, base] = scopeOf(ecosystem, theirs);
    if (scope !== undefined && base === ownBase && ownScope !== undefined && isNear(ownScope, scope, 3)) {
      return { name: other, how: "whose scope imitates that of" };
    }
    // npm: acme-billing for @acme/billing.
    if (ecosystem === "npm" && scope !== undefined && ownScope === undefined) {
      if (flat(own) === flat(`${scope.slice(1)}${base}`)) return { name: other, how: "which drops the scope of" };
    }
    // Names below one scope, group or account have one owner.
    if (scope !== undefined && scope === ownScope) continue;
    if (scope === undefined && ownScope === undefined && isNear(ownBase, base, shortest)) {
      return { name: other, how: "one letter away from" };
    }
  }
  // Registries of names that everybody can take have names of ASCII; the others' honest names are ASCII too.
  if (/[^\u0021-\u007e]/.test(name)) return { name: ownSkeleton, how: "whose foreign letters look like" };
  return undefined;
}

/** Scope, group or account of a name, and the rest. */
function scopeOf(ecosystem: Ecosystem, name: string): readonly [string | undefined, string] {
  const cut = ecosystem === "maven" ? name.lastIndexOf(":") : name.lastIndexOf("/");
  return cut === -1 ? [undefined, name] : [name.slice(0, cut), name.slice(cut + 1)];
}

/** What the eye keeps of a name: case, separators and letters that look alike are one. */
export function skeleton(name: string): string {
  const plain = Array.from(name.normalize("NFKD").toLowerCase())
    .map((letter) => foreign[letter] ?? letter)
    .join("")
    .replace(/\p{M}/gu, "");
  return flat(plain)
    .replace(/rn/g, "m")
    .replace(/vv/g, "w")
    .replace(/[1i|]/g, "l")
    .replace(/0/g, "o")
    .replace(/5/g, "s");
}

const flat = (name: string) => name.replace(/[-_.]/g, "");

/** One letter more, less or other, or two neighbours swapped. */
function isNear(a: string, b: string, least: number): boolean {
  if (a === b || Math.min(a.length, b.length) < least || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const restA = a.slice(start, a.length - end);
  const restB = b.slice(start, b.length - end);
  if (restA.length <= 1 && restB.length <= 1) return true;
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0];
}
