import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { composerLock } from "./composer.ts";
import { installedComposerPackages } from "./installed-packages.ts";

const sha1 = "0123456789abcdef0123456789abcdef01234567";
const console_ = {
  name: "Symfony/Console",
  version: "v7.1.0",
  source: { type: "git", url: "https://git.example/console.git", reference: "abc" },
  dist: { type: "zip", url: "https://dist.example/console.zip", reference: "abc", shasum: sha1 },
  require: { php: ">=8.2", "ext-json": "*", "psr/log-implementation": "1.0", "symfony/string": "^7" },
  license: ["MIT", "GPL-2.0-only"],
  authors: [{ name: "A. Person", email: "a@example.test" }, {}],
  homepage: "https://example.test",
  description: "A console",
};
const string = {
  name: "symfony/string",
  version: "v7.1.0",
  dist: { type: "zip", url: "u", shasum: "" },
  require: [],
  license: "MIT",
};
const logger = { name: "acme/logger", version: "1.0.0", provide: { "psr/log-implementation": "1.0" } };
const near = { name: "acme/near", version: "dev-main", dist: { type: "path", url: "../near" } };
const unit = { name: "acme/unit", version: "2.0.0", require: { "symfony/string": "*" } };
const lock = { "content-hash": "x", packages: [console_, string, logger, near], "packages-dev": [unit], platform: [] };
const manifest = {
  name: "acme/app",
  license: "MIT",
  require: { php: "*", "symfony/console": "^7", "acme/near": "*" },
  "require-dev": { "acme/unit": "*" },
};

async function locked(files: Readonly<Record<string, unknown>>) {
  const all = Object.entries(files).map(([path, json]) =>
    collected(path, typeof json === "string" ? json : JSON.stringify(json)),
  );
  return composerLock.catalogue(
    all.filter((file) => composerLock.wants(file)),
    contextOf(all),
  );
}

test("R8: a lockfile gives packages with scopes and edges, and the project beside it", async () => {
  const { components, edges, roots, losses } = await locked({
    "srv/composer.lock": lock,
    "srv/composer.json": manifest,
  });
  expect(losses).toEqual([]);
  const key = (name: string) => `srv/composer.lock#${name}`;
  expect(roots).toEqual([key("")]);
  expect(new Map(edges.map(({ from, to }) => [from, [...to].sort()]))).toEqual(
    new Map([
      [key(""), [key("acme/near"), key("acme/unit"), key("symfony/console")]],
      [key("symfony/console"), [key("acme/logger"), key("symfony/string")]],
      [key("symfony/string"), []],
      [key("acme/logger"), []],
      [key("acme/near"), []],
      [key("acme/unit"), [key("symfony/string")]],
    ]),
  );
  const byName = new Map(components.map((component) => [component.name, component]));
  expect(byName.get("acme/app")).toMatchObject({ kind: "application" });
  expect(byName.get("acme/unit")).toMatchObject({ scope: "development", direct: true });
  expect(byName.get("acme/near")?.purl).toBeUndefined();
  expect(byName.get("symfony/console")).toMatchObject({
    purl: "pkg:composer/symfony/console@v7.1.0",
    hashes: [{ algorithm: "sha1", value: sha1 }],
    supplier: "A. Person",
    downloadLocation: "https://dist.example/console.zip",
    properties: [{ name: "touchmark:vcs", value: "git+https://git.example/console.git@abc" }],
  });
  const [licence] = byName.get("symfony/console")?.declaredLicences ?? [];
  expect(licence?.expression ?? licence?.text).toMatch(/MIT OR|OR MIT/);
});

test("R8: without a manifest the roots are what nothing needs; without its name, what it wants", async () => {
  expect((await locked({ "composer.lock": lock })).roots).toHaveLength(3);
  const { name: _, ...nameless } = manifest;
  expect((await locked({ "composer.lock": lock, "composer.json": nameless })).roots).toHaveLength(3);
  expect((await locked({ "composer.lock": lock, "composer.json": "{" })).losses).toEqual([]);
});

test("R8: a lockfile in the folder of an installed package is not read", async () => {
  expect((await locked({ "vendor/acme/logger/composer.lock": lock })).components).toEqual([]);
});

test.each([
  [
    "Composer 2",
    {
      packages: [{ ...console_, "install-path": "../symfony/console" }, string],
      "dev-package-names": ["Symfony/String"],
    },
  ],
  ["Composer 1", [console_, string]],
])("R8: the list of %s gives what is installed, and its folders", async (name, list) => {
  const file = collected("srv/vendor/composer/installed.json", JSON.stringify(list));
  expect(installedComposerPackages.wants(file)).toBe(true);
  const { components, edges } = await installedComposerPackages.catalogue([file], contextOf([file]));
  expect(components.map(({ ownsBelow }) => ownsBelow)).toEqual([
    ["srv/vendor/symfony/console"],
    ["srv/vendor/symfony/string"],
  ]);
  expect(components[1]?.scope).toBe(name === "Composer 2" ? "development" : "runtime");
  expect(edges[0]?.to).toEqual(["srv/vendor/composer/installed.json#symfony/string"]);
});

test("R8: a folder outside the tree belongs to nobody", async () => {
  const list = { packages: [{ ...string, "install-path": "../../../../etc" }] };
  const file = collected("vendor/composer/installed.json", JSON.stringify(list));
  const { components } = await installedComposerPackages.catalogue([file], contextOf([file]));
  expect(components[0]?.ownsBelow).toBeUndefined();
});

test.each([
  ["is no JSON", "{", /^JSON_/],
  ["is a list", [], /^SBOM_FILE_MALFORMED$/],
  ["has something else for packages", { packages: "all" }, /^SBOM_FILE_MALFORMED$/],
  ["has a package without version", { packages: [{ name: "a/b" }] }, /^SBOM_FILE_MALFORMED$/],
  ["has a package without vendor", { packages: [{ name: "b", version: "1" }] }, /^SBOM_FILE_MALFORMED$/],
  [
    "has a name that is slow to refuse",
    { packages: [{ name: `${"a".repeat(250)}!/b`, version: "1" }] },
    /^SBOM_FILE_MALFORMED$/,
  ],
  ["has a package that is text", { packages: ["a/b"] }, /^SBOM_FILE_MALFORMED$/],
  ["has needs that are text", { packages: [{ name: "a/b", version: "1", require: "c/d" }] }, /^SBOM_FILE_MALFORMED$/],
])("R10: a composer.lock that %s is a loss", async (_, json, code) => {
  const { components, losses } = await locked({ "a/composer.lock": json, "b/composer.lock": lock });
  expect(components).toHaveLength(5);
  expect(losses).toMatchObject([{ path: "a/composer.lock", code: expect.stringMatching(code) as string }]);
});

test("R10: an installed.json that is no list is a loss", async () => {
  const file = collected("vendor/composer/installed.json", '"all"');
  const { losses } = await installedComposerPackages.catalogue([file], contextOf([file]));
  expect(losses).toMatchObject([{ code: "SBOM_FILE_MALFORMED" }]);
});

test("R10: no JSON makes the catalogers do anything but answer or lose", async () => {
  const member = fc.constantFrom("name", "version", "require", "license", "dist", "authors", "install-path");
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("a/b", "1.0", { "a/b": "1" }, ["MIT"]));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(member, value), { maxLength: 4 }), async (packages) => {
      const { losses } = await locked({ "composer.lock": { packages }, "composer.json": packages[0] ?? {} });
      const file = collected("vendor/composer/installed.json", JSON.stringify(packages));
      const found = await installedComposerPackages.catalogue([file], contextOf([file]));
      for (const { code } of [...losses, ...found.losses]) expect(code).toMatch(/^(?:SBOM_FILE_|PACKAGE_URL_|JSON_)/);
    }),
    { numRuns: 500 },
  );
});
