import fc from "fast-check";
import { expect, test } from "vitest";
import type { AffectedRange, RangeEvent } from "../advisory.ts";
import { compareVersions } from "../versions/compare.ts";
import { isAffected } from "./affected.ts";

const ranged = (
  events: readonly RangeEvent[],
  more: Partial<AffectedRange> = {},
  versions: readonly string[] = [],
) => ({
  ecosystem: "npm",
  ranges: [{ type: "SEMVER" as const, events, ...more }],
  versions,
});
const outcome = (events: readonly RangeEvent[], version: string) => isAffected(ranged(events), version).outcome;

test.each([
  [[{ introduced: "0" }], "0.0.0-alpha", "affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.2.0" }], "0.9.9", "not-affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.2.0" }], "1.0.0", "affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.2.0" }], "1.0.0-rc.1", "not-affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.2.0" }], "1.2.0-rc.1", "affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.2.0" }], "1.2.0", "not-affected"],
  [[{ introduced: "1.0.0" }, { last_affected: "1.2.0" }], "1.2.0", "affected"],
  [[{ introduced: "1.0.0" }, { last_affected: "1.2.0" }], "1.2.1", "not-affected"],
  [[{ introduced: "1.0.0" }, { limit: "2.0.0" }], "1.9.0", "affected"],
  [[{ introduced: "1.0.0" }, { limit: "2.0.0" }], "2.0.0", "not-affected"],
  [[{ introduced: "1.0.0" }, { limit: "*" }], "9.0.0", "affected"],
  [[{ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "2.0.0" }, { fixed: "2.1.0" }], "1.5.0", "not-affected"],
  [[{ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "2.0.0" }, { fixed: "2.1.0" }], "2.0.5", "affected"],
  [[{ fixed: "2.1.0" }, { introduced: "2.0.0" }, { fixed: "1.0.0" }, { introduced: "0" }], "2.0.5", "affected"],
  [[{ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "1.0.0" }, { fixed: "2.0.0" }], "1.5.0", "affected"],
  [[{ introduced: "1.0.0" }, { fixed: "1.0.0" }], "1.0.0", "not-affected"],
  [[{ fixed: "1.0.0" }], "0.5.0", "not-affected"],
  [[], "1.0.0", "not-affected"],
] as const)("M6: events %j, version %s: %s", (events, version, expected) => {
  expect(outcome(events, version)).toBe(expected);
});

test("M6: a range says in words what holds the version, and which versions above are fixed", () => {
  const events = [{ introduced: "1.0.0" }, { fixed: "1.2.0" }, { introduced: "2.0.0" }, { fixed: "2.1.0" }];
  const found = isAffected(ranged(events), "1.1.0");
  expect(found).toEqual({
    outcome: "affected",
    matched: ">= 1.0.0, < 1.2.0",
    comparison: "npm",
    fixed: ["1.2.0", "2.1.0"],
  });
  expect(isAffected(ranged([{ introduced: "0" }]), "1.1.0")).toMatchObject({ matched: "every version" });
  expect(isAffected(ranged([{ introduced: "0" }, { last_affected: "2.0.0" }]), "1.0.0")).toMatchObject({
    matched: "<= 2.0.0",
  });
});

test("M6: the type of a range names its rules: SEMVER for a Python package is not PEP 440", () => {
  const python = (type: "SEMVER" | "ECOSYSTEM") => ({
    ecosystem: "PyPI",
    ranges: [{ type, events: [{ introduced: "0" }, { fixed: "1.0.0" }] }],
    versions: [],
  });
  // PEP 440 has 1.0.0.post1 after, and 1.0.0-1 is the same; to semver that is a pre-release.
  expect(isAffected(python("ECOSYSTEM"), "1.0.0-1").outcome).toBe("not-affected");
  expect(isAffected(python("SEMVER"), "1.0.0-1").outcome).toBe("affected");
});

test("M6: the list of versions adds to the ranges, by equality in the ecosystem", () => {
  const listed = { ecosystem: "PyPI", ranges: [], versions: ["1.0", "2.0rc1"] };
  expect(isAffected(listed, "1.0.0")).toMatchObject({ outcome: "affected", matched: "= 1.0" });
  expect(isAffected(listed, "2.0-c1").outcome).toBe("affected");
  expect(isAffected(listed, "1.0.1").outcome).toBe("not-affected");
  const built = { ecosystem: "crates.io", ranges: [], versions: ["1.0.0+a"] };
  expect(isAffected(built, "1.0.0+a").outcome).toBe("affected");
  expect(isAffected(built, "1.0.0+b").outcome).toBe("not-affected");
  expect(isAffected(ranged(belowOne, {}, ["3.0.0"]), "3.0.0").outcome).toBe("affected");
});

const belowOne = [{ introduced: "0" }, { fixed: "1.0.0" }];

test("M6: what cannot be evaluated is unknown, not unaffected", () => {
  const git = { type: "GIT" as const, repo: "https://example.com/a", events: [{ introduced: "0" }] };
  expect(isAffected({ ecosystem: "npm", ranges: [git], versions: [] }, "1.0.0")).toEqual({
    outcome: "unknown",
    why: "git-range",
  });
  expect(isAffected({ ecosystem: "npm", ranges: [git], versions: ["1.1.0"] }, "1.0.0").outcome).toBe("not-affected");
  expect(isAffected(ranged(belowOne), "main")).toEqual({ outcome: "unknown", why: "version-unreadable" });
  expect(isAffected(ranged([{ introduced: "0" }, { fixed: "soon" }]), "0.1.0")).toEqual({
    outcome: "unknown",
    why: "range-unreadable",
  });
  expect(isAffected(ranged(belowOne, {}, ["main"]), "main").outcome).toBe("affected");
});

test("M6: a statement that the package is not affected ends it", () => {
  expect(isAffected({ ...ranged([{ introduced: "0" }]), state: "not-affected" }, "1.0.0").outcome).toBe("not-affected");
});

const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));

test("M6: any number of intervals holds exactly the versions between their ends", () => {
  fc.assert(
    fc.property(fc.uniqueArray(version, { minLength: 2, maxLength: 8 }), version, fc.integer(), (ends, at, seed) => {
      const sorted = [...ends].sort((a, b) => compareVersions("npm", a, b));
      const events = sorted.map((end, i) => (i % 2 === 0 ? { introduced: end } : { fixed: end }));
      const shuffled = seed % 2 === 0 ? events : [...events].reverse();
      let expected = false;
      for (let i = 0; i < sorted.length; i += 2) {
        const [from = "", to] = [sorted[i], sorted[i + 1]];
        const isIn = compareVersions("npm", at, from) >= 0 && (to === undefined || compareVersions("npm", at, to) < 0);
        expected ||= isIn;
      }
      expect(isAffected(ranged(shuffled), at).outcome === "affected").toBe(expected);
    }),
  );
});
