import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { collected } from "../collected.fixture.ts";
import { javascript } from "./javascript.ts";
import { catalogueTree, edgesOf, named } from "./tree.fixture.ts";

const sri = (text: string): string => `sha512-${createHash("sha512").update(text).digest("base64")}`;
const locked = (text: string, more: object = {}) => ({ version: "1.0.0", integrity: sri(text), ...more });
const npmLock = (packages: object): object => ({
  name: "shop",
  version: "1.0.0",
  lockfileVersion: 3,
  packages: { "": { name: "shop", dependencies: { a: "*" }, devDependencies: { d: "*" } }, ...packages },
});
const pack = (name: string, more: object = {}): object => ({ name, version: "1.0.0", ...more });

test("J2: lockfiles of npm, pnpm, yarn and bun give the same components, edges and scopes", async () => {
  const [a, b, d] = [sri("a"), sri("b"), sri("d")];
  const manifest = pack("shop", { dependencies: { a: "^1.0.0" }, devDependencies: { d: "^1.0.0" } });
  const trees: Readonly<Record<string, string | object>> = {
    "package-lock.json": npmLock({
      "node_modules/a": locked("a", { dependencies: { b: "^1.0.0" } }),
      "node_modules/b": locked("b"),
      "node_modules/d": locked("d", { dev: true }),
    }),
    "pnpm-lock.yaml": `lockfileVersion: '9.0'
importers:
  .:
    dependencies: {a: {specifier: ^1.0.0, version: 1.0.0}}
    devDependencies: {d: {specifier: ^1.0.0, version: 1.0.0}}
packages:
  a@1.0.0: {resolution: {integrity: ${a}}}
  b@1.0.0: {resolution: {integrity: ${b}}}
  d@1.0.0: {resolution: {integrity: ${d}}}
snapshots:
  a@1.0.0: {dependencies: {b: 1.0.0}}
  b@1.0.0: {}
  d@1.0.0: {}
`,
    "yarn.lock": `# yarn lockfile v1


a@^1.0.0:
  version "1.0.0"
  resolved "https://npm.example.test/a/-/a-1.0.0.tgz"
  integrity ${a}
  dependencies:
    b "^1.0.0"

b@^1.0.0:
  version "1.0.0"
  resolved "https://npm.example.test/b/-/b-1.0.0.tgz"
  integrity ${b}

d@^1.0.0:
  version "1.0.0"
  resolved "https://npm.example.test/d/-/d-1.0.0.tgz"
  integrity ${d}
`,
    "bun.lock": `{"lockfileVersion": 1, "workspaces": {"": {"name": "shop", "dependencies": {"a": "^1.0.0"}, "devDependencies": {"d": "^1.0.0"},},},
"packages": {"a": ["a@1.0.0", "", {"dependencies": {"b": "^1.0.0"}}, "${a}"], "b": ["b@1.0.0", "", {}, "${b}"], "d": ["d@1.0.0", "", {}, "${d}"],}}`,
  };
  for (const [name, content] of Object.entries(trees)) {
    const found = await catalogueTree({ "package.json": manifest, [name]: content });
    expect(found.losses).toEqual([]);
    expect(found.components.map((one) => [one.name, one.version, one.scope])).toEqual([
      ["a", "1.0.0", "runtime"],
      ["b", "1.0.0", "runtime"],
      ["d", "1.0.0", "development"],
      ["shop", "1.0.0", "runtime"],
    ]);
    expect(named(found, "a").hashes).toEqual([
      { algorithm: "sha512", value: createHash("sha512").update("a").digest("hex") },
    ]);
    expect(edgesOf(found, "shop")).toEqual(["a@1.0.0", "d@1.0.0"]);
    expect(edgesOf(found, "a")).toEqual(["b@1.0.0"]);
    expect(found.roots).toEqual([named(found, "shop").key]);
  }
});

test("J4: installed packages are read where Node finds them, with edges as it resolves them", async () => {
  const found = await catalogueTree({
    "app/package.json": pack("shop", {
      dependencies: { a: "1" },
      optionalDependencies: { o: "1" },
      devDependencies: { d: "1" },
    }),
    "app/node_modules/a/package.json": pack("a", {
      dependencies: { b: "2" },
      peerDependencies: { d: "1" },
      license: "MIT",
    }),
    "app/node_modules/a/node_modules/b/package.json": { ...pack("b"), version: "2.0.0" },
    "app/node_modules/b/package.json": pack("b", { licenses: [{ type: "MIT" }, { type: "Apache-2.0" }] }),
    "app/node_modules/d/package.json": pack("d", { dependencies: { b: "1", gone: "1" } }),
    "app/node_modules/o/package.json": pack("o", { author: { name: "A", email: "a@example.test" } }),
    "app/node_modules/@s/x/package.json": pack("@s/x"),
    "app/node_modules/a/esm/package.json": { type: "module" },
  });
  expect(found.losses).toEqual([]);
  expect(edgesOf(found, "a")).toEqual(["b@2.0.0", "d@1.0.0"]);
  expect(edgesOf(found, "d")).toEqual(["b@1.0.0"]);
  expect(edgesOf(found, "shop")).toEqual(["a@1.0.0", "d@1.0.0", "o@1.0.0"]);
  const scopes = found.components.map(({ name, version, scope }) => `${name}@${version} ${scope}`);
  expect(scopes).toContain("o@1.0.0 optional");
  expect(scopes).toContain("@s/x@1.0.0 unknown");
  expect(named(found, "d").scope).toBe("runtime");
  expect(named(found, "@s/x")).toMatchObject({ purl: "pkg:npm/%40s/x@1.0.0", ownsBelow: ["app/node_modules/@s/x"] });
  expect(named(found, "o").supplier).toBe("A <a@example.test>");
  const licences = found.components.flatMap(({ declaredLicences = [] }) =>
    declaredLicences.map((one) => one.expression),
  );
  expect(licences.sort()).toEqual(["MIT", "MIT OR Apache-2.0"]);
  expect(found.roots).toEqual(["app/#project", "app/node_modules/@s/x/package.json"]);
});

test("J4: global packages and those of Debian's trees are found without any project", async () => {
  const found = await catalogueTree({
    "usr/local/lib/node_modules/npm/package.json": pack("npm", { dependencies: { semver: "1" } }),
    "usr/local/lib/node_modules/npm/node_modules/semver/package.json": pack("semver"),
    "usr/share/nodejs/acorn/package.json": pack("acorn", { dependencies: { "@types/node": "1" } }),
    "usr/share/nodejs/@types/node/package.json": pack("@types/node"),
    "usr/share/nodejs/acorn/dist/package.json": pack("inner"),
    "opt/yarn-v1.22.22/package.json": pack("yarn", { bin: "./bin/yarn.js" }),
    "opt/fixture/package.json": pack("fixture"),
    "opt/own/package.json": pack("own", { bin: "x", private: true }),
  });
  expect(found.components.map(({ name, purl }) => [name, purl]).sort()).toEqual([
    ["@types/node", "pkg:npm/%40types/node@1.0.0"],
    ["acorn", "pkg:npm/acorn@1.0.0"],
    ["npm", "pkg:npm/npm@1.0.0"],
    ["semver", "pkg:npm/semver@1.0.0"],
    ["yarn", "pkg:npm/yarn@1.0.0"],
  ]);
  expect(edgesOf(found, "npm")).toEqual(["semver@1.0.0"]);
  expect(edgesOf(found, "acorn")).toEqual(["@types/node@1.0.0"]);
  expect(found.roots).toHaveLength(3);
});

test("J4: pnpm's store is read with its record, and without it where a name is clear", async () => {
  const store = "node_modules/.pnpm";
  const packages = {
    "package.json": pack("shop", { dependencies: { a: "1" } }),
    [`${store}/a@1.0.0/node_modules/a/package.json`]: pack("a", { dependencies: { b: "1", c: "1" } }),
    [`${store}/b@1.0.0/node_modules/b/package.json`]: pack("b"),
    [`${store}/c@1.0.0/node_modules/c/package.json`]: pack("c"),
    [`${store}/c@2.0.0/node_modules/c/package.json`]: { ...pack("c"), version: "2.0.0" },
  };
  const without = await catalogueTree(packages);
  expect(edgesOf(without, "shop")).toEqual(["a@1.0.0"]);
  expect(edgesOf(without, "a")).toEqual(["b@1.0.0"]);
  const record = `lockfileVersion: '9.0'
importers:
  .: {dependencies: {a: {specifier: '1', version: 1.0.0}}}
packages:
  a@1.0.0: {resolution: {integrity: ${sri("a")}}}
  b@1.0.0: {resolution: {integrity: ${sri("b")}}}
  c@1.0.0: {resolution: {integrity: ${sri("c")}}}
  gone@1.0.0: {resolution: {integrity: ${sri("gone")}}}
snapshots:
  a@1.0.0: {dependencies: {b: 1.0.0, c: 1.0.0, gone: 1.0.0}}
  b@1.0.0: {}
  c@1.0.0: {}
  gone@1.0.0: {}
`;
  const found = await catalogueTree({ ...packages, [`${store}/lock.yaml`]: record });
  expect(edgesOf(found, "shop")).toEqual(["a@1.0.0"]);
  expect(edgesOf(found, "a")).toEqual(["b@1.0.0", "c@1.0.0"]);
  expect(found.components.map(({ name }) => name)).not.toContain("gone");
  expect(named(found, "a").hashes).toHaveLength(1);
  expect(named(found, "a").occurrences).toEqual([
    { path: `${store}/a@1.0.0/node_modules/a/package.json`, rule: "npm-installed" },
  ]);
});

test("J6: what lies in an installed package locks nothing, and its own files begin no package", async () => {
  const found = await catalogueTree({
    "node_modules/a/package.json": pack("a"),
    "node_modules/a/yarn.lock": 'phantom@1:\n  version "1.0.0"\n',
    "node_modules/a/test/node_modules/fixture/package.json": { name: "fixture" },
    "node_modules/.cache/x/package.json": pack("cached"),
  });
  expect(found.components.map(({ name }) => name)).toEqual(["a"]);
  expect(found.losses).toEqual([]);
  expect(javascript.wants(collected("node_modules/a/yarn.lock", ""))).toBe(false);
});

test("J8: what npm 6 noted of an installed package is kept, without credentials", async () => {
  const found = await catalogueTree({
    "node_modules/@s/a/package.json": pack("@s/a", {
      _resolved: "https://user:secret@npm.example.test/@s/a/-/a-1.0.0.tgz",
      _integrity: sri("a"),
    }),
  });
  expect(named(found, "@s/a").downloadLocation).toBe("https://npm.example.test/@s/a/-/a-1.0.0.tgz");
  expect(named(found, "@s/a").hashes).toHaveLength(1);
});
