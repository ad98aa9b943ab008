import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { goBinaries } from "./go-binaries.ts";
import { inlineBuildInfo, pointedProgram } from "./go-build.fixture.ts";
import { elfFile, machOFile, peFile, universalFile } from "./programs.fixture.ts";

const sum = Buffer.alloc(32, 7).toString("base64");
const lines = [
  "path\texample.test/app/cmd/serve",
  "mod\texample.test/app\tv1.2.3\t",
  `dep\tgithub.com/BurntSushi/toml\tv1.3.2\th1:${sum}`,
  "dep\texample.test/old\tv1.0.0",
  `=>\texample.test/new\tv1.0.1\th1:${sum}`,
  "dep\texample.test/near\tv0.1.0",
  "=>\t./near\t(devel)\t",
  'build\t"-ldflags"="-X a=b"',
  "build\tvcs.revision=0123456789abcdef",
  "build\tGOOS=linux",
  "",
].join("\n");

async function found(bytes: Uint8Array, path = "usr/bin/serve") {
  const file = collected(path, bytes);
  expect(goBinaries.wants(file)).toBe(true);
  return goBinaries.catalogue([file], contextOf([file]));
}

const inline = { name: ".go.buildinfo", bytes: inlineBuildInfo("go1.22.1", lines) };

test("B3: a program is its main module, the modules in it and the standard library", async () => {
  const { components, edges, roots, losses } = await found(elfFile({ sections: [inline] }));
  expect(losses).toEqual([]);
  expect(components.map(({ purl }) => purl).sort()).toEqual([
    "pkg:golang/example.test/app@v1.2.3",
    "pkg:golang/example.test/near@v0.1.0",
    "pkg:golang/example.test/new@v1.0.1",
    "pkg:golang/github.com/burntsushi/toml@v1.3.2",
    "pkg:golang/stdlib@1.22.1",
  ]);
  const byName = new Map(components.map((component) => [component.name, component]));
  expect(byName.get("example.test/app")).toMatchObject({ kind: "application", owns: ["usr/bin/serve"] });
  expect(byName.get("example.test/app")?.properties).toEqual(
    expect.arrayContaining([
      { name: "touchmark:go-package", value: "example.test/app/cmd/serve" },
      { name: "touchmark:go-build:vcs.revision", value: "0123456789abcdef" },
    ]),
  );
  expect(byName.get("github.com/BurntSushi/toml")?.hashes).toEqual([{ algorithm: "h1", value: "07".repeat(32) }]);
  expect(byName.get("example.test/new")?.properties).toEqual([
    { name: "touchmark:replaces", value: "example.test/old@v1.0.0" },
  ]);
  expect(byName.get("example.test/near")?.properties).toEqual([
    { name: "touchmark:replaced-by-directory", value: "./near" },
  ]);
  expect(roots).toEqual(["usr/bin/serve#example.test/app@v1.2.3"]);
  expect(edges).toHaveLength(1);
  expect(edges[0]?.to).toHaveLength(4);
});

test.each([
  ["64 bits", pointedProgram("go1.13.1", lines)],
  ["64 bits, big-endian", pointedProgram("go1.13.1", lines, { littleEndian: false })],
  ["32 bits", pointedProgram("go1.13.1", lines, { wide: false })],
  ["32 bits, big-endian", pointedProgram("go1.13.1", lines, { wide: false, littleEndian: false })],
  ["no sections", pointedProgram("go1.13.1", lines, { withSections: false })],
  ["ELF", elfFile({ sections: [{ ...inline, bytes: inlineBuildInfo("go1.13.1", lines) }] })],
  ["ELF without sections", elfFile({ sections: [inlineAt("go1.13.1")], withSections: false })],
  ["ELF of 32 bits", elfFile({ sections: [inlineAt("go1.13.1")], wide: false })],
  [
    "PE",
    peFile([
      { name: ".text", bytes: Buffer.alloc(64), writable: false },
      { ...inlineAt("go1.13.1"), name: ".data" },
    ]),
  ],
  ["Mach-O", machOFile([{ ...inlineAt("go1.13.1"), name: "__go_buildinfo" }])],
  ["Mach-O with other names", machOFile([{ ...inlineAt("go1.13.1"), name: "__data" }])],
])("B2: build information is read from a program of %s", async (_, bytes) => {
  const { components, losses } = await found(bytes);
  expect(losses).toEqual([]);
  expect(components).toHaveLength(5);
  expect(components.find(({ name }) => name === "stdlib")?.version).toBe("1.13.1");
});

function inlineAt(version: string) {
  return { name: ".go.buildinfo", bytes: inlineBuildInfo(version, lines) };
}

test("B2: where the pointers are filled in at start alone, the modules are found by their marks", async () => {
  const bytes = pointedProgram("go1.16.1", lines);
  const header = bytes.indexOf("\xff Go buildinf:", 0, "latin1");
  bytes.fill(0, header + 16, header + 32);
  const { components, losses } = await found(bytes);
  expect(losses).toEqual([]);
  expect(components.map(({ name }) => name)).not.toContain("stdlib");
  expect(components).toHaveLength(4);
  bytes.fill(0, header + 32);
  expect((await found(bytes)).components).toEqual([]);
});

test("B2: each architecture of a universal file is read, and what they share is listed once", async () => {
  const one = machOFile([{ ...inlineAt("go1.22.1"), name: "__go_buildinfo" }]);
  const more = inlineBuildInfo("go1.22.1", `${lines}dep\texample.test/only-there\tv1.0.0\n`);
  const { components } = await found(universalFile([one, machOFile([{ name: "__go_buildinfo", bytes: more }])]));
  expect(components).toHaveLength(6);
});

test("B3: a command of Go itself belongs to its standard library, and a package without module to itself", async () => {
  const command = await found(
    elfFile({ sections: [{ ...inline, bytes: inlineBuildInfo("go1.22.1", "path\tcmd/go\n") }] }),
  );
  expect(command.components.map(({ name, owns }) => [name, owns])).toEqual([["stdlib", ["usr/bin/serve"]]]);
  expect(command.roots).toEqual(["usr/bin/serve#stdlib"]);
  const loose = inlineBuildInfo("devel go1.23-abcdef Mon", "path\tcommand-line-arguments\n");
  const file = await found(elfFile({ sections: [{ ...inline, bytes: loose }] }));
  expect(file.components.map(({ name, version, type }) => [name, version, type])).toEqual([
    ["stdlib", "", "golang"],
    ["serve", "", "generic"],
  ]);
});

test("B3: of a module that was built from a working copy no version is claimed", async () => {
  const bytes = inlineBuildInfo("go1.22.1 X:boringcrypto", "path\tm.test/m\nmod\tm.test/m\t(devel)\t\n");
  const { components } = await found(elfFile({ sections: [{ ...inline, bytes }] }));
  expect(components.map(({ purl }) => purl)).toEqual(["pkg:golang/stdlib@1.22.1", "pkg:golang/m.test/m"]);
});

test("B1: programs of other compilers have nothing to tell, and what is no program is not wanted", async () => {
  expect((await found(elfFile({ sections: [{ name: ".data", bytes: Buffer.alloc(100) }] }))).components).toEqual([]);
  expect(goBinaries.wants(collected("a.class", Buffer.from("cafebabe00000034", "hex")))).toBe(false);
  expect(goBinaries.wants(collected("a.sh", "#!/bin/sh\n".padEnd(100)))).toBe(false);
});

test("B7: a program that cannot be read is a loss, and the next one is read", async () => {
  const files = [
    collected("a", elfFile({ sections: [inline] }).subarray(0, 70)),
    collected("b", elfFile({ sections: [inline] })),
  ];
  const { components, losses } = await goBinaries.catalogue(files, contextOf(files));
  expect(components).toHaveLength(5);
  expect(losses).toEqual([expect.objectContaining({ path: "a", code: "SBOM_BINARY_MALFORMED" })]);
});

test.each([
  ["a length beyond the file", Buffer.concat([inline.bytes.subarray(0, 32), Buffer.from([0xff, 0xff, 0x03])])],
  ["a length without end", Buffer.concat([inline.bytes.subarray(0, 32), Buffer.alloc(16, 0xff)])],
  ["a module without path", inlineBuildInfo("go1.22.1", "mod\t\tv1\n")],
  ["too many words", inlineBuildInfo("go1.22.1", "dep\ta\tv1\th1:x\ty\n")],
  ["a sum that is none", inlineBuildInfo("go1.22.1", "dep\ta\tv1\th1:x\n")],
  ["a replacement of nothing", inlineBuildInfo("go1.22.1", "=>\ta\tv1\n")],
  ["text that is not UTF-8", Buffer.concat([inline.bytes.subarray(0, 32), Buffer.from([2, 0xff, 0xfe, 0])])],
])("B7: build information with %s is refused", async (_, bytes) => {
  const { losses, components } = await found(elfFile({ sections: [{ name: ".go.buildinfo", bytes }] }));
  expect(losses.map(({ code }) => code)).toEqual(["SBOM_BINARY_BUILD_INFO_MALFORMED"]);
  expect(components).toEqual([]);
});
