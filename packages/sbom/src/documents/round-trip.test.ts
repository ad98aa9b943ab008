import fc from "fast-check";
import { expect, test } from "vitest";
import { sbomFormats } from "./formats.ts";
import { readSbom } from "./read.ts";
import { anySbom, sampleSbom } from "./sbom.fixture.ts";
import { writeSbom } from "./write.ts";

for (const format of sbomFormats) {
  test(`F2: what is written as ${format} reads as the same SBOM`, () => {
    const sbom = sampleSbom();
    const { sbom: again, problems } = readSbom(writeSbom(sbom, format).bytes);
    expect(again).toEqual(sbom);
    expect(problems.filter(({ severity }) => severity !== "note")).toEqual([]);
  });

  test(`F2: any SBOM, however hostile its texts, survives ${format}`, () => {
    fc.assert(
      fc.property(anySbom, (sbom) => {
        const { sbom: again } = readSbom(writeSbom(sbom, format).bytes);
        // Package URLs that deny their component are named when they are read; nothing else is different.
        const losses = again.losses.filter(({ code }) => code !== "SBOM_DOCUMENT_CONTRADICTION");
        expect({ ...again, losses }).toEqual(sbom);
      }),
      { numRuns: 120 },
    );
  });

  test(`F3: the same SBOM has the same bytes as ${format}, and again when read and written`, () => {
    const { bytes } = writeSbom(sampleSbom(), format);
    expect(Buffer.from(writeSbom(sampleSbom(), format).bytes).toString()).toBe(Buffer.from(bytes).toString());
    expect(Buffer.from(writeSbom(readSbom(bytes).sbom, format).bytes).toString()).toBe(Buffer.from(bytes).toString());
  });
}
