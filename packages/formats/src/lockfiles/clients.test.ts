import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LockedPackage, type Lockfile, readLockfile } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../testdata/lockfiles");
const read = (directory: string, name: string): Lockfile =>
  readLockfile(`${directory}/${name}`, readFileSync(join(fixtures, directory, name)), {
    companion: (path) => {
      try {
        return readFileSync(join(fixtures, directory, path));
      } catch {
        return undefined;
      }
    },
  });
const listed = (directory: string) =>
  JSON.parse(readFileSync(join(fixtures, directory, "listed.json"), "utf8")) as { packages: string[]; edges: string[] };

const isFetched = ({ from }: LockedPackage): boolean => from.kind !== "local";
const called = ({ name, version }: LockedPackage): string => `${name}@${version}`;

function edgesOf({ packages }: Lockfile, spell = called): string[] {
  const byKey = new Map(packages.map((one) => [one.key, one]));
  const all = packages.flatMap((one) => one.dependencies.map((key) => [one, byKey.get(key) as LockedPackage] as const));
  return [...new Set(all.filter((pair) => pair.every(isFetched)).map(([a, b]) => `${spell(a)} > ${spell(b)}`))].sort();
}

const find = (lockfile: Lockfile, name: string): LockedPackage => {
  const found = lockfile.packages.filter((one) => one.name === name);
  expect(found).toHaveLength(1);
  return found[0] as LockedPackage;
};

test.each([
  ["pnpm-9", "pnpm-lock.yaml", "pnpm-lock-9"],
  ["pnpm-6", "pnpm-lock.yaml", "pnpm-lock-6"],
])("J2: %s has the packages and edges that pnpm lists", (directory, name, format) => {
  const lockfile = read(directory, name);
  const { packages, edges } = listed(directory);
  expect(lockfile.format).toBe(format);
  expect([...new Set(lockfile.packages.filter(isFetched).map(called))].sort()).toEqual(packages);
  expect(edgesOf(lockfile)).toEqual(edges);
  expect(find(lockfile, "kind-of")).toMatchObject({ alias: "kind", direct: true, scope: "runtime" });
  expect(find(lockfile, "use-sync-external-store").key).toContain("(react@18.2.0)");
  expect(find(lockfile, "@shop/a")).toMatchObject({ from: { kind: "local", path: "packages/a" }, direct: true });
  expect(find(lockfile, "esbuild").scope).toBe("development");
  expect(find(lockfile, "fsevents")).toMatchObject({ scope: "optional", platform: { os: ["darwin"] } });
  expect(find(lockfile, "esbuild").installScripts).toBe(format === "pnpm-lock-6" ? true : undefined);
});

test("J3: one word may stand where a list of systems could", () => {
  const integrity = `sha512-${Buffer.alloc(64).toString("base64")}`;
  const text = `lockfileVersion: '9.0'
packages:
  a@1.0.0:
    resolution: {integrity: ${integrity}}
    libc: glibc
    os: [linux]
snapshots:
  a@1.0.0: {}
`;
  expect(readLockfile("pnpm-lock.yaml", text).packages[0]?.platform).toEqual({ os: ["linux"], libc: ["glibc"] });
});

/** What a lockfile says of its project; what that asks for is among the direct packages. */
function projectOf({ root, packages }: Lockfile) {
  const { dependencies = [], ...project } = root ?? {};
  const direct = packages.filter((each) => each.direct).map(({ key }) => key);
  expect(dependencies.filter((key) => !direct.includes(key))).toEqual([]);
  return project;
}

test("J2: yarn-classic has the packages and edges that yarn lists", () => {
  const lockfile = read("yarn-classic", "yarn.lock");
  const { packages, edges } = listed("yarn-classic");
  const names = lockfile.packages.map(({ alias, name, version }) => `${alias ?? name}@${version}`);
  expect(names.sort()).toEqual(packages.filter((name) => !name.startsWith("@shop/")));
  const spelled = edgesOf(lockfile).map((edge) => edge.replace(/@[^@]*$/, ""));
  expect(spelled).toEqual(expect.arrayContaining(edges.filter((edge) => !edge.startsWith("@shop/"))));
  expect(projectOf(lockfile)).toEqual({ name: "shop", version: "1.0.0" });
  expect(find(lockfile, "kind-of")).toMatchObject({ alias: "kind", direct: true });
  expect(find(lockfile, "debug").digests.map(({ algorithm }) => algorithm)).toEqual(["sha512", "sha1"]);
  expect(find(lockfile, "is-number")).toMatchObject({ direct: true, scope: "runtime" });
  expect(find(lockfile, "semver").scope).toBe("development");
  expect(find(lockfile, "fsevents").scope).toBe("optional");
});

test("J2, J4: yarn-berry has the packages and edges that yarn lists, and says that it has no digests", () => {
  const lockfile = read("yarn-berry", "yarn.lock");
  const { packages, edges } = listed("yarn-berry");
  expect(lockfile.packages.filter(isFetched).map(called).sort()).toEqual(packages);
  expect(edgesOf(lockfile)).toEqual(edges);
  expect(lockfile.limits[0]).toContain("no digest of the archive");
  expect(lockfile.packages.flatMap(({ digests }) => digests)).toEqual([]);
  expect(find(lockfile, "kind-of")).toMatchObject({ alias: "kind", direct: true });
  expect(find(lockfile, "@esbuild/linux-x64").platform).toEqual({ os: ["linux"], cpu: ["x64"] });
  expect(find(lockfile, "@shop/a").from).toEqual({ kind: "local", path: "packages/a" });
  expect(find(lockfile, "esbuild").scope).toBe("development");
  expect(projectOf(lockfile)).toEqual({ name: "shop", version: "1.0.0" });
});

test("J2: cargo has the packages and edges that Cargo lists", () => {
  const lockfile = read("cargo", "Cargo.lock");
  const { packages, edges } = listed("cargo");
  const spell = ({ name, version }: LockedPackage) => `${name} ${version}`;
  expect(lockfile.packages.map(spell).sort()).toEqual(packages);
  const byKey = new Map(lockfile.packages.map((one) => [one.key, one]));
  const found = lockfile.packages.flatMap((one) =>
    one.dependencies.map((key) => `${spell(one)} > ${spell(byKey.get(key) as LockedPackage)}`),
  );
  // Cargo lists what is used on this system and with these features; the lockfile has all.
  expect(found).toEqual(expect.arrayContaining(edges));
  expect(projectOf(lockfile)).toEqual({ name: "shop", version: "1.0.0" });
  const [old] = lockfile.packages.filter(({ name, version }) => name === "itoa" && version === "0.4.8");
  expect(old).toMatchObject({ direct: true, from: { kind: "registry" }, purl: "pkg:cargo/itoa@0.4.8" });
});

test("J2, J3: go has what Go lists as direct, with replacements", () => {
  const lockfile = read("go", "go.sum");
  const { packages } = listed("go");
  const direct = lockfile.packages.filter((one) => one.direct).map(({ key }) => key);
  expect(direct.sort()).toEqual(
    packages.filter((name) => !name.endsWith("(indirect)")).map((name) => name.replace("./", "")),
  );
  const pflag = find(lockfile, "github.com/spf13/pflag");
  expect(pflag).toMatchObject({ version: "v1.0.3", from: { kind: "registry" }, direct: true });
  expect(pflag.files?.map(({ name }) => name)).toEqual(["v1.0.3.zip", "v1.0.3.mod"]);
  expect(pflag.digests[0]?.algorithm).toBe("h1");
  expect(find(lockfile, "github.com/pkg/diff").digests).toEqual([]);
  expect(find(lockfile, "example.com/lib")).toMatchObject({ from: { kind: "local", path: "lib" }, direct: true });
});

test("J2: uv.lock and what uv exports from it have the same packages, files and edges", () => {
  const lockfile = read("uv", "uv.lock");
  const exported = read("uv", "requirements.txt");
  const pylock = read("pylock-uv", "pylock.toml");
  const without = (name: string) => !["inner"].includes(name);
  const names = (one: Lockfile) =>
    one.packages
      .filter(({ name }) => without(name))
      .map(called)
      .sort();
  expect(names(exported)).toEqual(names(lockfile));
  expect(names(pylock)).toEqual(names(lockfile));
  expect(edgesOf(exported)).toEqual(edgesOf(lockfile));
  const digests = ({ files = [] }: LockedPackage) =>
    files.flatMap((file) => file.digests.map(({ value }) => value)).sort();
  for (const one of lockfile.packages.filter(isFetched)) {
    const same = exported.packages.find((other) => called(other) === called(one));
    expect(digests(same as LockedPackage)).toEqual(digests(one));
  }
  expect(find(lockfile, "toml").scope).toBe("development");
  expect(find(lockfile, "pygments")).toMatchObject({ scope: "optional", direct: true });
  expect(find(lockfile, "zipp")).toMatchObject({ scope: "runtime", direct: true });
  expect(find(lockfile, "inner")).toMatchObject({ from: { kind: "local", path: "inner" }, direct: true });
  expect(find(lockfile, "exceptiongroup").platform?.marker).toContain("3.11");
  expect(find(lockfile, "click").platform).toBeUndefined();
});

test("J2: poetry.lock and what Poetry exports from it have the same packages", () => {
  const lockfile = read("poetry", "poetry.lock");
  const exported = read("poetry", "requirements.txt");
  expect(exported.packages.map(called).sort()).toEqual(lockfile.packages.map(called).sort());
  expect(projectOf(lockfile)).toEqual({ name: "shop", version: "1.0.0" });
  expect(find(lockfile, "toml")).toMatchObject({ scope: "development", direct: true });
  expect(find(lockfile, "pygments")).toMatchObject({ scope: "optional", direct: true });
  expect(find(lockfile, "iniconfig")).toMatchObject({ scope: "runtime", direct: false });
  expect(edgesOf(lockfile)).toContain("pytest@7.4.4 > pluggy@" + find(lockfile, "pluggy").version);
  expect(find(lockfile, "colorama").platform?.marker).toContain("Windows");
});

test("J2, J9: comments of pip-compile give edges, pip lock gives none and says so", () => {
  const compiled = read("pip-compile", "requirements.txt");
  expect(compiled.packages.filter(({ direct }) => direct).map(({ name }) => name)).toEqual(
    expect.arrayContaining(["click", "pytest"]),
  );
  expect(edgesOf(compiled)).toContain("pytest@7.4.4 > packaging@" + find(compiled, "packaging").version);
  expect(find(compiled, "packaging").direct).toBe(false);
  const locked = read("pylock-pip", "pylock.toml");
  expect(locked.limits.join()).toContain("no dependency edges");
  expect(locked.packages.every(({ direct }) => direct)).toBe(true);
  expect(find(locked, "pytest").files).toEqual([
    expect.objectContaining({ name: "pytest-7.4.4-py3-none-any.whl", url: expect.stringMatching(/^https:/) }),
  ]);
});

test("J2, J3: npm-bundled comes in the archive of another package", () => {
  const lockfile = read("npm-bundled", "package-lock.json");
  expect(find(lockfile, "outer").from).toEqual({ kind: "local", path: "outer-1.0.0.tgz" });
  for (const name of ["semver", "lru-cache"]) {
    expect(find(lockfile, name)).toMatchObject({
      from: { kind: "bundled", within: "node_modules/outer" },
      digests: [],
    });
  }
  expect(lockfile.packages.filter(({ name }) => name === "yallist").map(({ from }) => from.kind)).toEqual([
    "bundled",
    "registry",
  ]);
  expect(edgesOf(lockfile)).toEqual(["lru-cache@6.0.0 > yallist@4.0.0", "semver@7.5.4 > lru-cache@6.0.0"]);
});

test("J2: every fixture has canonical package URLs, and a digest for whatever a registry serves", () => {
  const all = [
    ["npm-3", "package-lock.json"],
    ["npm-bundled", "package-lock.json"],
    ["pnpm-9", "pnpm-lock.yaml"],
    ["pnpm-6", "pnpm-lock.yaml"],
    ["yarn-classic", "yarn.lock"],
    ["uv", "uv.lock"],
    ["poetry", "poetry.lock"],
    ["pip-compile", "requirements.txt"],
    ["pylock-uv", "pylock.toml"],
    ["pylock-pip", "pylock.toml"],
    ["cargo", "Cargo.lock"],
    ["go", "go.sum"],
  ] as const;
  for (const [directory, name] of all) {
    const lockfile = read(directory, name);
    expect(lockfile.packages.length).toBeGreaterThan(3);
    for (const { from, digests, files, purl } of lockfile.packages) {
      if (from.kind !== "registry") continue;
      expect(purl).toMatch(/^pkg:/);
      expect(digests.length + (files ?? []).filter((file) => file.digests.length > 0).length).toBeGreaterThan(0);
    }
  }
});
