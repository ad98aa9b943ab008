import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { debianSystem, planted, scan } from "./tree-scene.ts";

const evil = { program: "#!/bin/sh\nevil\n" };
const system = { ...debianSystem("usr/bin/tool"), "usr/bin/tool": { program: "#!/bin/sh\n" } };

/** Executables that nothing owns, in a system with these files. */
async function unowned(files: Parameters<typeof planted>[0]): Promise<readonly string[] | undefined> {
  return (await scan(planted({ ...system, ...files }))).unowned?.map(({ path }) => path);
}

test("B5: a file that calls itself a Java runtime's does not make a folder of the system that runtime's", async () => {
  const release = 'JAVA_VERSION="17.0.9"\nIMPLEMENTOR="Nobody"\n';
  expect(await unowned({ "usr/release": release, "usr/bin/evil": evil })).toEqual(["usr/bin/evil"]);
  expect(await unowned({ release, "usr/bin/evil": evil })).toEqual(["usr/bin/evil"]);
});

test.each(["../../../usr", "../../../usr/bin", "../../../../../..", "..", "../.."])(
  "R8: a list of Composer with the folder %s claims nothing outside of its project",
  async (folder) => {
    const list = JSON.stringify({ packages: [{ name: "a/b", version: "1.0", "install-path": folder }] });
    expect(await unowned({ "srv/vendor/composer/installed.json": list, "usr/bin/evil": evil })).toEqual([
      "usr/bin/evil",
    ]);
    expect(await unowned({ "vendor/composer/installed.json": list, "usr/bin/evil": evil })).toEqual(["usr/bin/evil"]);
  },
);

test("R9: a deps.json beside the system's programs claims no programs", async () => {
  const entry = {
    runtime: { evil: {} },
    native: { "../bin/evil": {} },
    runtimeTargets: { "../bin/evil": {}, evil: {} },
  };
  const text = JSON.stringify({ targets: { any: { "a/1.0": entry } }, libraries: { "a/1.0": { type: "package" } } });
  expect(await unowned({ "usr/bin/a.deps.json": text, "usr/bin/evil": evil })).toEqual(["usr/bin/evil"]);
});

test("R7: the specification of a gem claims no more than a folder of its name and version", async () => {
  const text = "# stub: .. 0 ruby lib\n";
  expect(await unowned({ "usr/specifications/a.gemspec": text, "usr/bin/evil": evil })).toEqual(["usr/bin/evil"]);
});

/** A small ELF file with one section `.dep-v0`. */
function rustProgram(list: Uint8Array): Buffer {
  const names = Buffer.from("\0.dep-v0\0.shstrtab\0");
  const file = Buffer.concat([Buffer.alloc(64), list, names, Buffer.alloc(3 * 64)]);
  const table = 64 + list.length + names.length;
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeBigUInt64LE(BigInt(table), 40);
  for (const [at, value] of [
    [58, 64],
    [60, 3],
    [62, 2],
  ] as const)
    file.writeUInt16LE(value, at);
  for (const [index, [name, offset, size]] of [
    [1, 64, list.length],
    [9, 64 + list.length, names.length],
  ].entries()) {
    const row = table + (index + 1) * 64;
    file.writeUInt32LE(name ?? 0, row);
    file.writeUInt32LE(1, row + 4);
    file.writeBigUInt64LE(BigInt(offset ?? 0), row + 24);
    file.writeBigUInt64LE(BigInt(size ?? 0), row + 32);
  }
  return file;
}

test("B7: a program whose dependency list is a bomb is named, and the rest of the tree is scanned", async () => {
  const bomb = rustProgram(deflateSync(Buffer.alloc(100 * 1024 * 1024)));
  const good = rustProgram(deflateSync('{"packages":[{"name":"a","version":"1.0.0","source":"crates.io"}]}'));
  const sbom = await scan(planted({ "opt/bomb.so": bomb, "opt/good.so": good }));
  expect(sbom.losses).toMatchObject([{ path: "opt/bomb.so", code: "SBOM_BINARY_DEPENDENCY_LIST_MALFORMED" }]);
  expect(sbom.components.map(({ purl }) => purl)).toContain("pkg:cargo/a@1.0.0");
});

test("R2: what is no rpm database is named, and the rest of the tree is scanned", async () => {
  for (const name of ["rpmdb.sqlite", "Packages.db", "Packages"]) {
    const sbom = await scan(planted({ ...system, [`var/lib/rpm/${name}`]: Buffer.alloc(8192, 0xff) }));
    expect(sbom.losses).toMatchObject([{ path: `var/lib/rpm/${name}`, code: "SBOM_RPM_DATABASE_MALFORMED" }]);
    expect(sbom.components.some(({ type }) => type === "deb")).toBe(true);
  }
});
