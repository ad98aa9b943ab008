import { bounded, compareNumerals, compareText, unreadable, type VersionScheme } from "./scheme.ts";

/** A semantic version taken apart; build metadata does not order. */
export interface SemanticVersion {
  /** Decimal digits: three for semantic versions, up to five where an ecosystem allows more. */
  readonly numbers: readonly string[];
  /** Identifiers before the `+`; undefined for releases. */
  readonly prerelease: readonly string[] | undefined;
}

// No part of it can match the same text in two ways.
const identifiers = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const loose = String.raw`[A-Za-z][0-9A-Za-z-]*(?:\.[0-9A-Za-z-]+)*`;
const syntax = new RegExp(String.raw`^(\d+(?:\.\d+){0,4})(?:-(${identifiers})|(${loose}))?(?:\+[0-9A-Za-z.+_-]*)?$`);
const digits = /^\d+$/;

function readWith(scheme: string, prefix: RegExp, text: string, most = 3): SemanticVersion {
  const parts = syntax.exec(bounded(scheme, text).replace(prefix, ""));
  if (parts === null || (parts[1] ?? "").split(".").length > most) throw unreadable(scheme, text);
  const [, release = "", strict, unmarked] = parts;
  const numbers = release.split(".");
  while (numbers.length < 3) numbers.push("0");
  return { numbers, prerelease: (strict ?? unmarked)?.split(".") };
}

/** Precedence of semantic versions, 2.0.0 section 11. */
export function compareSemantic(a: SemanticVersion, b: SemanticVersion): number {
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const order = compareNumerals(a.numbers[i] ?? "0", b.numbers[i] ?? "0");
    if (order !== 0) return order;
  }
  if (a.prerelease === undefined || b.prerelease === undefined) {
    return (a.prerelease === undefined ? 1 : 0) - (b.prerelease === undefined ? 1 : 0);
  }
  return compareIdentifiers(a.prerelease, b.prerelease);
}

/** Two lists of identifiers: numbers by value and before words, words by their bytes. */
export function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = "", other = ""] = [a[i], b[i]];
    const [isNumber, isOtherNumber] = [digits.test(one), digits.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    const order = isNumber ? compareNumerals(one, other) : compareText(one, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Semantic versions 2.0.0, with what the field writes beside: a leading `v`, one to five numbers. */
export const semver: VersionScheme<SemanticVersion> = {
  name: "semver",
  read: (text) => readWith("semver", /^v/, text, 5),
  compare: compareSemantic,
};

/** npm's loose reading: `=v1.2.3`, and a pre-release without its hyphen. */
export const npm: VersionScheme<SemanticVersion> = {
  name: "npm",
  read: (text) => readWith("npm", /^[v=\s]+/, text),
  compare: compareSemantic,
};

const toolchain = /^go(\d+(?:\.\d+){0,2})(?:(beta|rc|alpha)(\d+))?(?:[-+ ].*)?$/;

/**
 * Versions of Go modules: semantic ones with `v`, pseudo-versions (which are pre-releases) and `+incompatible` (which
 * is build metadata); and those of Go itself, `go1.22rc1`, which stand for `1.22.0-rc.1`.
 */
export const go: VersionScheme<SemanticVersion> = {
  name: "go",
  read: (text) => {
    const own = toolchain.exec(bounded("go", text));
    if (own === null) return readWith("go", /^v/, text);
    const [, release = "", stage, number = "0"] = own;
    const numbers = release.split(".");
    while (numbers.length < 3) numbers.push("0");
    return { numbers, prerelease: stage === undefined ? undefined : [stage, number] };
  },
  compare: compareSemantic,
};
