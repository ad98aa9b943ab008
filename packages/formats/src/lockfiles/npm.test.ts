import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LockedPackage, type Lockfile, readLockfile } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../testdata/lockfiles");
const sri = (text: string): string => `sha512-${createHash("sha512").update(text).digest("base64")}`;

type Entries = Record<string, Record<string, unknown>>;
const lock = (packages: Entries, version: unknown = 3): string =>
  JSON.stringify({ name: "shop", version: "1.0.0", lockfileVersion: version, packages });
const read = (packages: Entries): Lockfile =>
  readLockfile("package-lock.json", lock({ "": { name: "shop", version: "1.0.0" }, ...packages }));
const at = (lockfile: Lockfile, key: string): LockedPackage | undefined =>
  lockfile.packages.find((one) => one.key === key);
const plain = (name: string, version = "1.0.0", more: Record<string, unknown> = {}) => ({
  version,
  integrity: sri(`${name}@${version}`),
  ...more,
});

/** 1,500 packages, nested and deduplicated as npm does it, with what everyone depends on at the top. */
function synthetic(): Entries {
  const packages: Entries = { "": { name: "shop", version: "1.0.0", dependencies: { p0: "^1.0.0", p1: "^1.0.0" } } };
  for (let i = 0; i < 1250; i++) {
    const dependencies: Record<string, string> = {};
    for (const next of [2 * i + 1, 2 * i + 2]) if (next < 1250) dependencies[`p${next}`] = "^1.0.0";
    if (i % 5 === 0) dependencies["shared"] = "^2.0.0";
    if (i % 5 === 1) dependencies["shared"] = "^1.0.0";
    packages[`node_modules/p${i}`] = plain(`p${i}`, "1.0.0", { dependencies });
    if (i % 5 === 0) packages[`node_modules/p${i}/node_modules/shared`] = plain("shared", "2.0.0");
  }
  packages["node_modules/shared"] = plain("shared", "1.0.0");
  return packages;
}

test("J3: 1,500 packages lead where npm would look", () => {
  const lockfile = readLockfile("x/package-lock.json", lock(synthetic()));
  expect(lockfile.packages).toHaveLength(1501);
  expect(at(lockfile, "node_modules/p10")?.dependencies).toEqual([
    "node_modules/p21",
    "node_modules/p22",
    "node_modules/p10/node_modules/shared",
  ]);
  expect(lockfile.packages.filter(({ direct }) => direct).map(({ name }) => name)).toEqual(["p0", "p1"]);
});

const npm = spawnSync("npm", ["--version"], { encoding: "utf8" });
const hasNpm = npm.status === 0;

interface ListedNode {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, ListedNode>>;
}

/** What `npm ls` shows of a lockfile alone: packages, and edges by name and version. */
function listedByNpm(directory: string): { packages: Set<string>; edges: Set<string> } {
  const words = ["ls", "--all", "--json", "--package-lock-only", "--offline"];
  const { stdout } = spawnSync("npm", words, { cwd: directory, encoding: "utf8", maxBuffer: 1 << 28 });
  const packages = new Set<string>();
  const edges = new Set<string>();
  const walk = (node: ListedNode, self: string | undefined): void => {
    for (const [name, child] of Object.entries(node.dependencies ?? {})) {
      if (child.version === undefined) continue;
      const key = `${child.name ?? name}@${child.version}`;
      packages.add(key);
      if (self !== undefined) edges.add(`${self} > ${key}`);
      walk(child, key);
    }
  };
  walk(JSON.parse(stdout) as ListedNode, undefined);
  return { packages, edges };
}

test.skipIf(!hasNpm).each([
  ["npm-3", readFileSync(join(fixtures, "npm-3/package-lock.json"), "utf8")],
  ["npm-bundled", readFileSync(join(fixtures, "npm-bundled/package-lock.json"), "utf8")],
  ["1,500 packages", lock(synthetic())],
])(`J2: %s is read as npm lists it${hasNpm ? "" : " (skipped: no npm)"}`, (_, text) => {
  const directory = mkdtempSync(join(tmpdir(), "lockfile-"));
  try {
    writeFileSync(join(directory, "package-lock.json"), text);
    const root = (JSON.parse(text) as { packages: Entries }).packages[""];
    writeFileSync(join(directory, "package.json"), JSON.stringify(root));
    const listed = listedByNpm(directory);
    const lockfile = readLockfile("package-lock.json", text);
    const byKey = new Map(lockfile.packages.map((one) => [one.key, one]));
    // npm lists an aliased package by its alias.
    const spell = (one?: LockedPackage): string => `${one?.alias ?? one?.name}@${one?.version}`;
    const edges = lockfile.packages.flatMap((one) =>
      one.dependencies.map((key) => `${spell(one)} > ${spell(byKey.get(key))}`),
    );
    // It leaves out optional packages that are not installed.
    const optional = new Set(lockfile.packages.filter(({ platform }) => platform).map(spell));
    const isSure = (edge: string) => !optional.has(edge.replace(/^.* > /, ""));
    const names = lockfile.packages.map(spell).filter((name) => !optional.has(name));
    expect([...new Set(names)].sort()).toEqual([...listed.packages].filter((name) => !optional.has(name)).sort());
    expect([...new Set(edges)].filter(isSure).sort()).toEqual([...listed.edges].filter(isSure).sort());
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("J3: workspaces, links, aliases and platforms of a real lockfile", () => {
  const lockfile = readLockfile("package-lock.json", readFileSync(join(fixtures, "npm-3/package-lock.json")));
  expect(lockfile).toMatchObject({
    format: "npm-package-lock-3",
    root: { name: "shop", version: "1.0.0" },
    limits: [],
  });
  expect(at(lockfile, "node_modules/kind")).toMatchObject({ name: "kind-of", alias: "kind", direct: true });
  const a = at(lockfile, "packages/a");
  expect(a).toMatchObject({ name: "@shop/a", version: "1.0.0", from: { kind: "local", path: "packages/a" } });
  expect(a?.dependencies).toEqual(["packages/b", "packages/a/node_modules/ms"]);
  expect(a?.purl).toBeUndefined();
  expect(at(lockfile, "node_modules/@shop/a")).toBeUndefined();
  expect(at(lockfile, "node_modules/left-pad")).toMatchObject({ direct: true, scope: "development" });
  expect(at(lockfile, "node_modules/esbuild")).toMatchObject({ installScripts: true, scope: "development" });
  expect(at(lockfile, "node_modules/fsevents")).toMatchObject({ scope: "optional", platform: { os: ["darwin"] } });
});

test("J3: git, tarballs, musl, peers and several digests", () => {
  const commit = "a".repeat(40);
  const lockfile = read({
    "": {
      name: "shop",
      dependencies: { g: "github:o/g", t: "https://files.example/t.tgz", r: "^1.0.0" },
    },
    "node_modules/g": { version: "1.0.0", resolved: `git+ssh://git@git.example/o/g.git#${commit}` },
    "node_modules/t": plain("t", "1.0.0", { resolved: "https://files.example/t.tgz" }),
    "node_modules/r": {
      version: "1.0.0",
      integrity: `sha1-${createHash("sha1").update("r").digest("base64")} ${sri("r")}`,
      resolved: "https://registry.example/r/-/r-1.0.0.tgz",
      peerDependencies: { p: "*", absent: "*" },
      peerDependenciesMeta: { absent: { optional: true } },
    },
    "node_modules/p": plain("p", "1.0.0", { peer: true, libc: ["musl"], os: ["linux"], cpu: ["x64"], optional: true }),
  });
  expect(at(lockfile, "node_modules/g")).toMatchObject({
    from: { kind: "git", url: "ssh://git@git.example/o/g.git", commit },
    purl: `pkg:generic/g@${commit}?vcs_url=git%2Bssh://git%40git.example/o/g.git%40${commit}`,
  });
  const bare = { resolved: `git+https://git.example/o/bare.git#${commit}`, integrity: sri("packed by npm") };
  expect(read({ "node_modules/bare": bare }).packages[0]).toMatchObject({ version: "", digests: [] });
  expect(at(lockfile, "node_modules/t")).toMatchObject({ from: { kind: "url", url: "https://files.example/t.tgz" } });
  expect(at(lockfile, "node_modules/r")?.digests.map(({ algorithm }) => algorithm)).toEqual(["sha512", "sha1"]);
  expect(at(lockfile, "node_modules/r")?.from).toEqual({
    kind: "registry",
    url: "https://registry.example/r/-/r-1.0.0.tgz",
  });
  expect(at(lockfile, "node_modules/r")?.dependencies).toEqual(["node_modules/p"]);
  expect(at(lockfile, "node_modules/p")?.platform).toEqual({ os: ["linux"], cpu: ["x64"], libc: ["musl"] });
});

test("J4: a flag inBundle saves nobody a digest: what counts is the outer package", () => {
  const inner = { version: "1.0.0", inBundle: true };
  const packages = (outer: Record<string, unknown>) => ({
    "node_modules/outer": plain("outer", "1.0.0", { dependencies: { inner: "1" }, ...outer }),
    "node_modules/outer/node_modules/inner": inner,
  });
  expect(() => read(packages({}))).toThrow(expect.objectContaining({ code: "LOCKFILE_DIGEST_MISSING" }));
  const lockfile = read(packages({ bundleDependencies: ["inner"] }));
  expect(at(lockfile, "node_modules/outer/node_modules/inner")?.from.kind).toBe("bundled");
  // What the project itself bundles for its own archive is fetched like anything else.
  const own = { "": { name: "shop", bundleDependencies: ["inner"] }, "node_modules/inner": inner };
  expect(() => read(own)).toThrow(expect.objectContaining({ code: "LOCKFILE_DIGEST_MISSING" }));
});

test("J9: a dependency that is nowhere is told, not invented", () => {
  const lockfile = read({ "": { name: "shop", dependencies: { gone: "1" }, optionalDependencies: { away: "1" } } });
  expect(lockfile.limits).toEqual(["1 dependencies are in no node_modules of the lockfile (the project > gone)"]);
});

test("J1: version 2 is read without its part for npm 6, version 1 is refused with what to do", () => {
  const two = JSON.stringify({
    ...(JSON.parse(lock({ "": {}, "node_modules/a": plain("a") }, 2)) as object),
    dependencies: { a: { version: "6.6.6" } },
  });
  const lockfile = readLockfile("npm-shrinkwrap.json", two);
  expect(lockfile).toMatchObject({ format: "npm-package-lock-2", packages: [{ version: "1.0.0" }] });
  expect(lockfile.limits[0]).toContain("npm 6");
  for (const old of [lock({}, 1), JSON.stringify({ name: "x", dependencies: {} }), lock({ "": {} }, 4)]) {
    expect(() => readLockfile("package-lock.json", old)).toThrow(expect.objectContaining({ code: "LOCKFILE_VERSION" }));
  }
  expect(() => readLockfile("package-lock.json", lock({}, 1))).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("--package-lock-only") }),
  );
});

test("J5: archives of the usual layouts are those of their package", () => {
  const layouts = [
    ["a", "1.0.0", "https://r.example/a/-/a-1.0.0.tgz"],
    ["@s/a", "1.0.0", "https://r.example/npm/@s/a/-/a-1.0.0.tgz"],
    ["@s/a", "1.0.0", "https://r.example/@s%2fa/-/@s/a-1.0.0.tgz"],
    ["a", "1.0.0+build.1", "https://r.example/a/-/a-1.0.0.tgz"],
    ["@s/a", "1.0.0", "https://r.example/download/@s/a/1.0.0/0123abcd"],
  ] as const;
  for (const [name, version, resolved] of layouts) {
    const lockfile = read({ [`node_modules/${name}`]: plain(name, version, { resolved }) });
    expect(lockfile.packages[0]?.from.kind).toBe("registry");
  }
});

test("J3, J7: names that differ by case alone are two packages", () => {
  const lockfile = read({
    "node_modules/JSONStream": plain("JSONStream"),
    "node_modules/jsonstream": plain("jsonstream"),
  });
  expect(new Set(lockfile.packages.map(({ purl }) => purl)).size).toBe(2);
  const python = (name: string, byte: string) => `${name}==1.0 --hash=sha256:${byte.repeat(32)}\n`;
  expect(readLockfile("requirements.txt", python("Foo_Bar", "ab") + python("foo.bar", "ab")).packages).toHaveLength(1);
  expect(() => readLockfile("requirements.txt", python("Foo", "ab") + python("foo", "cd"))).toThrow(
    expect.objectContaining({ code: "LOCKFILE_DUPLICATE" }),
  );
});
