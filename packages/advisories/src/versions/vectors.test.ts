import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { expect, test } from "vitest";
import { compareVersions } from "./compare.ts";

const directory = join(import.meta.dirname, "../../testdata/versions");
const ecosystems: Readonly<Record<string, string>> = {
  alpine: "Alpine:v3.20",
  cran: "CRAN",
  debian: "Debian:12",
  maven: "Maven",
  npm: "npm",
  packagist: "Packagist",
  pypi: "PyPI",
  "red-hat": "Red Hat",
  rubygems: "RubyGems",
};

/** `<`, `=` or `>`; undefined for what is no version to us. */
function order(ecosystem: string, a: string, b: string): string | undefined {
  try {
    const found = compareVersions(ecosystem, a, b);
    return found < 0 ? "<" : found > 0 ? ">" : "=";
  } catch (error) {
    if (isFactoryError(error) && error.code === "VERSION_UNREADABLE") return undefined;
    throw error;
  }
}

test.each(readdirSync(directory).map((name) => name.replace(".txt", "")))(
  "M1: the recorded answers of the tool of %s are ours",
  (name) => {
    const lines = readFileSync(join(directory, `${name}.txt`), "utf8").split("\n");
    const pairs = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(" "));
    const found = pairs.map(([a = "", , b = ""]) => order(ecosystems[name] ?? name, a, b));
    const read = pairs.filter((_, i) => found[i] !== undefined);
    expect(pairs.filter(([, expected], i) => found[i] !== undefined && found[i] !== expected)).toEqual([]);
    expect(read.length).toBeGreaterThan(pairs.length * 0.9);
  },
);

// Ecosystems whose tools are not here: examples of their own documents, and of what they say in words.
test.each([
  ["Go", ["v0.0.0-20180901120000-0123456789ab", "v0.0.0-20190101000000-ba9876543210", "v0.0.1-alpha", "v0.0.1"]],
  ["Go", ["v1.2.3", "v1.2.4-0.20191109021931-daa7c04131f5", "v1.2.4-pre", "v1.2.4", "v2.0.0+incompatible", "v2.0.1"]],
  ["Go", ["go1.20.14", "go1.21rc2", "1.21.0", "go1.21.1", "1.22.0-rc.1", "go1.22rc2", "go1.22"]],
  ["crates.io", ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1"]],
  ["crates.io", ["111.9.0+1.1.1f", "111.10.0+1.1.1g", "300.0.0+3.0.0"]],
  ["NuGet", ["1.0.0-Alpha", "1.0.0-beta", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.0.1", "1.0.1-a"]],
  ["Hex", ["1.0.0-dev", "1.0.0", "1.1.0-rc.0", "1.1.0"]],
  ["Pub", ["1.0.0-pre", "1.0.0-pre+build", "1.0.0", "1.0.0+build", "1.0.0+build.2", "1.0.1-dev"]],
  ["Hackage", ["1", "1.0", "1.0.0", "1.0.1", "1.2", "1.10", "2"]],
  ["CRAN", ["0.9-1", "0.9-2", "0.9.10", "1.0", "1.0-1"]],
  [
    "Alpine:v3.20",
    ["1.0_alpha", "1.0_beta1", "1.0_rc1", "1.0_rc1-r1", "1.0", "1.0-r1", "1.0_git20240101", "1.0_p1", "1.0.1"],
  ],
  ["Alpine:v3.20", ["1.01", "1.010", "1.1", "1.1a", "1.1b_p1", "1.1c1-r0", "1.1c2-r0", "1.9", "1.10"]],
  ["Red Hat", ["1.0~rc1-1", "1.0-0.1", "1.0-1", "1.0-1.el9", "1.0^git1-1", "1.0.1-1", "1:0.1-1"]],
  [
    "Debian:12",
    ["1.0~~", "1.0~rc1-1", "1.0", "1.0-1~bpo11+1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0+dfsg-1", "1:0.1-1"],
  ],
  [
    "PyPI",
    [
      "foo-1",
      "1.dev0",
      "1.0.dev456",
      "1.0a1",
      "1.0a2.dev456",
      "1.0b1.dev456",
      "1.0rc1",
      "1.0",
      "1.0+abc.5",
      "1.0.post1",
      "1!0.1",
    ],
  ],
  ["Maven", ["1-alpha2", "1-beta-2", "1-m3", "1-rc1", "1-SNAPSHOT", "1", "1-sp", "1-foo", "1-1", "1.1"]],
  ["Packagist", ["1.0.0-dev", "1.0.0-alpha1", "1.0-beta2", "1.0.0-RC1", "v1.0.0", "1.0.0-p1", "1.0.1", "1.x-dev"]],
  ["RubyGems", ["1.a", "1.0.a.2", "1.0.b1", "1.0.rc1", "1.0", "1.0.1.pre", "1.0.1"]],
])("M1: versions of %s stand in the order %j", (ecosystem, versions) => {
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries()) {
      expect([a, b, Math.sign(compareVersions(ecosystem, a, b))]).toEqual([a, b, Math.sign(i - j)]);
    }
  }
});

test.each([
  ["npm", "1.2.3", "=v1.2.3+build"],
  ["Go", "v2.0.0+incompatible", "2.0.0"],
  ["PyPI", "1.0", "v1.0.0"],
  ["PyPI", "1.0-1", "1.0.post1"],
  ["NuGet", "1.0", "1.0.0.0"],
  ["Maven", "1.0.0-ga", "1"],
  ["Debian", "0:1.0", "1.0-0"],
  ["Red Hat", "(none):1.0-1", "0:1_0-1"],
  ["RubyGems", "1.0.0", "1"],
  ["Packagist", "v1.0", "1.0.0.0"],
])("M1: to %s, %s and %s are the same", (ecosystem, a, b) => {
  expect(compareVersions(ecosystem, a, b)).toBe(0);
});
