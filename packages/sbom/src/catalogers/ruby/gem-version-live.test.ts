import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareGemVersions, meetsGemRequirement } from "./gem-version.ts";

const hasRuby = spawnSync("ruby", ["-v"]).status === 0;
/** Answers the order of two versions on each line, and whether the first meets `~>` the second. */
const oracle =
  'STDIN.each_line { |l| a, b = l.split.map { |v| Gem::Version.new(v) }; puts "#{a <=> b} #{Gem::Requirement.new("~> #{b}").satisfied_by?(a)}" }';

test.skipIf(!hasRuby)("R7: versions are compared as RubyGems here compares them", { timeout: 60_000 }, () => {
  const part = fc.oneof(fc.nat({ max: 12 }).map(String), fc.constantFrom("a", "b1", "pre", "rc1"));
  const version = fc
    .tuple(fc.nat({ max: 3 }), fc.array(part, { maxLength: 3 }))
    .map(([first, rest]) => [first, ...rest].join("."));
  const pairs = fc.sample(fc.tuple(version, version), { numRuns: 3000, seed: 42 });
  const input = pairs.map((pair) => pair.join(" ")).join("\n");
  const lines = execFileSync("ruby", ["-e", oracle], { input, encoding: "utf8" }).trim().split("\n");
  const ours = pairs.map(([a, b]) => `${compareGemVersions(a, b)} ${meetsGemRequirement(a, `~> ${b}`)}`);
  const differing = pairs.flatMap((pair, index) =>
    ours[index] === lines[index] ? [] : [[...pair, ours[index], lines[index]]],
  );
  expect(differing).toEqual([]);
});
