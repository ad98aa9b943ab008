import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readYaml } from "../pipeline/yaml-reader.ts";
import { valueOf } from "./arbitrary.fixture.ts";
import { documentLimits } from "./document-limits.ts";
import { DocumentProblems } from "./document-problems.ts";
import { policyDocumentExamples } from "./examples.ts";
import {
  type AnyPolicyDocument,
  admissionSettings,
  environmentOrder,
  homePolicySchemas,
  PolicyDocumentError,
  policyDocumentErrors,
  policyDocumentKinds,
  policyDocumentText,
  policySchemas,
  readPolicyDocument,
} from "./index.ts";
import { walkSchema } from "./schema-walk.ts";

const read = (text: string | Uint8Array, name = "p.yaml") => readPolicyDocument(Buffer.from(text), { name });
const codes = new Set(Object.keys(policyDocumentErrors.rows));

test.each(policyDocumentKinds)("POL1: a %s is read as YAML and as JSON, with the digest of its bytes", (kind) => {
  const example = policyDocumentExamples[kind];
  for (const form of ["yaml", "json"] as const) {
    const text = policyDocumentText(example, form);
    const reading = readPolicyDocument(Buffer.from(text), { name: "a", kind });
    expect(reading.kind).toBe(kind);
    expect(reading.document).toEqual(example);
    expect(reading.digest).toBe(sha256(text));
  }
});

test("POL1: a reading knows where its values stand", () => {
  const reading = read(policyDocumentText(policyDocumentExamples.policy));
  const lines = policyDocumentText(policyDocumentExamples.policy).split("\n");
  const { line, column } = reading.locate(["rules", 0, "id"], "key");
  expect(lines[line - 1]?.slice(column - 1)).toMatch(/^id: /);
});

test.each(policyDocumentKinds)("POL2: any %s is read back from its text as it was", (kind) => {
  const schema = policySchemas()[kind];
  fc.assert(
    fc.property(valueOf(schema), (value) => {
      for (const form of ["yaml", "json"] as const) {
        const text = policyDocumentText(value as AnyPolicyDocument, form);
        const reading = readYaml(text, "a", documentLimits);
        expect(reading.value).toEqual(JSON.parse(JSON.stringify(value)));
        const problems = new DocumentProblems("a", reading);
        walkSchema(reading.value, schema, [], problems);
        problems.throwIfAny();
      }
    }),
    { numRuns: 40 },
  );
});

test("POL3: every schema names its version, refuses unknown members and describes itself", () => {
  for (const [kind, schema] of Object.entries(policySchemas())) {
    expect(schema["$id"]).toBe(`https://touchmark.dev/schemas/${kind}/v1.json`);
    expect(schema["additionalProperties"]).toBe(false);
    expect(schema["properties"]).toMatchObject({ touchmark: { const: `${kind}/v1` } });
  }
});

test("POL3: the schemas of the settings of a home are those that their readers use", () => {
  const { admission, environments } = homePolicySchemas();
  expect(admission).toMatchObject({
    ...admissionSettings.schema,
    $id: "https://touchmark.dev/schemas/admission/v1.json",
  });
  expect(admission["properties"]).toMatchObject({ touchmark: { const: "admission/v1" } });
  expect(environments).toMatchObject({ ...environmentOrder.schema, additionalProperties: false });
  expect(environments["properties"]).toMatchObject({ environments: { type: "array", uniqueItems: true } });
});

test("POL9: no text makes the reader do anything but answer or refuse with a code of its own", () => {
  const answers = (text: string | Uint8Array) => {
    try {
      read(text);
    } catch (error) {
      expect(error).toBeInstanceOf(PolicyDocumentError);
      expect(codes).toContain((error as PolicyDocumentError).code);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), answers));
  fc.assert(fc.property(fc.json(), (json) => answers(json)));
  const samples = policyDocumentKinds.map((kind) => policyDocumentText(policyDocumentExamples[kind]));
  const cut = fc.record({ at: fc.nat(4000), remove: fc.nat(20), insert: fc.string({ maxLength: 8 }) });
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(cut, { minLength: 1, maxLength: 4 }), (sample, cuts) => {
      let made = sample;
      for (const { at, remove, insert } of cuts) {
        const from = at % made.length;
        made = made.slice(0, from) + insert + made.slice(from + remove);
      }
      answers(made);
    }),
    { numRuns: 300 },
  );
});
