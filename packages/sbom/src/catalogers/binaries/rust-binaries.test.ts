import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { elfFile, machOFile, peFile, universalFile } from "./programs.fixture.ts";
import { rustBinaries } from "./rust-binaries.ts";

const crates = [
  { name: "app", version: "0.3.0", source: "local", root: true, dependencies: [1, 2] },
  { name: "serde", version: "1.0.229", source: "crates.io", dependencies: [] },
  { name: "cc", version: "1.1.0", source: "git", kind: "build" },
];

function listed(json: unknown): Buffer {
  return deflateSync(typeof json === "string" ? json : JSON.stringify(json));
}

async function found(bytes: Uint8Array) {
  const file = collected("opt/app", bytes);
  expect(rustBinaries.wants(file)).toBe(true);
  return rustBinaries.catalogue([file], contextOf([file]));
}

const section = { name: ".dep-v0", bytes: listed({ packages: crates }), writable: false };

test.each([
  ["ELF", elfFile({ sections: [section] })],
  ["ELF of 32 bits", elfFile({ wide: false, littleEndian: false, sections: [section] })],
  ["PE", peFile([section])],
  ["Mach-O", machOFile([section])],
  ["universal", universalFile([machOFile([section]), machOFile([section])])],
])("B4: crates with their edges come from a %s program", async (_, bytes) => {
  const { components, edges, roots, losses } = await found(bytes);
  expect(losses).toEqual([]);
  expect(components.map(({ purl, scope, kind }) => [purl, scope, kind])).toEqual([
    ["pkg:cargo/app@0.3.0", "runtime", "application"],
    ["pkg:cargo/serde@1.0.229", "runtime", "library"],
    ["pkg:cargo/cc@1.1.0", "build", "library"],
  ]);
  expect(components[0]?.owns).toEqual(["opt/app"]);
  expect(components.map(({ direct }) => direct)).toEqual([undefined, true, true]);
  expect(components[2]?.properties).toEqual([{ name: "touchmark:cargo-source", value: "git" }]);
  const [app, serde, cc] = components.map(({ key }) => key);
  expect(roots).toEqual([app]);
  expect(edges).toEqual([
    { from: app, to: [serde, cc] },
    { from: serde, to: [] },
    { from: cc, to: [] },
  ]);
});

test("B4: a program without the list has nothing to tell", async () => {
  expect((await found(elfFile({ sections: [] }))).components).toEqual([]);
  expect((await found(elfFile({ sections: [section], withSections: false }))).components).toEqual([]);
});

test.each([
  ["is not deflated", Buffer.from("{}")],
  ["is no JSON", listed("{")],
  ["holds no packages", listed({ package: [] })],
  ["is a bomb", deflateSync(Buffer.alloc(65 * 1024 * 1024))],
  ["holds something else", listed({ packages: ["a"] })],
  ["lacks a version", listed({ packages: [{ name: "a", source: "git" }] })],
  ["names a package that it lacks", listed({ packages: [{ ...crates[1], dependencies: [1] }] })],
  ["has edges without end", listed({ packages: [{ ...crates[1], dependencies: [0, 0, 0] }] })],
])("B7: a dependency list that %s is refused", async (_, bytes) => {
  const { components, losses } = await found(elfFile({ sections: [{ ...section, bytes }] }));
  expect(components).toEqual([]);
  expect(losses.map(({ code }) => code)).toEqual(["SBOM_BINARY_DEPENDENCY_LIST_MALFORMED"]);
});
