import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { catalogueTree, edgesOf, named } from "./tree.fixture.ts";

const sri = (text: string): string => `sha512-${createHash("sha512").update(text).digest("base64")}`;
const locked = (text: string, more: object = {}) => ({ version: "1.0.0", integrity: sri(text), ...more });
const root = { name: "shop", version: "1.0.0", dependencies: { a: "*" }, workspaces: ["packages/*"] };
const npmLock = (packages: object): object => ({ ...root, lockfileVersion: 3, packages: { "": root, ...packages } });
const pack = (name: string, more: object = {}): object => ({ name, version: "1.0.0", ...more });

test("J5: what is locked and installed is one component with both places", async () => {
  const found = await catalogueTree({
    "app/package.json": pack("shop", { dependencies: { a: "*" }, license: "MIT" }),
    "app/package-lock.json": npmLock({
      "node_modules/a": locked("a", { dependencies: { b: "*" } }),
      "node_modules/b": locked("b"),
    }),
    "app/node_modules/a/package.json": pack("a", { license: "ISC", dependencies: { b: "*", more: "*" } }),
    "app/node_modules/b/package.json": { ...pack("b"), version: "6.6.6" },
  });
  expect(named(found, "a").occurrences).toEqual([
    { path: "app/package-lock.json", rule: "npm-package-lock" },
    { path: "app/node_modules/a/package.json", rule: "npm-installed" },
  ]);
  expect(named(found, "a")).toMatchObject({
    declaredLicences: [{ expression: "ISC" }],
    ownsBelow: ["app/node_modules/a"],
    hashes: [{ algorithm: "sha512" }],
  });
  expect(edgesOf(found, "a")).toEqual(["b@1.0.0"]);
  const both = found.components
    .filter(({ name }) => name === "b")
    .map(({ version, occurrences }) => [version, occurrences[0]?.path]);
  expect(both).toEqual([
    ["1.0.0", "app/package-lock.json"],
    ["6.6.6", "app/node_modules/b/package.json"],
  ]);
  expect(named(found, "shop").occurrences.map(({ path }) => path)).toEqual([
    "app/package-lock.json",
    "app/package.json",
  ]);
});

test("J5: npm's own record tells of installed packages when the lockfile is not there, and of nothing else", async () => {
  const found = await catalogueTree({
    "package.json": pack("shop", { dependencies: { a: "*" } }),
    "node_modules/.package-lock.json": {
      lockfileVersion: 3,
      packages: { "node_modules/a": locked("a", { dev: true }), "node_modules/gone": locked("gone") },
    },
    "node_modules/a/package.json": pack("a"),
  });
  expect(found.losses).toEqual([]);
  expect(found.components.map(({ name }) => name)).toEqual(["a", "shop"]);
  expect(named(found, "a")).toMatchObject({ scope: "development", hashes: [{ algorithm: "sha512" }] });
  expect(named(found, "a").occurrences).toEqual([{ path: "node_modules/a/package.json", rule: "npm-installed" }]);
  expect(edgesOf(found, "shop")).toEqual(["a@1.0.0"]);
});

test("J5: a workspace is its package in the lockfile, with what its manifest says", async () => {
  const found = await catalogueTree({
    "package.json": root,
    "package-lock.json": npmLock({
      "node_modules/a": locked("a"),
      "node_modules/w": { resolved: "packages/w", link: true },
      "packages/w": { name: "w", version: "0.1.0", dependencies: { a: "*" } },
    }),
    "packages/w/package.json": { name: "w", version: "0.1.0", license: "MIT", dependencies: { a: "*" } },
  });
  expect(named(found, "w").occurrences.map(({ path, rule }) => [path, rule])).toEqual([
    ["package-lock.json", "npm-package-lock"],
    ["packages/w/package.json", "npm-manifest"],
  ]);
  expect(named(found, "w").purl).toBeUndefined();
  expect(edgesOf(found, "w")).toEqual(["a@1.0.0"]);
  expect(edgesOf(found, "shop")).toEqual(["a@1.0.0"]);
});

test("J5: yarn does not repeat a workspace's name and wishes; its manifest does", async () => {
  const lock = `__metadata:
  version: 8

"a@npm:^1.0.0":
  version: 1.0.0
  resolution: "a@npm:1.0.0"
  languageName: node
  linkType: hard

"shop@workspace:.":
  version: 0.0.0-use.local
  resolution: "shop@workspace:."
  dependencies:
    w: "workspace:*"
  languageName: unknown
  linkType: soft

"w@workspace:*, w@workspace:packages/w":
  version: 0.0.0-use.local
  resolution: "w@workspace:packages/w"
  dependencies:
    a: "npm:^1.0.0"
  languageName: unknown
  linkType: soft
`;
  const found = await catalogueTree({
    "yarn.lock": lock,
    "package.json": { name: "shop", workspaces: ["packages/*"], dependencies: { w: "workspace:*" } },
    "packages/w/package.json": { name: "w", version: "0.3.0", dependencies: { a: "^1.0.0" } },
    "packages/w/node_modules/a/package.json": pack("a"),
  });
  expect(named(found, "w").version).toBe("0.3.0");
  expect(edgesOf(found, "shop")).toEqual(["w@0.3.0"]);
  expect(edgesOf(found, "w")).toEqual(["a@1.0.0"]);
  expect(named(found, "a").occurrences).toHaveLength(2);
});

test("J5: two lockfiles of one project have one root", async () => {
  const found = await catalogueTree({
    "package.json": pack("shop", { dependencies: { a: "*" } }),
    "package-lock.json": npmLock({ "node_modules/a": locked("a") }),
    "yarn.lock": `a@*:\n  version "1.0.0"\n  resolved "https://npm.example.test/a/-/a-1.0.0.tgz"\n  integrity ${sri("a")}\n`,
  });
  expect(found.roots).toEqual(["/#project"]);
  expect(named(found, "shop").occurrences.map(({ rule }) => rule)).toEqual([
    "npm-package-lock",
    "yarn-lock",
    "npm-manifest",
  ]);
  expect(edgesOf(found, "shop")).toEqual(["a@1.0.0", "a@1.0.0"]);
});

test("J5: a lockfile without a name belongs to the project of the package.json beside it, or to the tree", async () => {
  const pnpm = `lockfileVersion: '9.0'\nimporters:\n  .: {dependencies: {a: {specifier: '1', version: 1.0.0}}}\npackages:\n  a@1.0.0: {resolution: {integrity: ${sri("a")}}}\nsnapshots:\n  a@1.0.0: {}\n`;
  const named = await catalogueTree({ "x/pnpm-lock.yaml": pnpm, "x/package.json": pack("shop") });
  expect(named.roots).toEqual(["x/#project"]);
  const nameless = await catalogueTree({ "x/pnpm-lock.yaml": pnpm });
  expect(nameless.roots).toEqual(["x/pnpm-lock.yaml#a@1.0.0"]);
});

test("J9: a project whose packages nothing tells is a loss; a lockfile above it or installed packages tell", async () => {
  const manifest = pack("shop", { dependencies: { a: "^1.0.0" }, devDependencies: { d: "*" } });
  const found = await catalogueTree({
    "alone/package.json": manifest,
    "locked/package-lock.json": npmLock({}),
    "locked/inner/package.json": manifest,
    "installed/package.json": manifest,
    "installed/node_modules/a/package.json": pack("a"),
    "nothing/package.json": pack("nothing"),
    "tool/package.json": pack("tool", { main: "x.js", devDependencies: { d: "*" } }),
    "usr/lib/x/package.json": manifest,
  });
  expect(found.losses).toMatchObject([{ path: "alone/package.json", code: "SBOM_NPM_UNLOCKED" }]);
});
