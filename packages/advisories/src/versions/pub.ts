import type { VersionScheme } from "./scheme.ts";
import { compareIdentifiers, compareSemantic, type SemanticVersion, semver } from "./semver.ts";

interface PubVersion extends SemanticVersion {
  readonly build: readonly string[];
}

/** Dart's pub: semantic versions of which build metadata orders, too. */
export const pub: VersionScheme<PubVersion> = {
  name: "pub",
  read(text) {
    const plus = text.indexOf("+");
    return {
      ...semver.read(text),
      build:
        plus < 0
          ? []
          : text
              .slice(plus + 1)
              .trim()
              .split("."),
    };
  },
  compare(a, b) {
    const order = compareSemantic(a, b);
    if (order !== 0 || (a.build.length === 0 && b.build.length === 0)) return order;
    if (a.build.length === 0 || b.build.length === 0) return a.build.length - b.build.length;
    return compareIdentifiers(a.build, b.build);
  },
};
