import fc from "fast-check";
import { expect, test } from "vitest";
import { readVex, type VexDraft, type VexStatement, vexFormats, vexJustifications, writeVex } from "./index.ts";

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const refusal = (code: string) => expect.objectContaining({ code });
const statement: VexStatement = {
  vulnerability: ["CVE-2026-0001", "GHSA-xxxx-yyyy-zzzz"],
  products: [{ ids: ["pkg:npm/left-pad@1.3.0"], subcomponents: [] }],
  status: "not_affected",
  justification: "vulnerable_code_not_in_execute_path",
  detail: "never called",
  at: "2026-01-02T03:04:05.000Z",
};
const draft: VexDraft = { author: "Ada", at: "2026-01-02T03:04:05Z", statements: [statement] };
const openVex = JSON.parse(new TextDecoder().decode(writeVex(draft, "openvex"))) as Record<string, unknown>;

test.each(vexFormats)("E1: what is written as %s is read back as the same statement", (format) => {
  const document = readVex(writeVex(draft, format));
  expect(document).toMatchObject({ format, author: "Ada", losses: [], statements: [statement] });
  expect(writeVex(draft, format)).toEqual(writeVex(draft, format));
});

test("E1: statements round-trip through each form, whatever they say", () => {
  const status = fc.constantFrom(
    "not_affected" as const,
    "affected" as const,
    "fixed" as const,
    "under_investigation" as const,
  );
  const statements = fc.record({
    status,
    justification: fc.constantFrom(...vexJustifications),
    detail: fc.string({ minLength: 1, maxLength: 30 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom("openvex" as const, "csaf" as const),
      statements,
      (format, { status: which, justification, detail }) => {
        // Other labels have no justification, and OpenVEX words only for these two.
        const rest = which === "not_affected" ? { justification, detail } : which === "affected" ? { detail } : {};
        const one = {
          vulnerability: ["CVE-2026-0001"],
          products: statement.products,
          status: which,
          at: statement.at,
          ...rest,
        };
        expect(readVex(writeVex({ ...draft, statements: [one] }, format)).statements).toEqual([one]);
      },
    ),
  );
});

test("E2: a part of a product is kept as such by OpenVEX and CSAF", () => {
  const part = {
    ...statement,
    products: [{ ids: ["pkg:oci/app@sha256:1"], subcomponents: ["pkg:npm/left-pad@1.3.0"] }],
  };
  for (const format of ["openvex", "csaf"] as const) {
    expect(readVex(writeVex({ ...draft, statements: [part] }, format)).statements[0]?.products).toEqual(part.products);
  }
});

test("E2: identifiers and hashes of OpenVEX products, and their draft form as plain text, are read", () => {
  const products = [
    { identifiers: { purl: "pkg:npm/a@1" }, hashes: { "sha-256": "A".repeat(64) } },
    "pkg:npm/b@2",
    { "@id": "x", subcomponents: ["pkg:npm/c@3"] },
  ];
  const document = { ...openVex, statements: [{ vulnerability: "CVE-2026-0002", products, status: "fixed" }] };
  expect(readVex(bytes(document)).statements[0]?.products).toEqual([
    { ids: ["pkg:npm/a@1", `sha256:${"a".repeat(64)}`], subcomponents: [] },
    { ids: ["pkg:npm/b@2"], subcomponents: [] },
    { ids: ["x"], subcomponents: ["pkg:npm/c@3"] },
  ]);
});

test("E2: analyses of CycloneDX are read with the package URLs of its components; what was not analysed is a loss", () => {
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [{ "bom-ref": "one", name: "left-pad", purl: "pkg:npm/left-pad@1.3.0" }],
    vulnerabilities: [
      { id: "CVE-1", analysis: { state: "false_positive" }, affects: [{ ref: "one" }] },
      { id: "CVE-2", affects: [{ ref: "one" }] },
    ],
  };
  expect(readVex(bytes(document))).toMatchObject({
    statements: [{ status: "not_affected", products: [{ ids: ["one", "pkg:npm/left-pad@1.3.0"] }] }],
    losses: ["CVE-2: nothing was analysed"],
  });
});

test.each([
  ["VEX_MALFORMED", "{"],
  ["VEX_MALFORMED", "[]"],
  ["VEX_MALFORMED", {}],
  ["VEX_MALFORMED", { ...openVex, author: "" }],
  ["VEX_MALFORMED", { ...openVex, timestamp: "yesterday" }],
  ["VEX_MALFORMED", { ...openVex, statements: [{ vulnerability: {}, status: "fixed" }] }],
  ["VEX_MALFORMED", { ...openVex, statements: [{ vulnerability: "CVE-1", status: "harmless" }] }],
  ["VEX_MALFORMED", { ...openVex, statements: [{ vulnerability: "CVE-1", status: "fixed", products: [{}] }] }],
  ["VEX_MALFORMED", { document: { csaf_version: "2.0" } }],
  ["VEX_MALFORMED", { bomFormat: "CycloneDX", vulnerabilities: [{ id: "CVE-1", analysis: { state: "fine" } }] }],
  [
    "VEX_STATEMENT_INCOMPLETE",
    { ...openVex, statements: [{ vulnerability: "CVE-1", status: "not_affected", products: ["pkg:npm/a"] }] },
  ],
] as const)("E3: %s refuses %j", (code, document) => {
  expect(() => readVex(bytes(document), { name: "vex.json" })).toThrow(refusal(code));
});

test("E3: a document that is too large, too long or too deep is refused", () => {
  expect(() => readVex(new Uint8Array(64 * 1024 * 1024 + 1))).toThrow(refusal("VEX_TOO_LARGE"));
  const many = Array.from({ length: 100_001 }, () => 0);
  expect(() => readVex(bytes({ ...openVex, statements: many }))).toThrow(refusal("VEX_TOO_LARGE"));
  let branches: unknown = [];
  for (let i = 0; i < 100; i++) branches = [{ branches }];
  const csaf = JSON.parse(new TextDecoder().decode(writeVex(draft, "csaf"))) as Record<string, unknown>;
  expect(() => readVex(bytes({ ...csaf, product_tree: { branches } }))).toThrow(refusal("VEX_MALFORMED"));
});

test("E3: mutated documents are read or refused by a code", () => {
  const seeds = vexFormats.map((format) => new TextDecoder().decode(writeVex(draft, format)));
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(2000), fc.constantFrom("", "null", "[]", "{}", '"', "1", "\u0000"))
    .map(([seed, at, text]) => seed.slice(0, at % seed.length) + text + seed.slice((at % seed.length) + 1));
  fc.assert(
    fc.property(mutated, (text) => {
      try {
        readVex(bytes(text));
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^VEX_/);
      }
    }),
    { numRuns: 500 },
  );
});
