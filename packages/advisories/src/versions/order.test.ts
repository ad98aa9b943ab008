import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "./compare.ts";
import { isComparable, schemeOf } from "./schemes.ts";
import { ordinaryMaven, spellings } from "./spellings.fixture.ts";

// Where a word that means the release, or a zero, stands amid a version, Maven's own order is none; we follow Maven.
const lawful: typeof spellings = { ...spellings, Maven: ordinaryMaven };

for (const [ecosystem, spelled] of Object.entries(lawful)) {
  const scheme = schemeOf(ecosystem);
  const readable = spelled.filter((text) => {
    try {
      scheme.read(text);
      return true;
    } catch {
      return false;
    }
  });

  test(`M2: versions of ${ecosystem} are in one total order`, () => {
    fc.assert(
      fc.property(readable, readable, readable, (a, b, c) => {
        const [x, y, z] = [scheme.read(a), scheme.read(b), scheme.read(c)];
        const [xy, yx, yz, xz] = [
          scheme.compare(x, y),
          scheme.compare(y, x),
          scheme.compare(y, z),
          scheme.compare(x, z),
        ];
        expect(scheme.compare(x, x)).toBe(0);
        expect(Math.sign(xy) + Math.sign(yx)).toBe(0);
        if (xy <= 0 && yz <= 0) expect(xz).toBeLessThanOrEqual(0);
        if (xy >= 0 && yz >= 0) expect(xz).toBeGreaterThanOrEqual(0);
        // What is equal is equal to others alike.
        if (xy === 0) expect(Math.sign(xz)).toBe(Math.sign(yz));
      }),
      { numRuns: 1500 },
    );
  });
}

test("M3: what is no version is refused by its code, whatever it is", () => {
  const ecosystems = [...Object.keys(spellings), "Hex", "Ubuntu:22.04:LTS", "Alpine:v3.20", "SwiftURL"];
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ maxLength: 700 }));
  fc.assert(
    fc.property(fc.constantFrom(...ecosystems), text, text, (ecosystem, a, b) => {
      try {
        expect(compareVersions(ecosystem, a, b)).not.toBeNaN();
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        expect(error.code).toBe("VERSION_UNREADABLE");
        expect(error.message.length).toBeLessThan(300);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["npm", "git+ssh://git@example.com/a/b.git#0123456"],
  ["npm", ""],
  ["npm", "1.2.x"],
  ["PyPI", "not a version"],
  ["PyPI", "main"],
  ["Debian", "1:2:3 4"],
  ["Debian", "x:1"],
  ["Red Hat", "a:1"],
  ["Alpine", "1-1-r0"],
  ["Alpine", "1_none"],
  ["Alpine", "1_zeta"],
  ["Packagist", "dev-main"],
  ["RubyGems", "1beta"],
  ["NuGet", "1.2.3.4.5"],
  ["CRAN", "1.a"],
  ["crates.io", "9".repeat(513)],
])("M3: %s has no version %j", (ecosystem, text) => {
  expect(() => compareVersions(ecosystem, text, "1")).toThrow(expect.objectContaining({ code: "VERSION_UNREADABLE" }));
});

test("M3: an ecosystem without rules is refused by its code", () => {
  expect(isComparable("OSS-Fuzz")).toBe(false);
  expect(isComparable("Debian:12")).toBe(true);
  expect(() => compareVersions("OSS-Fuzz", "1", "2")).toThrow(
    expect.objectContaining({ code: "VERSION_ECOSYSTEM_UNKNOWN" }),
  );
});

test("M3: a version that is made to be slow to read is not", () => {
  const hostile = [
    "1".repeat(256),
    "1.".repeat(255) + "1",
    "1-".repeat(255),
    "a".repeat(511),
    "1a".repeat(256),
    "_".repeat(512),
  ];
  for (const ecosystem of Object.keys(spellings)) {
    for (const text of hostile) {
      for (let i = 0; i < 20; i++) {
        try {
          compareVersions(ecosystem, `${text}!`, text);
        } catch (error) {
          expect(isFactoryError(error)).toBe(true);
        }
        try {
          expect(compareVersions(ecosystem, text, text)).toBe(0);
        } catch (error) {
          expect(isFactoryError(error)).toBe(true);
        }
      }
    }
  }
});
