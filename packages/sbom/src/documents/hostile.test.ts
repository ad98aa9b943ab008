import { gzipSync } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sbomFormats } from "./formats.ts";
import { documentLimits } from "./limits.ts";
import { readSbom } from "./read.ts";
import { sampleSbom } from "./sbom.fixture.ts";
import { writeSbom } from "./write.ts";

const refusal = (code: string): unknown => expect.objectContaining({ name: "FactoryError", code });
const read = (document: unknown) =>
  readSbom(Buffer.from(typeof document === "string" ? document : JSON.stringify(document)));

function bom(more: object = {}): object {
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: { component: { type: "application", "bom-ref": "root", name: "root" } },
    ...more,
  };
}

function library(ref: string, more: object = {}): object {
  return { type: "library", "bom-ref": ref, name: ref, ...more };
}

test.each([
  ["", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ["[]", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ["{}", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ["a text that is none", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ["<project/>", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  [gzipSync("{}").toString("latin1"), "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ['{"bomFormat":"CycloneDX","specVersion":"2.0"}', "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ['{"bomFormat":"CycloneDX"}', "SBOM_DOCUMENT_MALFORMED"],
  ['{"spdxVersion":"SPDX-2.1"}', "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ["SPDXVersion: SPDX-1.2\n", "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ['{"@context":"https://spdx.org/rdf/3.1.0/spdx-context.jsonld"}', "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ['{"touchmark":"sbom/v9"}', "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ['{"touchmark":"sbom/v1"}', "SBOM_DOCUMENT_MALFORMED"],
  ['{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}', "SBOM_DOCUMENT_MALFORMED"],
  ['<bom xmlns="http://cyclonedx.org/schema/bom/9.9"/>', "SBOM_DOCUMENT_VERSION_UNSUPPORTED"],
  ['<bom xmlns="http://cyclonedx.org/schema/bom/1.6">', "SBOM_DOCUMENT_MALFORMED"],
  ["SPDXVersion: SPDX-2.3\nno tag\n", "SBOM_DOCUMENT_MALFORMED"],
  ["SPDXVersion: SPDX-2.3\nDocumentComment: <text>never closed\n", "SBOM_DOCUMENT_MALFORMED"],
])("F1: %j is refused", (text, code) => {
  expect(() => readSbom(Buffer.from(text, "latin1"))).toThrow(refusal(code));
});

test("F1: a member of another type than its format says is refused, with its place", () => {
  for (const [document, place] of [
    [bom({ components: {} }), "components"],
    [bom({ components: [library("a", { version: 1 })] }), "components[0].version"],
    [bom({ dependencies: [{ ref: "root", dependsOn: [1] }] }), "dependencies[0].dependsOn[0]"],
    [{ spdxVersion: "SPDX-2.3", packages: [{ name: "x" }] }, "packages[0].SPDXID"],
    [{ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [1] }, "@graph[0]"],
  ] as const) {
    expect(() => read(document)).toThrow(expect.objectContaining({ message: expect.stringContaining(place) }));
    expect(() => read(document)).toThrow(refusal("SBOM_DOCUMENT_MALFORMED"));
  }
});

test("F8: two components under one identifier are both kept, and named", () => {
  const twice = [library("a", { version: "1" }), library("a", { version: "2" }), library("a", { version: "1" })];
  const { sbom, problems } = read(bom({ components: twice, dependencies: [{ ref: "root", dependsOn: ["a"] }] }));
  expect(sbom.components.map(({ ref, version }) => `${ref} ${version}`)).toEqual(["a 1", "a#2 2", "root "]);
  expect(problems.map(({ code }) => code)).toEqual([
    "SBOM_DOCUMENT_REFERENCE_DUPLICATE",
    "SBOM_DOCUMENT_REFERENCE_DUPLICATE",
  ]);
  expect(sbom.losses).toHaveLength(2);
});

test("F8: relations to what is not there are left out and named; circles and a missing subject are notes", () => {
  const { sbom, problems } = read({
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    components: [library("a"), library("b")],
    dependencies: [
      { ref: "a", dependsOn: ["b", "gone"] },
      { ref: "b", dependsOn: ["a"] },
      { ref: "nobody", dependsOn: ["a"] },
    ],
  });
  expect(sbom.dependencies).toEqual([
    { from: "a", to: ["b"] },
    { from: "b", to: ["a"] },
  ]);
  expect(problems.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
    "note SBOM_DOCUMENT_SUBJECT_MISSING",
    "error SBOM_DOCUMENT_REFERENCE_DANGLING",
    "error SBOM_DOCUMENT_REFERENCE_DANGLING",
    "note SBOM_DOCUMENT_CYCLE",
  ]);
});

test("F8: a package URL that denies name, version or type is named; other spellings of the same are not", () => {
  const purl = "pkg:npm/left@1.0.0";
  for (const [more, count] of [
    [{ purl, version: "1.0.0", name: "left" }, 0],
    [{ purl, version: "v1.0.0", name: "Left" }, 0],
    [{ purl, version: "1.0.1", name: "left" }, 1],
    [{ purl, version: "1.0.0", name: "right" }, 1],
    [{ purl: "pkg:deb/debian/bash@5.2?epoch=1", version: "1:5.2", name: "bash" }, 0],
    [{ purl: "pkg:maven/org.acme/core@1", version: "1", name: "core", group: "org.acme" }, 0],
    [{ purl: "pkg:pypi/zope-interface@1", version: "1", name: "zope.interface" }, 0],
    [{ purl: "no URL" }, 1],
  ] as const) {
    const { problems } = read(bom({ components: [library("a", more)] }));
    expect({ more, problems: problems.length }).toEqual({ more, problems: count });
  }
});

test("F8: values that the format does not have there are named", () => {
  const hashes = [{ alg: "SHA-256", content: "abc" }];
  const { problems } = read(bom({ components: [library("a", { hashes, scope: "sometimes", type: "thing" })] }));
  expect(problems.map(({ code }) => code)).toEqual(Array(3).fill("SBOM_DOCUMENT_VALUE_INVALID"));
});

test("F4: properties that deny the format's own members are ignored, and the contradiction is named", () => {
  const hidden = {
    properties: [
      { name: "touchmark:sbom:name", value: '"harmless"' },
      { name: "touchmark:sbom:purl", value: '"pkg:npm/harmless@1"' },
    ],
  };
  const purl = "pkg:npm/evil@1.0.0";
  const { sbom, problems } = read(bom({ components: [library("a", { purl, name: "evil", ...hidden })] }));
  expect(sbom.components[0]).toMatchObject({ name: "evil", purl });
  expect(problems).toEqual([expect.objectContaining({ code: "SBOM_DOCUMENT_CONTRADICTION" })]);
  const broken = { properties: [{ name: "touchmark:sbom:scope", value: '"all"' }] };
  expect(read(bom({ components: [library("a", broken)] })).problems).toEqual([
    expect.objectContaining({ code: "SBOM_DOCUMENT_VALUE_INVALID" }),
  ]);
});

test("F9: nesting has a limit in every format", () => {
  const nested = (depth: number): object =>
    depth === 0 ? library("leaf") : library(`l${depth}`, { components: [nested(depth - 1)] });
  expect(read(bom({ components: [nested(30)] })).sbom.components).toHaveLength(32);
  const text = `{"bomFormat":"CycloneDX","a":${"[".repeat(200)}${"]".repeat(200)}}`;
  expect(() => read(text)).toThrow(refusal("SBOM_DOCUMENT_TOO_DEEP"));
  const xml = `<bom xmlns="http://cyclonedx.org/schema/bom/1.6">${"<a>".repeat(200)}${"</a>".repeat(200)}</bom>`;
  expect(() => read(xml)).toThrow(refusal("SBOM_DOCUMENT_TOO_DEEP"));
});

test("F9: a document of one line of XML with 5,000 components", () => {
  const one = (index: number): string => `<component type="library" bom-ref="c${index}"><name>c</name></component>`;
  const components = Array.from({ length: 5000 }, (_, index) => one(index)).join("");
  const { sbom } = read(
    `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>${components}</components></bom>`,
  );
  expect(sbom.components).toHaveLength(5001);
});

test("F9: XML with a document type or entities of its own is refused", () => {
  const bomb = `<!DOCTYPE bom [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6">&b;</bom>`;
  expect(() => read(bomb)).toThrow(refusal("SBOM_DOCUMENT_MALFORMED"));
});

test("F9: more bytes than the limit are not looked at", () => {
  const huge = { length: documentLimits.bytes + 1 } as Uint8Array;
  expect(() => readSbom(huge)).toThrow(refusal("SBOM_DOCUMENT_TOO_LARGE"));
});

test("F9: 20,000 components under one identifier, in one circle, with 20,000 dangling relations", () => {
  const components = Array.from({ length: 20_000 }, (_, index) => library("same", { version: String(index) }));
  const ring = Array.from({ length: 20_000 }, (_, index) => library(`r${index}`));
  const dependencies = Array.from({ length: 20_000 }, (_, index) => ({
    ref: `r${index}`,
    dependsOn: [`r${(index + 1) % 20_000}`, `gone${index}`],
  }));
  const { sbom, problems } = read(bom({ components: [...components, ...ring], dependencies }));
  expect(sbom.components).toHaveLength(40_001);
  expect(problems.length).toBeLessThan(210);
  expect(problems.at(-1)?.message).toMatch(/more of the kind|depend on each other/);
}, 30_000);

test("F9: any change of a real document is read, or refused with a code", () => {
  const documents = sbomFormats.map((format) => Buffer.from(writeSbom(sampleSbom(), format, { indent: 1 }).bytes));
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 40 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (document, changes) => {
        let bytes = document;
        for (const { at, byte, cut } of changes) {
          const place = at % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place + cut)]);
        }
        try {
          readSbom(bytes);
        } catch (error) {
          if (!isFactoryError(error) || !error.code.startsWith("SBOM_DOCUMENT_")) throw error;
        }
      },
    ),
    { numRuns: 1500 },
  );
}, 30_000);
