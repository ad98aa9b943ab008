import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { forgeTar, forgeZip } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { catalogued, freshPlace, pkgFiles, sceneTar } from "../catalogue/scene.fixture.ts";
import { openFileTree } from "./file-tree.ts";

const inner = sceneTar({ "d/x.pkg": "x 1", "y.pkg": { hard: "d/x.pkg" }, link: { link: "d" }, "e.pkg": "e 1" });
const zip = forgeZip([
  { name: "a.pkg", content: "a 1" },
  { name: "in/t.tar", content: inner },
]);
const seeds: readonly (readonly [string, Buffer])[] = [
  ["plain.tar", inner],
  ["packed.tgz", gzipSync(inner)],
  ["both.zip", zip],
  [
    "nested.tar",
    forgeTar([
      { name: "z.zip", content: zip, pax: [["mtime", "1"]] },
      { name: "l", longName: "long/name.pkg", content: "l 1" },
    ]),
  ],
];
const change = fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) });

test("C12: an archive with any bytes changed, cut anywhere, ends in files or in losses with their codes", async () => {
  const place = freshPlace();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      fc.array(change, { maxLength: 8 }),
      fc.option(fc.nat(), { freq: 3 }),
      async ([name, bytes], changes, cut) => {
        const mutated = Buffer.from(bytes);
        for (const { at, byte } of changes) mutated[at % mutated.length] = byte;
        const path = join(place, name);
        writeFileSync(path, cut === null ? mutated : mutated.subarray(0, cut % mutated.length));
        const limits = { archiveBytes: 1_000_000, archiveEntries: 1000 };
        const sbom = await catalogued(openFileTree(path), [pkgFiles], { limits });
        for (const { code } of sbom.losses) expect(code).toMatch(/^(?:SBOM_|ZIP_)[A-Z_]+$/);
        for (const { occurrences } of sbom.components) {
          for (const { path: found } of occurrences)
            expect(found).not.toMatch(/(?:^|\/)\.\.?(?:\/|$)|^\/|[\u0000-\u001f]/);
        }
      },
    ),
    { numRuns: 300 },
  );
});
