import { compareSboms } from "@touchmark/sbom";
import { expect, test } from "vitest";
import { planted, scan } from "./tree-scene.ts";

/** A build stage's root file system, with the compilers that dpkg lists and the one that the name leads to. */
function stage(selected: string, ...versions: readonly (readonly [name: string, version: string])[]): string {
  const status = versions.map(
    ([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nSource: ${name}\n`,
  );
  return planted({
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "var/lib/dpkg/status": status.join("\n"),
    "usr/bin/go": { link: `../lib/${selected}/bin/go` },
  });
}

test("AT20: an old compiler beside the new one is in the build stage's bill of materials, with its version", async () => {
  const sbom = await scan(stage("go-1.18", ["golang-1.18-go", "1.18.10-1"], ["golang-1.22-go", "1.22.4-1"]));
  const compilers = sbom.components.filter(({ name }) => name.startsWith("golang-"));
  expect(compilers.map(({ name, version }) => `${name} ${version}`).sort()).toEqual([
    "golang-1.18-go 1.18.10-1",
    "golang-1.22-go 1.22.4-1",
  ]);
});

test("AT20: a build image whose compiler went back under the same name is told apart from the one before", async () => {
  const before = await scan(stage("go", ["golang-go", "2:1.22~3"]));
  const after = await scan(stage("go", ["golang-go", "2:1.18~3"]));
  const { changed, added, removed } = compareSboms(before, after);
  const versions = changed.flatMap((row) => JSON.stringify(row).match(/2:1\.\d+~3/g) ?? []);
  expect([...new Set(versions)]).toEqual(["2:1.22~3", "2:1.18~3"]);
  expect([added, removed].map((rows) => rows.length)).toEqual([0, 0]);
});
