import { expect, test } from "vitest";
import { readPolicyDocument } from "../policy/read-document.ts";
import { signers } from "./demo.fixture.ts";
import { readIteLayout } from "./index.ts";

const { key } = signers.ed25519;
const builder = `key_${key.digest.slice(7, 23)}`;
const document = `
expires: "2027-10-10T12:23:22Z"
functionaries:
  ${key.keyid}:
    keyType: ed25519
    scheme: ed25519
    keyIDHashAlgorithms: [sha256, sha512]
    keyVal:
      public: "${key.public}"
    keyID: "${key.keyid}"
  "ci":
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      identity: ci@factory.example
      issuer: "https://factory.example"
steps:
  - name: clone
    command: git clone project
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["CREATE foo", "DISALLOW *"]
    expectedPredicates:
      - predicateType: https://in-toto.io/attestation/link/v0.3
        expectedAttributes:
          - rule: "predicate.command == ['git', 'clone', '{url}']"
            allowIfNoClaim: true
            warn: true
        functionaries: [${key.keyid}]
        threshold: 1
  - name: build
    expectedMaterials: ["MATCH foo WITH products FROM clone", "DISALLOW *"]
    expectedProducts: ["CREATE bin/foo"]
    expectedPredicates:
      - predicateType: https://slsa.dev/provenance/v1
        expectedAttributes:
          - rule: "predicate.runDetails.builder.id == 'https://{host}/builder' && size(subject) != 0"
            debug: not our builder
        functionaries: [ci, ${key.keyid}]
        threshold: 2
subjects:
  - subject: [bin/foo]
    expectedPredicates:
      - predicateType: https://in-toto.io/attestation/test-result/v0.1
        expectedAttributes: [{ rule: "predicate.result == 'PASSED'" }]
        functionaries: [ci]
inspections:
  - name: look
    command: tar tf bin/foo
    expectedProducts: ["ALLOW *"]
`;
const read = (text: string) => readIteLayout(Buffer.from(text), { name: "ite", version: 2 });

test("ITO10: a layout of ITE-10 becomes one of ours, with subjects, inspections and thresholds", () => {
  const layout = read(document);
  expect(layout.functionaries).toEqual({
    [builder]: { keys: [key.digest] },
    identity_ci: { identities: [{ identity: "ci@factory.example", issuer: "https://factory.example" }] },
  });
  const [clone, build] = layout.steps;
  expect(clone).toMatchObject({ functionaries: [builder], threshold: 1, command: ["git", "clone", "project"] });
  expect(build?.functionaries).toEqual(["identity_ci", builder]);
  expect(build?.materials?.[0]).toEqual({ rule: "MATCH", pattern: "foo", with: "products", from: "clone" });
  expect(build?.attestations?.map(({ predicateType, threshold }) => [predicateType, threshold])).toEqual([
    ["https://slsa.dev/provenance/v1", 2],
    ["https://in-toto.io/attestation/test-result/v0.1", undefined],
  ]);
  expect(layout.subjects).toEqual([{ step: "build", products: ["bin/foo"] }]);
  expect(layout.inspections?.[0]).toMatchObject({ name: "look", command: ["tar", "tf", "bin/foo"] });
  const again = readPolicyDocument(Buffer.from(JSON.stringify(layout)), { name: "ite.json", kind: "layout" });
  expect(again.document).toEqual(layout);
});

test("ITO10: a parameter is a value and never text of an expression; a warning is announced and no more", () => {
  const { steps } = read(document);
  expect(steps[0]?.attestations?.[0]?.rules?.[0]).toEqual({
    id: "attribute-1",
    title: "predicate.command == ['git', 'clone', '{url}']",
    expression: "predicate.command == ['git', 'clone', params.url]",
    effectiveOn: "9999-12-31T23:59:59Z",
  });
  expect(steps[1]?.attestations?.[0]?.rules?.[0]).toMatchObject({
    expression:
      "predicate.runDetails.builder.id == ('https://' + params.host + '/builder') && size(statementSubject) != 0",
    message: "not our builder",
  });
});

test("ITO10: one predicate of a step, as the older text has it, is read too", () => {
  const older = document.replace(
    / {4}expectedPredicates:\n {6}- predicateType: (https:\/\/in-toto.io\/attestation\/link\/v0.3)[^]*?threshold: 1\n/,
    (_, type) =>
      `    expectedPredicateType: ${type}\n    functionaries: [ci]\n    expectedAttributes: [{ rule: "true" }]\n`,
  );
  expect(older).not.toBe(document);
  expect(read(older).steps[0]).toMatchObject({ functionaries: ["identity_ci"] });
});

test.each([
  ["INTOTO_MALFORMED", "no mapping", "[]"],
  ["INTOTO_TOO_LARGE", "many brackets", "[".repeat(100_000)],
  ["INTOTO_TOO_LARGE", "many bytes", " ".repeat(600_000)],
  ["INTOTO_MALFORMED", "no step", document.replace(/steps:[^]*subjects:/, "steps: []\nsubjects:")],
  ["INTOTO_MALFORMED", "an identity without issuer", document.replace('      issuer: "https://factory.example"\n', "")],
  ["INTOTO_UNKNOWN_FIELD", "an unknown key", document.replace("command: git", "comand: git")],
  ["INTOTO_REFERENCE", "an unknown functionary", document.replace("functionaries: [ci]", "functionaries: [cd]")],
  ["INTOTO_NOT_REPRESENTABLE", "a parameter as code", document.replace("'PASSED'", "{result}")],
  ["INTOTO_NOT_REPRESENTABLE", "a parameter that no expression can say", document.replace("{host}", "{a-b}")],
  ["INTOTO_NOT_REPRESENTABLE", "a parameter in a pattern", document.replace("CREATE foo", "CREATE {foo}")],
  ["INTOTO_NOT_REPRESENTABLE", "a command for a shell", document.replace("tar tf bin/foo", "tar tf $X")],
  [
    "INTOTO_NOT_REPRESENTABLE",
    "predicates for an inspection",
    document.replace("    command: tar", "    predicates: [a]\n    command: tar"),
  ],
  ["INTOTO_NOT_REPRESENTABLE", "no expiry", document.replace("2027-10-10T12:23:22Z", "never")],
])("ITO10: %s, a layout of ITE-10 with %s", (code, _, text) => {
  expect(text).not.toBe(document);
  expect(() => read(text)).toThrow(expect.objectContaining({ code }));
});
