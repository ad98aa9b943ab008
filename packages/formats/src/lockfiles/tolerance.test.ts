import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { expect, test } from "vitest";
import { type Lockfile, readLockfile } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../testdata/lockfiles");

/** Reads with tolerance; answers the codes that were told as well. */
function inventory(path: string, text: string, beside: Readonly<Record<string, string>> = {}) {
  const told: string[] = [];
  const lockfile = readLockfile(path, text, {
    companion: (name) => beside[name],
    tolerate: ({ code }) => told.push(code),
  });
  return { lockfile, told: [...new Set(told)].sort() };
}

function refusal(path: string, text: string): string {
  try {
    readLockfile(path, text);
    return "read";
  } catch (error) {
    return isFactoryError(error) ? error.code : "another error";
  }
}

const spelled = ({ packages }: Lockfile): string[] => packages.map(({ name, version }) => `${name}@${version}`);
const edges = ({ packages }: Lockfile): string[] => {
  const names = new Map(packages.map(({ key, name }) => [key, name]));
  return packages.flatMap(({ name, dependencies }) => dependencies.map((key) => `${name}>${names.get(key)}`));
};

test("J12: what the door reads is read the same with tolerance", () => {
  for (const [folder, name] of [
    ["npm-3", "package-lock.json"],
    ["pnpm-6", "pnpm-lock.yaml"],
    ["pnpm-9", "pnpm-lock.yaml"],
    ["yarn-classic", "yarn.lock"],
    ["yarn-berry", "yarn.lock"],
    ["poetry", "poetry.lock"],
    ["uv", "uv.lock"],
    ["pylock-uv", "pylock.toml"],
    ["pip-compile", "requirements.txt"],
  ] as const) {
    const text = readFileSync(join(fixtures, folder, name), "utf8");
    const { lockfile, told } = inventory(name, text);
    expect(told).toEqual([]);
    expect(lockfile).toEqual(readLockfile(name, text));
  }
});

const npm1 = JSON.stringify({
  name: "shop",
  version: "1.0.0",
  lockfileVersion: 1,
  requires: true,
  dependencies: {
    a: {
      version: "1.0.0",
      requires: { b: "^1.0.0", c: "^1.0.0" },
      dependencies: { b: { version: "1.5.0", bundled: true }, c: { version: "1.0.0", integrity: "sha1-x" } },
    },
    b: { version: "2.0.0", dev: true },
    g: { version: "git+ssh://git@example.test/x/g.git#0123456789012345678901234567890123456789" },
    alias: { version: "npm:@scope/real@3.0.0" },
  },
});

test("J12: version 1 of npm's format, nested as it is", () => {
  expect(refusal("package-lock.json", npm1)).toBe("LOCKFILE_VERSION");
  const { lockfile, told } = inventory("package-lock.json", npm1);
  expect(told).toEqual(["LOCKFILE_DIGEST", "LOCKFILE_DIGEST_MISSING"]);
  expect(lockfile.format).toBe("npm-package-lock-1");
  expect(spelled(lockfile)).toEqual(["a@1.0.0", "b@1.5.0", "c@1.0.0", "b@2.0.0", "g@", "@scope/real@3.0.0"]);
  expect(edges(lockfile)).toEqual(["a>b", "a>c"]);
  expect(lockfile.packages.find(({ version }) => version === "1.5.0")?.from.kind).toBe("bundled");
  expect(lockfile.root?.dependencies).toEqual(["node_modules/a", "node_modules/g", "node_modules/alias"]);
  const beside = { "package.json": JSON.stringify({ dependencies: { a: "1" }, devDependencies: { b: "2" } }) };
  expect(inventory("package-lock.json", npm1, beside).lockfile.root?.dependencies).toEqual([
    "node_modules/a",
    "node_modules/b",
  ]);
});

test("J12: version 5 of pnpm's format, with peers and aliases", () => {
  const text = [
    "lockfileVersion: 5.4",
    "specifiers: {a: ^1.0.0, other: npm:b@2}",
    "dependencies: {a: 1.0.0_b@2.0.0, other: /b/2.0.0}",
    "packages:",
    "  /a/1.0.0_b@2.0.0:",
    "    resolution: {integrity: sha512-broken}",
    "    peerDependencies: {b: '*'}",
    "    dependencies: {b: 2.0.0, '@s/lodash_x': 3.0.0}",
    "  /b/2.0.0: {dev: false}",
    "  /@s/lodash_x/3.0.0: {dev: false}",
    "",
  ].join("\n");
  expect(refusal("pnpm-lock.yaml", text)).toBe("LOCKFILE_VERSION");
  const { lockfile } = inventory("pnpm-lock.yaml", text);
  expect(spelled(lockfile)).toEqual(["a@1.0.0", "b@2.0.0", "@s/lodash_x@3.0.0"]);
  expect(edges(lockfile)).toEqual(["a>b", "a>@s/lodash_x"]);
  expect(lockfile.root?.dependencies).toEqual(["/a/1.0.0_b@2.0.0", "/b/2.0.0"]);
});

test("J12: older lockfiles of Poetry keep digests in one table and say a category", () => {
  const hash = `sha256:${"0".repeat(64)}`;
  const text = `
[[package]]
name = "Flask"
version = "2.0.1"
category = "main"
optional = false
[package.dependencies]
click = ">=7"
[[package]]
name = "click"
version = "8.0.0"
category = "dev"
optional = false
[metadata]
lock-version = "1.1"
[metadata.files]
Flask = [{file = "Flask-2.0.1-py3-none-any.whl", hash = "${hash}"}]
click = []
`;
  expect(refusal("poetry.lock", text)).toBe("LOCKFILE_VERSION");
  const { lockfile, told } = inventory("poetry.lock", text);
  expect(told).toEqual(["LOCKFILE_DIGEST_MISSING"]);
  expect(spelled(lockfile)).toEqual(["flask@2.0.1", "click@8.0.0"]);
  expect(edges(lockfile)).toEqual(["flask>click"]);
  expect(lockfile.packages.map(({ scope, files }) => [scope, files?.length])).toEqual([
    ["runtime", 1],
    ["development", undefined],
  ]);
});

test("J12: requirements without digests, without versions, with what cannot be had", () => {
  const text =
    "-r gone.txt\nflask==2.0.1\nrequests>=2,<3 ; python_version > '3'\n${X}==1\n!!\nx @ git+https://e.test/x@main\n";
  const { lockfile, told } = inventory("requirements.txt", text);
  expect(spelled(lockfile)).toEqual(["flask@2.0.1", "requests@", "x@"]);
  expect(lockfile.packages.map(({ wanted }) => wanted)).toEqual([undefined, ">=2,<3", undefined]);
  expect(told).toEqual([
    "LOCKFILE_ADDRESS",
    "LOCKFILE_DIGEST_MISSING",
    "LOCKFILE_INCLUDE",
    "LOCKFILE_MALFORMED",
    "LOCKFILE_NAME",
  ]);
});

test("J12: Pipfile.lock, whose default group wins over the one for development", () => {
  const hash = `sha256:${"a".repeat(64)}`;
  const text = JSON.stringify({
    _meta: { "pipfile-spec": 6 },
    default: { Django: { version: "==4.2.1", hashes: [hash], markers: "python_version >= '3.8'" }, own: { path: "." } },
    develop: { django: { version: "==4.2.1" }, pytest: { version: "==7.0.0", hashes: ["sha256:short"] } },
  });
  expect(refusal("Pipfile.lock", text)).toBe("LOCKFILE_UNKNOWN");
  const { lockfile, told } = inventory("Pipfile.lock", text, { Pipfile: '[packages]\ndjango = "*"\n' });
  expect(told).toEqual(["LOCKFILE_DIGEST"]);
  expect(lockfile.packages.map(({ name, version, scope, direct }) => [name, version, scope, direct])).toEqual([
    ["django", "4.2.1", "runtime", true],
    ["own", "", "runtime", false],
    ["pytest", "7.0.0", "development", false],
  ]);
  expect(() => inventory("Pipfile.lock", "{}")).toThrow(/pipfile-spec/);
});

test("J12: bun.lock is read by its nested names, with workspaces and scopes", () => {
  const text = `{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "shop", "dependencies": { "a": "^1.0.0", }, "devDependencies": { "t": "1" }, },
    "packages/w": { "name": "w", "version": "0.1.0", "dependencies": { "a": "2" }, },
  },
  "packages": {
    "a": ["a@1.0.0", "", { "dependencies": { "b": "1" } }, "sha512-${Buffer.alloc(64).toString("base64")}"],
    "a/b": ["b@1.0.0", "", {}, "sha512-${Buffer.alloc(64, 1).toString("base64")}"],
    "b": ["b@2.0.0", "", {}, ""],
    "t": ["real-t@1.0.0", "", { "dependencies": { "b": "2" } }, "sha512-${Buffer.alloc(64, 2).toString("base64")}"],
    "w": ["w@workspace:packages/w"],
    "w/a": ["a@2.0.0", "", {}, "sha512-${Buffer.alloc(64, 3).toString("base64")}"],
  }
}`;
  const { lockfile, told } = inventory("bun.lock", text);
  expect(told).toEqual(["LOCKFILE_DIGEST_MISSING"]);
  expect(lockfile.root).toEqual({ name: "shop", dependencies: ["node_modules/a", "node_modules/t"] });
  const facts = lockfile.packages.map(({ name, version, scope, dependencies }) => [name, version, scope, dependencies]);
  expect(facts).toEqual([
    ["w", "0.1.0", "runtime", ["packages/w/node_modules/a"]],
    ["a", "1.0.0", "runtime", ["node_modules/a/node_modules/b"]],
    ["b", "1.0.0", "runtime", []],
    ["b", "2.0.0", "development", []],
    ["real-t", "1.0.0", "development", ["node_modules/b"]],
    ["a", "2.0.0", "runtime", []],
  ]);
  expect(() => inventory("bun.lock", '{"lockfileVersion": 7}')).toThrow(/expected 0 or 1/);
});

test("J12: of what stands twice one counts, and of two documents the project's", () => {
  const npm =
    '{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/a":{"version":"2.0.0"}}}';
  expect(refusal("package-lock.json", npm)).toBe("LOCKFILE_DUPLICATE");
  expect(spelled(inventory("package-lock.json", npm).lockfile)).toEqual(["a@2.0.0"]);
  const yarn = 'a@1:\n  version "1.0.0"\n\na@1:\n  version "1.0.0"\n';
  expect(refusal("yarn.lock", yarn)).toBe("LOCKFILE_DUPLICATE");
  expect(inventory("yarn.lock", yarn)).toMatchObject({ told: ["LOCKFILE_DIGEST_MISSING", "LOCKFILE_DUPLICATE"] });
  const pnpm = `---
lockfileVersion: '9.0'
packages:
  pnpm@12.0.0: {}
---
lockfileVersion: '9.0'
importers: {.: {dependencies: {a: {specifier: '1', version: 1.0.0}}}}
packages:
  a@1.0.0: {resolution: {integrity: sha512-${Buffer.alloc(64).toString("base64")}}}
  a@1.0.0: {}
snapshots: {a@1.0.0: {}}
`;
  expect(refusal("pnpm-lock.yaml", pnpm)).toBe("LOCKFILE_MALFORMED");
  const { lockfile, told } = inventory("pnpm-lock.yaml", pnpm);
  expect(spelled(lockfile)).toEqual(["a@1.0.0"]);
  expect(lockfile.packages[0]?.digests).toHaveLength(1);
  expect(told).toEqual(["LOCKFILE_DUPLICATE", "LOCKFILE_MALFORMED"]);
});

test("J12: bounds hold with tolerance as without", () => {
  const packages = Object.fromEntries(Array.from({ length: 200_002 }, (_, at) => [`node_modules/p${at}`, {}]));
  const text = JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages } });
  expect(() => inventory("package-lock.json", text)).toThrow(/at most 200000 packages/);
});

test("J12: more packages of one name than any project has are refused, whatever is tolerated", () => {
  const many = Array.from({ length: 1002 }, (_, at) => `[[package]]\nname = "a"\nversion = "${at}"\n`).join("");
  expect(() => inventory("uv.lock", `version = 1\n${many}`)).toThrow(/at most 1000 packages of one name/);
  expect(() => inventory("poetry.lock", `${many}[metadata]\nlock-version = "2.1"\n`)).toThrow(/of one name/);
});
