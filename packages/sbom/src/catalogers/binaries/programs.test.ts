import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { goBinaries } from "./go-binaries.ts";
import { inlineBuildInfo, pointedProgram } from "./go-build.fixture.ts";
import { elfFile, machOFile, peFile, universalFile } from "./programs.fixture.ts";
import { readPrograms } from "./programs.ts";
import { rustBinaries } from "./rust-binaries.ts";

const info = inlineBuildInfo("go1.22.1", "path\ta.test/b\nmod\ta.test/b\tv1.0.0\t\n");
const elf = elfFile({ sections: [{ name: ".go.buildinfo", bytes: info }] });
const pe = peFile([{ name: ".data", bytes: info }]);
const machO = machOFile([{ name: "__go_buildinfo", bytes: info }]);
const whole = [elf, pe, machO, pointedProgram("go1.13", "mod\ta\tv1\n"), universalFile([machO])];

function patched(bytes: Uint8Array, at: number, values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

test.each([
  ["ELF of an unknown class", patched(elf, 4, [3])],
  ["ELF of an unknown byte order", patched(elf, 5, [9])],
  ["ELF with segments outside", patched(elf, 32, [0xff, 0xff, 0xff])],
  ["ELF with too many segments", patched(elf, 56, [0xff, 0xff])],
  ["ELF with too many sections", patched(elf, 60, [0xff, 0xff])],
  ["PE without a signature", patched(pe, 0x80, [0])],
  ["PE without an optional header", patched(pe, 0x98, [0, 0])],
  ["PE with too many sections", patched(pe, 0x86, [0xff, 0xff])],
  ["PE with sections outside", patched(pe, 0x86, [0xff, 0x0f])],
  ["Mach-O with too many commands", patched(machO, 16, [0xff, 0xff])],
  ["Mach-O with a command of no length", patched(machO, 36, [0, 0, 0, 0])],
  ["Mach-O with too many sections", patched(machO, 96, [0xff, 0xff, 0xff])],
  ["a universal file with an architecture outside", patched(universalFile([machO]), 16, [0xff])],
  ["a universal file of something else", universalFile([Buffer.alloc(100)])],
  ["ELF that is cut", elf.subarray(0, 40)],
])("B1: %s is refused", (_, bytes) => {
  expect(() => readPrograms(collected("a", bytes))).toThrow(expect.objectContaining({ code: "SBOM_BINARY_MALFORMED" }));
});

test("B1: a table of sections that lies outside counts as absent, as for the system that runs the program", async () => {
  const [program] = readPrograms(collected("a", patched(elf, 40, [0xff, 0xff, 0xff])));
  expect(program?.executable.sections).toBeUndefined();
  const file = collected("a", patched(elf, 40, [0xff, 0xff, 0xff]));
  expect((await goBinaries.catalogue([file], contextOf([file]))).components).toHaveLength(2);
});

test("B6: no bytes make a reader do anything but answer or lose the file", async () => {
  const change = fc.tuple(fc.nat({ max: 1600 }), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 0xff, 0x7f, 0x80)));
  const property = fc.asyncProperty(
    fc.constantFrom(...whole),
    fc.array(change, { minLength: 1, maxLength: 12 }),
    fc.nat({ max: 2000 }),
    async (bytes, changes, cut) => {
      const copy = Buffer.from(cut > 1000 ? bytes : bytes.subarray(0, Math.max(8, bytes.length - cut)));
      for (const [at, value] of changes) copy[at % copy.length] = value;
      const file = collected("a", copy);
      for (const cataloger of [goBinaries, rustBinaries]) {
        const { losses } = await cataloger.catalogue([file], contextOf([file]));
        for (const { code } of losses) expect(code).toMatch(/^(?:SBOM_BINARY_|PACKAGE_URL_)/);
      }
    },
  );
  await fc.assert(property, { numRuns: 1500 });
});
