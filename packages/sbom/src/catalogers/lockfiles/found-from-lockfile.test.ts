import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Found } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { catalogueLockfile } from "./read-lockfile.ts";

const sri = (text: string): string => `sha512-${createHash("sha512").update(text).digest("base64")}`;
const hex = (text: string): string => createHash("sha512").update(text).digest("hex");
type Entries = Readonly<Record<string, object>>;

function lock(packages: Entries): string {
  const root = { name: "shop", version: "1.0.0", license: "MIT", dependencies: { a: "^1.0.0" } };
  return JSON.stringify({ name: "shop", version: "1.0.0", lockfileVersion: 3, packages: { "": root, ...packages } });
}

function read(packages: Entries): Found {
  const file = collected("app/package-lock.json", lock(packages));
  return catalogueLockfile(file, contextOf([file]), "npm-package-lock");
}

const b = { version: "1.0.0", integrity: sri("b") };
const a = {
  version: "1.0.0",
  resolved: "https://npm.example.test/a/-/a-1.0.0.tgz",
  integrity: sri("a"),
  license: "ISC",
};

test("J1: a locked package is a component with hash, scope, licence, origin and place", () => {
  const found = read({ "node_modules/a": { ...a, dependencies: { b: "*" } }, "node_modules/b": { ...b, dev: true } });
  expect(found.losses).toEqual([]);
  expect(found.components[1]).toEqual({
    key: "app/package-lock.json#node_modules/a",
    kind: "library",
    name: "a",
    version: "1.0.0",
    purl: "pkg:npm/a@1.0.0",
    type: "npm",
    scope: "runtime",
    direct: true,
    hashes: [{ algorithm: "sha512", value: hex("a") }],
    declaredLicences: [{ expression: "ISC", path: "app/package-lock.json", confidence: 1 }],
    downloadLocation: "https://npm.example.test/a/-/a-1.0.0.tgz",
    occurrences: [{ path: "app/package-lock.json", rule: "npm-package-lock" }],
    properties: [],
  });
  expect(found.components[2]?.scope).toBe("development");
});

test("J1: the project is the root of what it asks for, and edges are those of the lockfile", () => {
  const found = read({ "node_modules/a": { ...a, dependencies: { b: "*" } }, "node_modules/b": b });
  const key = (place: string): string => `app/package-lock.json#${place}`;
  expect(found.roots).toEqual([key("")]);
  expect(found.edges).toEqual([
    { from: key(""), to: [key("node_modules/a")] },
    { from: key("node_modules/a"), to: [key("node_modules/b")] },
    { from: key("node_modules/b"), to: [] },
  ]);
  expect(found.components[0]).toMatchObject({ kind: "application", name: "shop", version: "1.0.0", type: "npm" });
});

test("J1: a package from a commit or an archive keeps the type of its ecosystem", () => {
  const commit = "0123456789012345678901234567890123456789";
  const found = read({
    "node_modules/a": { version: "1.0.0", resolved: `git+ssh://git@example.test/x/a.git#${commit}` },
    "node_modules/b": { version: "2.0.0", resolved: "file:vendor/b.tgz", integrity: sri("b") },
    "node_modules/c": { version: "3.0.0", resolved: "file:lib/c" },
  });
  expect(found.components.slice(1).map(({ purl, type }) => [purl, type])).toEqual([
    [`pkg:npm/a@1.0.0?vcs_url=git%2Bssh://git%40example.test/x/a.git%40${commit}`, "npm"],
    ["pkg:npm/b@2.0.0", "npm"],
    [undefined, "npm"],
  ]);
  expect(found.components[3]?.properties).toEqual([{ name: "touchmark:local-path", value: "lib/c" }]);
});

test("J1: what else the lockfile says stands in properties", () => {
  const found = read({
    "node_modules/a": {
      ...a,
      name: "real-a",
      resolved: undefined,
      hasInstallScript: true,
      os: ["linux"],
      cpu: ["x64"],
    },
    "node_modules/b": { ...a, bundleDependencies: ["c"], dependencies: { c: "*" } },
    "node_modules/b/node_modules/c": { version: "1.0.0", inBundle: true },
  });
  expect(found.components[1]).toMatchObject({ name: "real-a" });
  expect(found.components.slice(1).map(({ properties }) => properties)).toEqual([
    [
      { name: "touchmark:alias", value: "a" },
      { name: "touchmark:install-scripts", value: "true" },
      { name: "touchmark:platform", value: "os=linux cpu=x64" },
    ],
    [],
    [{ name: "touchmark:bundled-within", value: "b" }],
  ]);
});

test("J3: an entry that the door refuses is kept, and the loss is stated once for each code", () => {
  const found = read({
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0" },
    "node_modules/c": { version: "3.0.0", integrity: "sha512-short" },
    "node_modules/d": { ...a, resolved: "https://user:secret@example.test/d/-/d-1.0.0.tgz" },
    "node_modules/..": { version: "1.0.0" },
  });
  expect(found.components.slice(1).map(({ name, version }) => `${name}@${version}`)).toEqual([
    "a@1.0.0",
    "b@2.0.0",
    "c@3.0.0",
    "d@1.0.0",
  ]);
  expect(found.losses.map(({ code }) => code).sort()).toEqual([
    "LOCKFILE_ADDRESS",
    "LOCKFILE_DIGEST",
    "LOCKFILE_DIGEST_MISSING",
    "LOCKFILE_NAME",
  ]);
  expect(found.losses.find(({ code }) => code === "LOCKFILE_DIGEST_MISSING")?.message).toMatch(/first of 2 such/);
  expect(JSON.stringify(found)).not.toContain("secret");
});

test("J3: one package with two digests is two components' worth of evidence, and a loss", () => {
  const found = read({
    "node_modules/a": a,
    "node_modules/b": a,
    "node_modules/b/node_modules/a": { ...a, integrity: sri("other") },
  });
  expect(found.components.filter(({ name }) => name === "a").map(({ hashes }) => hashes?.[0]?.value)).toEqual([
    hex("a"),
    hex("other"),
  ]);
  expect(found.losses.map(({ code }) => code)).toEqual(["LOCKFILE_ADDRESS", "LOCKFILE_DUPLICATE"]);
});

test("J3: a lockfile that cannot be read at all is a loss and nothing else", () => {
  for (const [text, code] of [
    ["<<<<<<< HEAD\n{}", "LOCKFILE_MALFORMED"],
    ['{"lockfileVersion": 9, "packages": {}}', "LOCKFILE_VERSION"],
    ['{"lockfileVersion": 3}', "LOCKFILE_MALFORMED"],
  ] as const) {
    const file = collected("package-lock.json", text);
    const found = catalogueLockfile(file, contextOf([file]), "npm-package-lock");
    expect(found).toMatchObject({ components: [], edges: [], roots: [] });
    expect(found.losses).toMatchObject([{ path: "package-lock.json", code }]);
  }
});
