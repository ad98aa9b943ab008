import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { bundler } from "./bundler.ts";
import { developmentGems } from "./gemfile-groups.ts";

const sum = "ab".repeat(32);
const lock = `GIT
  remote: https://git.example/o/near.git
  revision: 0123456789abcdef
  branch: main
  specs:
    near (2.0.0)
      rack (>= 2)

PATH
  remote: .
  specs:
    app (0.1.0)
      nokogiri

GEM
  remote: https://gems.example/
  specs:
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)
    nokogiri (1.16.0)
      racc (~> 1.4)
    racc (1.7.3)
    rack (3.0.9)
    rspec (3.13.0)
      rspec-core (~> 3.13.0)
    rspec-core (3.13.0)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  app!
  near!
  rspec (~> 3.13)

CHECKSUMS
  racc (1.7.3) sha256=${sum}
  nokogiri (1.16.0-x86_64-linux) sha512=ff,sha256=${sum}

RUBY VERSION
   ruby 3.3.0p0

BUNDLED WITH
   2.5.6
`;
const gemfile = `source "https://gems.example"
gemspec
gem "near", git: "https://git.example/o/near.git"
group :development, :test do
  gem "rspec", "~> 3.13" # tests
end
`;

async function found(files: Readonly<Record<string, string | Uint8Array>>) {
  const all = Object.entries(files).map(([path, text]) => collected(path, text));
  return bundler.catalogue(
    all.filter((file) => bundler.wants(file)),
    contextOf(all),
  );
}

test("R7: gems are read with platforms, checksums, origins and edges", async () => {
  const { components, edges, roots, losses } = await found({ "srv/Gemfile.lock": lock });
  expect(losses).toEqual([]);
  expect(components.map(({ purl }) => purl)).toEqual([
    "pkg:gem/near@2.0.0?vcs_url=git%2Bhttps://git.example/o/near.git%400123456789abcdef",
    undefined,
    "pkg:gem/nokogiri@1.16.0?platform=x86_64-linux",
    "pkg:gem/nokogiri@1.16.0",
    "pkg:gem/racc@1.7.3",
    "pkg:gem/rack@3.0.9",
    "pkg:gem/rspec@3.13.0",
    "pkg:gem/rspec-core@3.13.0",
  ]);
  const [near, app, linux, any, racc, rack, rspec, core] = components.map(({ key }) => key);
  expect(components[4]?.hashes).toEqual([{ algorithm: "sha256", value: sum }]);
  expect(components[2]?.hashes).toHaveLength(1);
  expect(components[1]?.properties).toEqual([{ name: "touchmark:local-path", value: "." }]);
  expect(components[0]?.downloadLocation).toBe("git+https://git.example/o/near.git@0123456789abcdef");
  expect(edges).toEqual([
    { from: near, to: [rack] },
    { from: app, to: [linux, any] },
    { from: linux, to: [racc] },
    { from: any, to: [racc] },
    { from: racc, to: [] },
    { from: rack, to: [] },
    { from: rspec, to: [core] },
    { from: core, to: [] },
  ]);
  expect(roots).toEqual([app, near, rspec]);
  expect(components.filter(({ direct }) => direct).map(({ name }) => name)).toEqual(["near", "app", "rspec"]);
  expect(new Set(components.map(({ scope }) => scope))).toEqual(new Set(["runtime"]));
});

test("R7: what only groups for development need is of that scope", async () => {
  const { components } = await found({ Gemfile: gemfile, "Gemfile.lock": lock });
  const development = components.filter(({ scope }) => scope === "development").map(({ name }) => name);
  expect(development).toEqual(["rspec", "rspec-core"]);
});

test.each([
  ["gem 'a', group: :test", ["a"]],
  ["gem 'a', group: [:test, :production]", []],
  ["gem 'a', :groups => [:test, :development]", ["a"]],
  ["gem 'a', group: :test\ngem 'a'", []],
  ["group :production do\n  gem 'a'\nend", []],
  ["group(:test, optional: true) do\n  if x\n    gem 'a'\n  end\n  gem 'b'\nend\ngem 'c'", ["a", "b"]],
  ["platforms :ruby do\n  gem 'a'\nend", []],
  [`gem 'a', group: ${"[".repeat(3000)}`, []],
])("R7: of the Gemfile %j the gems %j are for development", (text, names) => {
  expect([...developmentGems(text)]).toEqual(names);
});

test("R7: a lockfile inside an installed gem is not read", async () => {
  const inside = { "usr/lib/ruby/gems/3.1.0/gems/rake-13.0.6/Gemfile.lock": lock };
  expect((await found(inside)).components).toEqual([]);
});

test.each([
  ["has an unresolved merge", `GEM\n  specs:\n<<<<<<< HEAD\n    a (1)\n`],
  ["has a gem without form", "GEM\n  specs:\n    a b c\n"],
  ["has a need without form", "GEM\n  specs:\n    a (1)\n      (b)\n"],
  ["has a dependency without form", "DEPENDENCIES\n  (a)\n"],
  ["is empty", "\n"],
  ["has edges without end", everyGemOfEachPlatform(1010)],
])("R10: a Gemfile.lock that %s is a loss", async (_, text) => {
  const { components, losses } = await found({ "a/Gemfile.lock": text, "b/gems.locked": lock });
  expect(components).toHaveLength(8);
  expect(losses).toEqual([expect.objectContaining({ path: "a/Gemfile.lock", code: "SBOM_FILE_MALFORMED" })]);
});

/** One gem on so many platforms, and each of them in need of it. */
function everyGemOfEachPlatform(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => `    a (1-p${index})\n      a\n`);
  return `GEM\n  specs:\n${lines.join("")}`;
}

test("R10: no text makes the cataloger do anything but answer or lose", async () => {
  const line = fc.oneof(fc.constantFrom(...lock.split("\n")), fc.string({ maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      const { losses } = await found({ "Gemfile.lock": lines.join("\n"), Gemfile: lines.join("\n") });
      for (const { code } of losses) expect(code).toMatch(/^(?:SBOM_FILE_|PACKAGE_URL_)/);
    }),
    { numRuns: 500 },
  );
});
