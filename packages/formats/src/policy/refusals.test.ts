import { expect, test } from "vitest";
import { policyDocumentExamples } from "./examples.ts";
import { PolicyDocumentError, type PolicyDocuments, policyDocumentText, readPolicyDocument } from "./index.ts";

const fails = (text: string | Uint8Array, kind?: keyof PolicyDocuments): PolicyDocumentError => {
  try {
    readPolicyDocument(Buffer.from(text), { name: "p.yaml", ...(kind === undefined ? {} : { kind }) });
  } catch (error) {
    if (error instanceof PolicyDocumentError) return error;
    throw error;
  }
  throw new TypeError("the document was read");
};
const changed = <Kind extends keyof PolicyDocuments>(kind: Kind, change: Partial<PolicyDocuments[Kind]>): string =>
  policyDocumentText({ ...policyDocumentExamples[kind], ...change });

test("POL4: every problem has its line and column, what was expected, what was found, and the nearest name", () => {
  const error = fails(`touchmark: policy/v1
name: deploy
version: "1"
expires: "2027-02-30T00:00:00Z"
point: deplyo
mdoe: warn
trust:
  a-b: {}
rules:
  - id: first
    titel: x
    expression: "true"
  - []
`);
  expect(error.message.split("\n")).toEqual([
    'p.yaml:3:10: version: expected a whole number, found "1"',
    'p.yaml:4:10: expires: expected a time in UTC such as 2027-01-31T00:00:00Z that is in the calendar, found "2027-02-30T00:00:00Z"',
    'p.yaml:5:8: point: expected request | dependency | step | publish | deploy, found "deplyo"; did you mean "deploy"?',
    'p.yaml:6:1: mdoe: unknown key "mdoe"; did you mean mode?',
    'p.yaml:8:3: trust.a-b: expected a name of letters, digits and _, found "a-b"',
    'p.yaml:10:5: rules.0: expected a key "title", which is missing',
    'p.yaml:11:5: rules.0.titel: unknown key "titel"; did you mean title?',
    "p.yaml:13:5: rules.1: expected a mapping, found a list",
  ]);
  expect([error.line, error.column, error.code]).toEqual([3, 10, "POLICY_DOCUMENT_VALUE"]);
});

test("POL4: text that was written as a number is told how to be text", () => {
  const text = policyDocumentText(policyDocumentExamples.policy).replace("name: shop-deploy", "name: 12");
  expect(fails(text).message).toMatch(/2:7: name: expected a name .*, found the number 12; put it in quotes: "12"$/);
});

test("POL4: a document with thousands of problems tells fifty", () => {
  const rules = Array.from({ length: 1000 }, () => "  - {}").join("\n");
  expect(fails(`touchmark: policy/v1\nrules:\n${rules}\n`).problems).toHaveLength(50);
});

test.each<readonly [string, string, string | Uint8Array]>([
  ["POLICY_DOCUMENT_TOO_LARGE", "too large", Buffer.alloc(512 * 1024 + 1, 32)],
  ["POLICY_DOCUMENT_TOO_COMPLEX", "too deep", `{"touchmark": ${"[".repeat(300)}${"]".repeat(300)}}`],
  ["POLICY_DOCUMENT_TOO_COMPLEX", "of too many values", `[${"1,".repeat(50_001)}1]`],
  ["POLICY_DOCUMENT_TOO_COMPLEX", "of many brackets", "[".repeat(500_000)],
  ["POLICY_DOCUMENT_TOO_COMPLEX", "with aliases", `a: &x [1]\nb:\n${"- *x\n".repeat(80_000)}`],
  ["POLICY_DOCUMENT_MALFORMED", "not UTF-8", Uint8Array.of(0xff, 0xfe)],
  ["POLICY_DOCUMENT_MALFORMED", "two documents", "a: 1\n---\nb: 1\n"],
  ["POLICY_DOCUMENT_MALFORMED", "with a tag", "a: !!binary aGk=\n"],
  ["POLICY_DOCUMENT_CHARACTER", "with a control character", "a: \u001b[31m\n"],
  ["POLICY_DOCUMENT_KEY_TWICE", "with a key twice", "touchmark: policy/v1\ntouchmark: layout/v1\n"],
  ["POLICY_DOCUMENT_KEY_UNKNOWN", "with a key that every object has", "touchmark: policy/v1\nconstructor: 1\n"],
  ["POLICY_DOCUMENT_AMBIGUOUS", "with a bare time", "touchmark: policy/v1\nexpires: 2027-01-31T00:00:00Z\n"],
  ["POLICY_DOCUMENT_VERSION", "without kind", "name: a\n"],
  ["POLICY_DOCUMENT_VERSION", "that is a list", "[]"],
])("POL5: %s, a document %s", (code, _, text) => {
  expect(fails(text).code).toBe(code);
});

test("POL5: an unknown version is told from an unknown kind, and another kind than was asked for is refused", () => {
  expect(fails("touchmark: layout/v2\n").message).toContain("this release reads version 1 of a layout");
  expect(fails("touchmark: polcy/v1\n").message).toContain("did you mean policy/v1?");
  const error = fails(policyDocumentText(policyDocumentExamples.layout), "policy");
  expect([error.code, error.message]).toEqual([
    "POLICY_DOCUMENT_KIND",
    "p.yaml:1:12: touchmark: expected policy/v1, found layout/v1",
  ]);
});

const rule = (id: string, dependsOn: readonly string[] = []) => ({ id, title: id, expression: "true", dependsOn });
const [build, pack] = policyDocumentExamples.layout.steps;
const step = { ...(build ?? { name: "build", functionaries: [] }) };
const last = { ...(pack ?? step) };
const functionary = policyDocumentExamples.layout.functionaries["builder"] ?? {};

test.each<readonly [string, string, string]>([
  ["POLICY_DOCUMENT_NAME_TWICE", "rules.1.id", changed("policy", { rules: [rule("a"), rule("a")] })],
  [
    "POLICY_DOCUMENT_NAME_TWICE",
    "variables.1.name",
    changed("policy", {
      variables: [
        { name: "a", expression: "1" },
        { name: "a", expression: "2" },
      ],
    }),
  ],
  ["POLICY_DOCUMENT_REFERENCE", "rules.0.dependsOn.0", changed("policy", { rules: [rule("a", ["b"])] })],
  [
    "POLICY_DOCUMENT_CYCLE",
    "rules.0.dependsOn",
    changed("policy", { rules: [rule("a", ["b"]), rule("b", ["c"]), rule("c", ["a"])] }),
  ],
  ["POLICY_DOCUMENT_CYCLE", "rules.0.dependsOn", changed("policy", { rules: [rule("a", ["a"])] })],
  ["POLICY_DOCUMENT_VALUE", "rules.0", changed("policy", { rules: [{ id: "a", title: "a" }] })],
  [
    "POLICY_DOCUMENT_VALUE",
    "rules.0",
    changed("policy", {
      rules: [
        { ...rule("a", []), rego: { module: `sha256:${"0".repeat(64)}`, entrypoint: "a/allow" }, expression: "true" },
      ],
    }),
  ],
  [
    "POLICY_DOCUMENT_REFERENCE",
    "attestations.x.by.0",
    changed("policy", { attestations: { x: { predicateType: "a:b", by: ["factroy"] } } }),
  ],
  [
    "POLICY_DOCUMENT_VALUE",
    "attestations.x.threshold",
    changed("policy", { attestations: { x: { predicateType: "a:b", by: ["factory", "factory"], threshold: 2 } } }),
  ],
  [
    "POLICY_DOCUMENT_VALUE",
    "trust.nobody",
    changed("policy", { trust: { ...policyDocumentExamples.policy.trust, nobody: {} } }),
  ],
  ["POLICY_DOCUMENT_NAME_TWICE", "steps.1.name", changed("layout", { steps: [step, step, last] })],
  [
    "POLICY_DOCUMENT_NAME_TWICE",
    "inspections.0.name",
    changed("layout", { inspections: [{ name: "pack", command: ["a"] }] }),
  ],
  ["POLICY_DOCUMENT_CYCLE", "steps.0.after", changed("layout", { steps: [{ ...step, after: ["pack"] }, last] })],
  ["POLICY_DOCUMENT_REFERENCE", "steps.0.after.0", changed("layout", { steps: [{ ...step, after: ["pakc"] }, last] })],
  [
    "POLICY_DOCUMENT_REFERENCE",
    "steps.0.functionaries.0",
    changed("layout", { steps: [{ ...step, functionaries: ["biulder"] }, last] }),
  ],
  ["POLICY_DOCUMENT_REFERENCE", "subjects.0.step", changed("layout", { subjects: [{ step: "ship" }] })],
  [
    "POLICY_DOCUMENT_REFERENCE",
    "steps.1.materials.0.from",
    changed("layout", { steps: [step, { ...last, materials: [{ rule: "MATCH", pattern: "*", from: "ship" }] }] }),
  ],
  [
    "POLICY_DOCUMENT_VALUE",
    "steps.1.materials.0",
    changed("layout", { steps: [step, { ...last, materials: [{ rule: "MATCH", pattern: "*" }] }] }),
  ],
  [
    "POLICY_DOCUMENT_VALUE",
    "steps.1.materials.0.from",
    changed("layout", { steps: [step, { ...last, materials: [{ rule: "ALLOW", pattern: "*", from: "build" }] }] }),
  ],
  ["POLICY_DOCUMENT_VALUE", "steps.0.threshold", changed("layout", { steps: [{ ...step, threshold: 2 }, last] })],
  [
    "POLICY_DOCUMENT_VALUE",
    "steps.0.name",
    changed("layout", {
      steps: [
        { ...step, name: "source" },
        { ...last, after: [], materials: [] },
      ],
    }),
  ],
  [
    "POLICY_DOCUMENT_VALUE",
    "functionaries.packer",
    changed("layout", { functionaries: { builder: functionary, packer: { keys: [] } } }),
  ],
  [
    "POLICY_DOCUMENT_NAME_TWICE",
    "members.1.digest",
    changed("policy-set", {
      members: policyDocumentExamples["policy-set"].members.map((member) => ({
        ...member,
        digest: `sha256:${"4".repeat(64)}` as const,
      })),
    }),
  ],
  ["POLICY_DOCUMENT_VALUE", "threshold", changed("policy-set", { threshold: 3 })],
  ["POLICY_DOCUMENT_REFERENCE", "exceptions.by.0", changed("policy", { exceptions: { by: ["security"] } })],
  [
    "POLICY_DOCUMENT_VALUE",
    "exceptions.threshold",
    changed("policy", { exceptions: { by: ["factory"], threshold: 2 } }),
  ],
])("POL6: %s at %s", (code, path, text) => {
  const error = fails(text);
  expect(error.problems.map((problem) => [problem.code, problem.path])).toEqual([[code, path]]);
});

test("POL6: a rule may depend on one of a collection, which is not in the document", () => {
  const text = changed("policy", { rules: [rule("a", ["b"])], collections: ["hermetic"] });
  expect(readPolicyDocument(Buffer.from(text), { name: "a" }).kind).toBe("policy");
});

test("POL6: a chain of a thousand rules is no circle, and a circle of a thousand is one", () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `r${i}`);
  const long = ids.map((id, i) => rule(id, i === 0 ? [] : [`r${i - 1}`]));
  expect(readPolicyDocument(Buffer.from(changed("policy", { rules: long })), { name: "a" }).kind).toBe("policy");
  const round = long.map((each, i) => (i === 0 ? rule("r0", ["r999"]) : each));
  expect(fails(changed("policy", { rules: round })).code).toBe("POLICY_DOCUMENT_CYCLE");
});

const { exception } = policyDocumentExamples;
test.each<readonly [string, Partial<PolicyDocuments["exception"]>]>([
  ["approvers.1", { approvers: [...exception.approvers, exception.requester] }],
  ["subject", { subject: {} }],
  ["subject", { subject: { ...exception.subject, purl: "pkg:npm/a@1" } }],
  ["expires", { expires: exception.created }],
])("POL7: an exception that could never count is refused at %s", (path, change) => {
  expect(fails(changed("exception", change)).problems.map((problem) => problem.path)).toEqual([path]);
});

test("POL7: an exception has an expiry and names its rules", () => {
  const text = policyDocumentText(exception).replace(/^expires: .*\n/m, "");
  expect(fails(text).message).toContain('expected a key "expires", which is missing');
  expect(fails(changed("exception", { rules: [] })).message).toContain("expected a list of 1 to 100 items");
  expect(fails(changed("exception", { rules: ["*"] })).message).toContain("expected a name of letters and digits");
});
