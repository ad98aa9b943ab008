import { bounded, compareNumerals, unreadable, type VersionScheme } from "./scheme.ts";

function dotted(name: string, syntax: RegExp, separator: RegExp): VersionScheme<readonly string[]> {
  return {
    name,
    read(text) {
      const trimmed = bounded(name, text);
      if (!syntax.test(trimmed)) throw unreadable(name, text);
      return trimmed.split(separator);
    },
    compare(a, b) {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        const order = compareNumerals(a[i] ?? "", b[i] ?? "");
        if (order !== 0) return order;
      }
      return a.length - b.length;
    },
  };
}

/** R: numbers between dots and hyphens; of two with the same beginning the longer one is newer. */
export const cran = dotted("cran", /^\d+(?:[.-]\d+)*$/, /[.-]/);

/** Haskell's package versioning policy: numbers between dots; of two with the same beginning the longer one is newer. */
export const hackage = dotted("hackage", /^\d+(?:\.\d+)*$/, /\./);
