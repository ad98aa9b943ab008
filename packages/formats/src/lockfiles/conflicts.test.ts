import { expect, test } from "vitest";
import { conflictsBetween, type Lockfile, readLockfile } from "./index.ts";

const sri = (byte: number): string => `sha512-${Buffer.alloc(64, byte).toString("base64")}`;
const hex = (byte: number): string => Buffer.alloc(32, byte).toString("hex");

function npm(versions: Record<string, [string, number]>, path = "package-lock.json"): Lockfile {
  const dependencies = Object.fromEntries(Object.keys(versions).map((name) => [name, "*"]));
  const entries = Object.entries(versions).map(([name, [version, byte]]) => [
    `node_modules/${name}`,
    { version, integrity: sri(byte) },
  ]);
  const packages = { "": { name: "shop", dependencies }, ...Object.fromEntries(entries) };
  return readLockfile(path, JSON.stringify({ lockfileVersion: 3, packages }));
}

function yarn(versions: Record<string, [string, number]>): Lockfile {
  const entries = Object.entries(versions).map(
    ([name, [version, byte]]) =>
      `${name}@*:\n  version "${version}"\n  resolved "https://r.example/${name}.tgz"\n  integrity ${sri(byte)}\n`,
  );
  const dependencies = Object.fromEntries(Object.keys(versions).map((name) => [name, "*"]));
  const companion = () => JSON.stringify({ name: "shop", dependencies });
  return readLockfile("yarn.lock", `# yarn lockfile v1\n\n${entries.join("\n")}`, { companion });
}

test("J11: lockfiles that agree have no conflict, and other directories are not compared", () => {
  expect(conflictsBetween([npm({ a: ["1.0.0", 1] }), yarn({ a: ["1.0.0", 1] })])).toEqual([]);
  expect(conflictsBetween([npm({ a: ["1.0.0", 1] }), npm({ a: ["2.0.0", 2] }, "sub/package-lock.json")])).toEqual([]);
});

test("J11: one package with different digests, another version, and one that is missing are named", () => {
  const conflicts = conflictsBetween([
    npm({ a: ["1.0.0", 1], b: ["1.0.0", 1], c: ["1.0.0", 1] }),
    yarn({ a: ["1.0.0", 2], b: ["2.0.0", 3] }),
  ]);
  const lockfiles = ["package-lock.json", "yarn.lock"];
  expect(conflicts).toEqual([
    {
      kind: "digest",
      ecosystem: "npm",
      name: "a",
      lockfiles,
      found: [expect.stringContaining("sha512:0101"), expect.stringContaining("sha512:0202")],
    },
    { kind: "version", ecosystem: "npm", name: "b", lockfiles, found: ["1.0.0", "2.0.0"] },
    { kind: "missing", ecosystem: "npm", name: "c", lockfiles, found: ["1.0.0", ""] },
  ]);
});

test("J11: requirements of different groups differ without conflict, but not in a version", () => {
  const group = (file: string, ...names: string[]) =>
    readLockfile(file, names.map((name) => `${name} --hash=sha256:${hex(1)}\n`).join(""));
  const base = group("requirements.txt", "a==1.0");
  expect(conflictsBetween([base, group("requirements-dev.txt", "a==1.0", "b==1.0")])).toEqual([]);
  expect(conflictsBetween([base, group("requirements-dev.txt", "a==2.0")])).toEqual([
    expect.objectContaining({ kind: "version", name: "a", found: ["1.0", "2.0"] }),
  ]);
});

test("J11: hashes without names conflict only when they share none", () => {
  const requirements = (...bytes: number[]) =>
    readLockfile("requirements.txt", `a==1.0 ${bytes.map((byte) => `--hash=sha256:${hex(byte)}`).join(" ")}\n`);
  const uv = readLockfile(
    "uv.lock",
    `version = 1
[[package]]
name = "a"
version = "1.0"
source = { registry = "https://r.example/simple" }
sdist = { url = "https://f.example/a-1.0.tar.gz", hash = "sha256:${hex(1)}" }
[[package]]
name = "shop"
source = { virtual = "." }
dependencies = [{ name = "a" }]
`,
  );
  expect(conflictsBetween([uv, requirements(1, 9)])).toEqual([]);
  expect(conflictsBetween([uv, requirements(8, 9)]).map(({ kind }) => kind)).toEqual(["digest"]);
});
