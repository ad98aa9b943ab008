import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import { expect, test } from "vitest";
import type { DocumentProblem } from "./problems.ts";
import { readSbom } from "./read.ts";
import { schemaFaults } from "./schemas.fixture.ts";
import { writeSbom } from "./write.ts";

const vectors = JSON.parse(
  gunzipSync(readFileSync(new URL("testdata/cyclonedx/vectors.json.gz", import.meta.url))).toString("utf8"),
) as Readonly<Record<string, string>>;
const named = (word: string) => Object.entries(vectors).filter(([path]) => path.includes(`/${word}-`));

/** Faults of these lie in members that an SBOM of ours has no place for, or in the order of XML elements. */
const elsewhere = /invalid-component-ref-/;

test(`F1: every valid document of the CycloneDX specification is read, and has no defect`, () => {
  const found: Record<string, readonly DocumentProblem[]> = {};
  for (const [path, text] of named("valid")) {
    const { sbom, problems } = readSbom(Buffer.from(text), { name: path });
    const defects = problems.filter(({ severity }) => severity === "defect");
    if (defects.length > 0) found[path] = defects;
    expect(readSbom(writeSbom(sbom, "touchmark-json").bytes).sbom.components).toEqual(sbom.components);
  }
  expect(found).toEqual({});
  expect(named("valid").length).toBeGreaterThan(100);
});

test("F1: every invalid document of the CycloneDX specification is refused, or what is wrong in it is named", () => {
  const passed = named("invalid").filter(([path, text]) => {
    if (elsewhere.test(path)) return false;
    try {
      return readSbom(Buffer.from(text)).problems.every(({ severity }) => severity === "note");
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      return false;
    }
  });
  expect(passed.map(([path]) => path)).toEqual([]);
});

test("F5: what is read of documents of the specification is written valid by the official schemas", () => {
  for (const [path, text] of named("valid").filter((_, index) => index % 16 === 0)) {
    const { sbom } = readSbom(Buffer.from(text));
    for (const [format, schema] of [
      ["cyclonedx-json", "bom-1.6"],
      ["cyclonedx-1.7-json", "bom-1.7"],
      ["spdx-json", "spdx-2.3"],
      ["spdx-3-json", "spdx-3.0.1"],
    ] as const) {
      const written = JSON.parse(Buffer.from(writeSbom(sbom, format).bytes).toString());
      expect({ path, format, faults: schemaFaults(schema, written) }).toEqual({ path, format, faults: [] });
    }
  }
});
