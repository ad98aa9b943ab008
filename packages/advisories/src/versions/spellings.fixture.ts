import fc from "fast-check";

const numbers = fc.constantFrom("0", "1", "2", "9", "10", "00", "01", "010", "100", "20240131", "99999999999999999999");
const small = fc.constantFrom("0", "1", "2", "10", "01", "00");

/** Tokens joined by separators, beginning with a number. */
function spelled(tokens: readonly string[], separators: readonly string[], most: number): fc.Arbitrary<string> {
  const rest = fc.array(
    fc.tuple(fc.constantFrom(...separators), tokens.length === 0 ? small : fc.oneof(small, fc.constantFrom(...tokens))),
    {
      maxLength: most,
    },
  );
  return fc.tuple(numbers, rest).map(([first, more]) => first + more.map((part) => part.join("")).join(""));
}

/** Text with a part that may be missing. */
function maybe(part: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(""), part);
}

const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(""));

const release = joined(small, fc.constant("."), small, fc.constant("."), small);
const label = fc.constantFrom("alpha", "alpha.1", "beta.2", "beta.11", "rc.1", "rc1", "0", "1", "x-y", "1a", "A");
const semantic = joined(release, maybe(label.map((text) => `-${text}`)), maybe(fc.constantFrom("+1", "+b.2")));
const stage = fc.constantFrom("a", "b", "c", "rc", "alpha", "beta", "pre", "preview");
const python = joined(
  maybe(fc.constantFrom("1!", "0!", "v")),
  spelled([], ["."], 3),
  maybe(joined(maybe(fc.constantFrom(".", "-", "_")), stage, maybe(small))),
  maybe(fc.constantFrom(".post", "-1", ".post2", "-r3", "rev4", "post0")),
  maybe(fc.constantFrom(".dev", ".dev0", "dev1", "-dev2")),
  maybe(fc.constantFrom("+local", "+1", "+1.a", "+a.1", "+ubuntu-1")),
);
const legacy = spelled(["dev", "r123", "final", "foo", "pre", "rc", "beta", "x"], [".", "-", "_", ""], 5);

/** Versions as the packages of an ecosystem spell them, and stranger ones. */
export const spellings: Readonly<Record<string, fc.Arbitrary<string>>> = {
  npm: fc.oneof(
    semantic,
    joined(release, maybe(fc.constantFrom("beta", "rc1", "-beta"))),
    semantic.map((v) => `v${v}`),
  ),
  Go: fc.oneof(
    semantic.map((text) => `v${text}`),
    fc.constantFrom(
      "v0.0.0-20240131120000-0123456789ab",
      "v1.2.4-0.20240131120000-0123456789ab",
      "v2.0.0+incompatible",
    ),
  ),
  "crates.io": semantic,
  PyPI: fc.oneof({ weight: 4, arbitrary: python }, legacy),
  Maven: spelled(
    ["a", "b", "m", "alpha", "beta", "milestone", "rc", "cr", "ga", "final", "release", "sp", "snapshot", "foo", "RC1"],
    [".", "-", ""],
    5,
  ),
  Debian: joined(
    maybe(fc.constantFrom("0:", "1:", "12:")),
    spelled(["~", "~rc1", "a", "z", "Z", "+dfsg", "+", "~~", "b1", "."], ["", ".", "+", "~"], 5),
    maybe(fc.constantFrom("-0", "-1", "-1~bpo12+1", "-0ubuntu0.22.04.1", "-1+deb12u3", "-2", "-10")),
  ),
  "Red Hat": joined(
    maybe(fc.constantFrom("0:", "1:", "2:")),
    spelled(["~", "~rc1", "^", "^git1", "a", "b", "Z", "_", "alpha", "p1"], ["", ".", "_", "+", "~", "^"], 5),
    maybe(fc.constantFrom("-1", "-1.el9", "-1.el9_2", "-10.el9", "-0.1.rc1.fc40", "-2.el9~1")),
  ),
  Alpine: joined(
    spelled([], ["."], 4),
    maybe(fc.constantFrom("a", "b", "z")),
    maybe(
      fc.constantFrom("_alpha", "_alpha2", "_beta1", "_pre", "_rc1", "_rc10", "_git20240131", "_p1", "_p", "_p1_rc2"),
    ),
    maybe(fc.constantFrom("-r0", "-r1", "-r10")),
  ),
  RubyGems: joined(spelled(["a", "beta", "rc1", "pre", "b2"], ["."], 5), maybe(fc.constantFrom("-1", "-rc.2", ".0.0"))),
  Packagist: joined(
    maybe(fc.constant("v")),
    joined(small, maybe(joined(fc.constant("."), small, maybe(joined(fc.constant("."), small))))),
    maybe(
      fc.constantFrom(
        "-alpha",
        "-beta2",
        "b3",
        "-RC1",
        "-rc.2",
        "a1",
        "-patch1",
        "pl2",
        "-p3",
        "-dev",
        "-stable",
        "+5",
      ),
    ),
  ),
  NuGet: joined(
    small,
    fc.constant("."),
    small,
    maybe(fc.constantFrom(".1", ".0", ".0.1", ".1.0")),
    maybe(label.map((text) => `-${text}`)),
  ),
  Pub: semantic,
  CRAN: spelled([], [".", "-"], 4),
  Hackage: spelled([], ["."], 4),
};

/** Versions of Maven as packages have them: numbers, then perhaps one qualifier. */
export const ordinaryMaven = joined(
  fc.array(fc.constantFrom("1", "2", "10", "3"), { minLength: 1, maxLength: 4 }).map((all) => all.join(".")),
  maybe(
    fc.constantFrom(
      ".0",
      ".0.0",
      "-alpha",
      "-alpha-1",
      "-beta2",
      "-rc1",
      ".Final",
      "-SNAPSHOT",
      "-jre",
      ".RELEASE",
      "-1",
      "-sp1",
      "-b01",
    ),
  ),
);
