import { listedLicences } from "@touchmark/formats/licences";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SbomFormat } from "./formats.ts";
import { anySbom, sampleSbom } from "./sbom.fixture.ts";
import { hasXmllint, licenceIdsOfSchema, type SchemaName, schemaFaults, xmlSchemaFaults } from "./schemas.fixture.ts";
import { writeSbom } from "./write.ts";

const official: readonly (readonly [SbomFormat, SchemaName])[] = [
  ["cyclonedx-json", "bom-1.6"],
  ["cyclonedx-1.7-json", "bom-1.7"],
  ["spdx-json", "spdx-2.3"],
  ["spdx-3-json", "spdx-3.0.1"],
];

for (const [format, schema] of official) {
  test(`F5: ${format} is valid by the official schema`, () => {
    const { bytes } = writeSbom(sampleSbom(), format);
    expect(schemaFaults(schema, JSON.parse(Buffer.from(bytes).toString()))).toEqual([]);
  });

  test(`F5: ${format} of any SBOM is valid by the official schema`, () => {
    fc.assert(
      fc.property(anySbom, (sbom) => {
        const { bytes } = writeSbom(sbom, format);
        expect(schemaFaults(schema, JSON.parse(Buffer.from(bytes).toString()))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
}

test("F5: every identifier of our licence list is one that the schema of CycloneDX knows", () => {
  const known = new Set(licenceIdsOfSchema());
  const ids = [...listedLicences().values()].map(({ id }) => id);
  expect(ids.filter((id) => !known.has(id))).toEqual([]);
});

test.skipIf(!hasXmllint)("F5: cyclonedx-xml is valid by the official XML schema", () => {
  const sboms = [sampleSbom(), ...fc.sample(anySbom, { numRuns: 25, seed: 6 })];
  for (const sbom of sboms) expect(xmlSchemaFaults(writeSbom(sbom, "cyclonedx-xml", { indent: 2 }).bytes)).toBe("");
});
