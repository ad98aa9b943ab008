import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { compareGemVersions, meetsGemRequirement } from "./gem-version.ts";
import { installedGems } from "./installed-gems.ts";

/** A specification as RubyGems 3.5 writes it. */
function specification(name: string, version: string, needs: readonly string[] = [], platform = "ruby"): string {
  return `# -*- encoding: utf-8 -*-
# stub: ${name} ${version} ${platform} lib

Gem::Specification.new do |s|
  s.name = "${name}".freeze
  s.version = "${version}"
  s.authors = ["A. Person".freeze, "B \\"Bee\\" Person".freeze]
  s.homepage = "https://example.test/${name}".freeze
  s.licenses = ["MIT".freeze]
  s.summary = "About ${name}".freeze
  s.specification_version = 4
${needs.map((need) => `  s.add_runtime_dependency(%q<${need.split(" ")[0]}>.freeze, ["${need.split(" ").slice(1).join(" ")}".freeze])`).join("\n")}
  s.add_development_dependency(%q<never>.freeze, [">= 0".freeze])
end
`;
}

async function found(files: Readonly<Record<string, string>>) {
  const all = Object.entries(files).map(([path, text]) => collected(path, text));
  return installedGems.catalogue(
    all.filter((file) => installedGems.wants(file)),
    contextOf(all),
  );
}

const base = "usr/lib/ruby/gems/3.1.0/specifications";

test("R7: an installed gem is known by its specification, and owns its folder", async () => {
  const { components, edges, roots, losses } = await found({
    [`${base}/nokogiri-1.16.0-x86_64-linux.gemspec`]: specification(
      "nokogiri",
      "1.16.0",
      ["racc ~> 1.4", "gone >= 0"],
      "x86_64-linux",
    ),
    [`${base}/default/racc-1.5.2.gemspec`]: specification("racc", "1.5.2"),
    [`${base}/racc-1.7.3.gemspec`]: specification("racc", "1.7.3"),
    [`${base}/racc-2.0.0.gemspec`]: specification("racc", "2.0.0"),
    "srv/app.gemspec": specification("app", "1"),
  });
  expect(losses).toEqual([]);
  expect(components[0]).toMatchObject({
    purl: "pkg:gem/nokogiri@1.16.0?platform=x86_64-linux",
    supplier: 'A. Person, B "Bee" Person',
    homepage: "https://example.test/nokogiri",
    description: "About nokogiri",
    ownsBelow: ["usr/lib/ruby/gems/3.1.0/gems/nokogiri-1.16.0-x86_64-linux"],
  });
  expect(components).toHaveLength(4);
  expect(edges[0]).toEqual({ from: components[0]?.key, to: [`${base}/racc-1.7.3.gemspec`] });
  expect(roots).toEqual([0, 1, 3].map((index) => components[index]?.key));
});

test("R10: what RubyGems did not write is a loss, and the others are read", async () => {
  const { components, losses } = await found({
    [`${base}/a.gemspec`]: "Gem::Specification.new { |s| s.name = compute }",
    [`${base}/b.gemspec`]: specification("b", "1.0"),
  });
  expect(components.map(({ name }) => name)).toEqual(["b"]);
  expect(losses).toMatchObject([{ path: `${base}/a.gemspec`, code: "SBOM_FILE_MALFORMED" }]);
});

test.each([
  ["1.4", "~> 1.4", true],
  ["1.9.3", "~> 1.4", true],
  ["2.0", "~> 1.4", false],
  ["1.4.9", "~> 1.4.2", true],
  ["1.5", "~> 1.4.2", false],
  ["2.0.a", "~> 1.4", false],
  ["3", "~> 2", false],
  ["2.5", "~> 2", true],
  ["1.0.0", "= 1", true],
  ["1.0.0", "!= 1", false],
  ["1.0.pre", "< 1.0", true],
  ["1.10", "> 1.9", true],
  ["1.10", "<= 1.9", false],
  ["1.0", "something else", true],
])("R7: version %s meets %s: %s", (version, requirement, answer) => {
  expect(meetsGemRequirement(version, requirement)).toBe(answer);
});

test("R7: versions of gems have an order", () => {
  const version = fc.stringMatching(/^\d{1,3}(\.(\d{1,3}|[a-z]{1,3})){0,3}$/);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareGemVersions(a, b) + compareGemVersions(b, a)).toBe(0);
      if (compareGemVersions(a, b) <= 0 && compareGemVersions(b, c) <= 0) {
        expect(compareGemVersions(a, c)).toBeLessThanOrEqual(0);
      }
    }),
  );
});

test("R10: no text makes the cataloger do anything but answer or lose", async () => {
  const whole = specification("a", "1.0", ["b >= 0"]);
  const text = fc.tuple(fc.nat({ max: whole.length }), fc.string({ maxLength: 20 }), fc.nat({ max: 30 }));
  await fc.assert(
    fc.asyncProperty(text, async ([at, word, gone]) => {
      const { losses } = await found({ [`${base}/a.gemspec`]: whole.slice(0, at) + word + whole.slice(at + gone) });
      for (const { code } of losses) expect(code).toMatch(/^(?:SBOM_FILE_|PACKAGE_URL_)/);
    }),
    { numRuns: 500 },
  );
});
