import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Found } from "../../catalogue/cataloger.ts";
import { catalogueTree, named } from "./tree.fixture.ts";

const sri = `sha512-${createHash("sha512").update("x").digest("base64")}`;
const lock = JSON.stringify({
  name: "shop",
  lockfileVersion: 3,
  packages: {
    "": { name: "shop", dependencies: { a: "1" } },
    "node_modules/a": { version: "1.0.0", integrity: sri, dependencies: { b: "1" }, license: "MIT" },
    "node_modules/b": { version: "1.0.0", integrity: sri, optional: true, dependencies: { a: "1" } },
    "node_modules/w": { resolved: "packages/w", link: true },
    "packages/w": { name: "w", version: "1.0.0" },
  },
});

/** What must hold of every answer: keys once, edges and roots between components, no hostile text in names. */
function checkShape(found: Found): void {
  const keys = new Set(found.components.map(({ key }) => key));
  expect(keys.size).toBe(found.components.length);
  for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
  for (const key of found.roots) expect(keys).toContain(key);
  for (const { name, version, occurrences } of found.components) {
    expect(`${name}${version}`).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(occurrences.length).toBeGreaterThan(0);
  }
  for (const { code } of found.losses) expect(code).toMatch(/^(?:LOCKFILE|SBOM_NPM|SBOM_FILE)_/);
}

const mutated = fc
  .tuple(fc.nat(lock.length - 1), fc.nat(40), fc.string({ maxLength: 12 }))
  .map(([at, cut, text]) => lock.slice(0, at) + text + lock.slice(at + cut));

test("J7: a mutated lockfile ends in components or losses", async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (text) => {
      checkShape(await catalogueTree({ "package-lock.json": text, "node_modules/a/package.json": '{"name":"a"}' }));
    }),
    { numRuns: 300 },
  );
});

const json = fc.jsonValue({ maxDepth: 3 });
const word = fc.oneof(
  fc.constantFrom("a", "b", "@s/a", "__proto__", "..", "a/../b", "\u202ea"),
  fc.string({ maxLength: 8 }),
);
const manifest = fc.record(
  {
    name: fc.oneof(word, json),
    version: fc.oneof(fc.constantFrom("1.0.0", "v2", ""), json),
    dependencies: fc.oneof(fc.dictionary(word, fc.constant("*")), json),
    devDependencies: fc.oneof(fc.dictionary(word, fc.constant("*")), json),
    optionalDependencies: fc.oneof(fc.dictionary(word, fc.constant("*")), json),
    peerDependencies: json,
    license: fc.oneof(fc.constantFrom("MIT", "SEE LICENSE IN x"), json),
    licenses: json,
    author: json,
    scripts: json,
    _resolved: fc.oneof(fc.constantFrom("https://u:p@x.test/a", "git+ssh://x"), json),
    _integrity: json,
    private: json,
    main: json,
  },
  { requiredKeys: [] },
);
const places = fc.constantFrom(
  "",
  "node_modules/a/",
  "node_modules/b/",
  "node_modules/@s/a/",
  "node_modules/a/node_modules/b/",
  "node_modules/.pnpm/a@1/node_modules/a/",
  "node_modules/a/test/node_modules/c/",
  "usr/share/nodejs/a/",
  "packages/w/",
);

test("J7: package.json of any shape ends in components or losses", async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(places, manifest), fc.boolean(), async (tree, hasLock) => {
      const files = Object.entries(tree).map(([place, content]) => [`${place}package.json`, content] as const);
      checkShape(await catalogueTree({ ...Object.fromEntries(files), ...(hasLock && { "package-lock.json": lock }) }));
    }),
    { numRuns: 300 },
  );
});

test("J7: cycles, self-references and packages that ask for themselves end", async () => {
  const found = await catalogueTree({
    "package.json": { name: "shop", version: "1.0.0", dependencies: { a: "1", shop: "1" } },
    "node_modules/a/package.json": { name: "a", version: "1.0.0", dependencies: { b: "1", a: "1" } },
    "node_modules/b/package.json": { name: "b", version: "1.0.0", dependencies: { a: "1" } },
  });
  checkShape(found);
  expect(found.roots).toEqual(["/#project"]);
});

test("J7: a package.json that is none, or too large, is a loss", async () => {
  const found = await catalogueTree({
    "node_modules/a/package.json": "{",
    "node_modules/b/package.json": "[]",
    "node_modules/c/package.json": `{"name":"c","version":"1.0.0","x":"${"x".repeat(4 * 1024 * 1024)}"}`,
    "node_modules/d/package.json": '{"name":"d"}',
    "node_modules/e/package.json": '\ufeff{"name":"e","version":"v1.0.0"}',
  });
  expect(found.losses.map(({ path, code }) => `${path} ${code}`)).toEqual(
    ["a", "b", "c", "d"].map((name) => `node_modules/${name}/package.json SBOM_NPM_MANIFEST`),
  );
  expect(named(found, "e").version).toBe("1.0.0");
});

test("J7: packages that ask for more than is ever looked up lose edges, and say so", async () => {
  const dependencies = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`p${at}`, "*"]));
  const text = JSON.stringify({ name: "a", version: "1.0.0", dependencies });
  const files = Array.from({ length: 40 }, (_, at) => [
    `${"node_modules/x/".repeat(at)}node_modules/x/package.json`,
    text,
  ]);
  const found = await catalogueTree(Object.fromEntries(files) as Record<string, string>);
  expect(found.components).toHaveLength(40);
  expect(found.losses.map(({ code }) => code)).toEqual(["SBOM_NPM_TOO_MANY"]);
});

test("J7: a package under another's name is what its own manifest says, with the name of its place", async () => {
  const found = await catalogueTree({ "node_modules/left/package.json": { name: "evil", version: "1.0.0" } });
  expect(named(found, "evil").properties).toEqual([{ name: "touchmark:alias", value: "left" }]);
});
