import type { Json } from "@touchmark/core";
import { readPolicyDocument } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { asked, policyOf, ruleOf, said, scanned, signed } from "./policy-scene.ts";

/*
 * Words of somebody whose signature counts and who lies in the form of them, and expressions that shall use a gate up.
 * Beside the words stands a rule of plain JavaScript, as it would be written in a hurry: it lets each of them pass.
 *
 * Shown elsewhere: patterns in linear time (K7), objects without members of their own (K8), bounds of one expression and
 * of all (K6, D19), values nested too deeply (K10, D2), documents of aliases and brackets (POL5).
 */

/** What a program sees that trusts the form of what it reads. */
interface Loose {
  readonly clean: boolean;
  readonly findings: number;
  readonly levels: string;
  readonly worst: string;
  readonly version: number;
  readonly until: string;
}

test.each<readonly [what: string, predicate: Json, hurried: (p: Loose) => unknown, rule: string]>([
  ["a text that says false", { clean: "false" }, (p) => p.clean, "s.predicate.clean"],
  ["a list for a truth", { clean: [] }, (p) => p.clean, "s.predicate.clean"],
  ["no count of findings at all", {}, (p) => !(p.findings > 0), "!(s.predicate.findings > 0)"],
  ["a count that is a text", { findings: "none" }, (p) => !(p.findings > 0), "!(s.predicate.findings > 0)"],
  ["a count that is null", { findings: null }, (p) => !(p.findings > 0), "!(s.predicate.findings > 0)"],
  [
    "a list of levels that is a text",
    { levels: "not L3" },
    (p) => p.levels.includes("L3"),
    '"L3" in s.predicate.levels',
  ],
  [
    "a severity of another spelling",
    { worst: "Critical" },
    (p) => p.worst !== "critical",
    's.predicate.worst in ["none", "low"]',
  ],
  ["a member that every object has", {}, (p) => p.constructor, "has(s.predicate.constructor)"],
  [
    "a version that is a number",
    { version: 10 },
    (p) => `${p.version}` > "1" && p.version >= 9,
    's.predicate.version >= "9"',
  ],
  [
    "a time of another form",
    { until: "9999" },
    (p) => p.until > "2026-06-01T12:00:00Z",
    "timestamp(s.predicate.until) > now",
  ],
  [
    "a mark that makes a time of a text",
    { until: { $time: "2999-01-01T00:00:00Z" } },
    (p) => new Date((p.until as unknown as { $time: string }).$time) > new Date(),
    "s.predicate.until > now",
  ],
])("a signed statement with %s", (_, predicate, hurried, expression) => {
  expect(Boolean(hurried(predicate as unknown as Loose))).toBe(true);
  const decision = asked(scanned(`attestations.scan.exists(s, ${expression})`), { evidence: [signed(predicate)] });
  expect(decision.result).toBe("deny");
  expect(["POLICY_RULE_FAILED rule", "POLICY_EVALUATION_ERROR rule"]).toContain(said(decision)[1]);
});

test("members named as an object's own: refused before anybody reads them, or members as any other", () => {
  const named = (name: string) => JSON.parse(`{"${name}":{"clean":true,"prototype":{"clean":true}}}`) as Json;
  const merged = Object.assign({}, named("__proto__")) as unknown as Loose;
  expect(merged.clean).toBe(true);
  expect(() => signed(named("__proto__"))).toThrow(expect.objectContaining({ code: "JSON_MALFORMED" }));
  const rule = "attestations.scan.exists(s, s.predicate.clean)";
  expect(said(asked(scanned(rule), { evidence: [signed(named("constructor"))] }))).toEqual([
    "deny",
    "POLICY_EVALUATION_ERROR rule",
  ]);
  // And the next question, of somebody else, is none the wiser.
  expect(Object.hasOwn(Object.prototype, "clean")).toBe(false);
  const other = asked(scanned("attestations.scan.exists(s, has(s.predicate.clean))"), { evidence: [signed({})] });
  expect(said(other)).toEqual(["deny", "POLICY_RULE_FAILED rule"]);
});

test("a pattern and a text that come with the statement: a signer cannot hold the gate up", () => {
  const evidence = [signed({ pattern: "^(([a-z])+.)+[A-Z]([a-z])+$", text: "a".repeat(50_000) })];
  const matching = asked(scanned("attestations.scan.all(s, s.predicate.text.matches(s.predicate.pattern))"), {
    evidence,
  });
  expect(matching.result).toBe("deny");
  expect(["POLICY_RULE_FAILED rule", "POLICY_COST rule"]).toContain(said(matching)[1]);
  const list = [signed({ list: Array.from({ length: 2000 }, (_, i) => i) })];
  const squared = "attestations.scan.all(s, s.predicate.list.all(a, s.predicate.list.all(b, a + b >= 0)))";
  expect(said(asked(scanned(squared), { evidence: list }))).toEqual(["deny", "POLICY_COST rule"]);
});

test("forty statements by somebody whom the policy does not know: none counts, none hides the good one", () => {
  const noise = Array.from({ length: 40 }, (_, i) => signed({ clean: true, i }, { by: "stranger" }));
  const policy = scanned("attestations.scan.all(s, s.predicate.clean)");
  expect(said(asked(policy, { evidence: noise }))).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
  expect(said(asked(policy, { evidence: [...noise, signed({ clean: false })] }))).toEqual([
    "deny",
    "POLICY_RULE_FAILED rule",
  ]);
  expect(said(asked(policy, { evidence: [...noise, signed({ clean: true })] }))).toEqual(["allow"]);
});

/* Expressions of a policy that somebody proposes, or of a tenant: what each makes grows by a factor a step. */

/** Binds one name after the other, each made of two of the one before. */
const doubled = (times: number, first: string, twice: (name: string) => string): string => {
  const bound = Array.from({ length: times }, (_, i) => `cel.bind(x${i}, ${i === 0 ? first : twice(`x${i - 1}`)}, `);
  return `${bound.join("")}x${times - 1}.size() > 0${")".repeat(times)}`;
};

test.each([
  ["lists that double", doubled(26, "[subject.name]", (x) => `${x} + ${x}`)],
  ["lists in lists", doubled(26, "[subject.name]", (x) => `[${x}, ${x}].flatten()`)],
  ["replacements that multiply", doubled(12, 'subject.name + "aaaaaaaa"', (x) => `${x}.replace("a", "aaaaaaaa")`)],
  ["joined words", doubled(12, "subject.name", (x) => `[${x}, ${x}, ${x}, ${x}, ${x}, ${x}].join(${x})`)],
  ["formats", doubled(26, "subject.name", (x) => `"%s%s".format([${x}, ${x}])`)],
])("an expression of %s ends by its cost", (_, expression) => {
  expect(said(asked(policyOf({ rules: [ruleOf(expression)] })))).toEqual(["deny", "POLICY_COST rule"]);
});

test("errors are no way to the truth: what cannot be worked out stands for nothing", () => {
  const evidence = [signed({ clean: false, n: 0 })];
  const verdict = (expression: string) => said(asked(scanned(expression), { evidence }))[1];
  for (const expression of [
    "attestations.scan[0].predicate.clean || 1 / attestations.scan[0].predicate.n == 1",
    "1 / attestations.scan[0].predicate.n == 1 || attestations.scan[0].predicate.gone",
    "!(attestations.scan[0].predicate.gone)",
    "attestations.scan[7].predicate.clean",
    "[1 / attestations.scan[0].predicate.n].size() == 1",
    "attestations.scan.all(s, s.predicate.n / s.predicate.n == 1)",
    "attestations.scna.all(s, s.predicate.clean)",
  ]) {
    expect([expression, verdict(expression)]).toEqual([expression, "POLICY_EVALUATION_ERROR rule"]);
  }
  // Text is no truth either, and nothing that was said is ever read as an expression.
  const quoting = [signed({ rule: "true" })];
  const spoken = asked(scanned("attestations.scan[0].predicate.rule"), { evidence: quoting });
  expect(said(spoken)).toEqual(["deny", "POLICY_EVALUATION_ERROR rule"]);
});

/* Documents: what a lenient reader passes over. */

const text = JSON.stringify(scanned("attestations.scan.all(s, s.predicate.clean)"), null, 2);
test.each([
  ["a member that is spelled wrong", '"attestations"', '"atestations"', "POLICY_DOCUMENT_KEY_UNKNOWN"],
  ["a member of a newer version", '"point"', '"unless": "true",\n  "point"', "POLICY_DOCUMENT_KEY_UNKNOWN"],
  [
    "an expiry twice, the later one last",
    '"point"',
    '"expires": "2999-01-01T00:00:00Z",\n  "point"',
    "POLICY_DOCUMENT_KEY_TWICE",
  ],
  ["a threshold of none", '"by": [', '"threshold": 0,\n "by": [', "POLICY_DOCUMENT_VALUE"],
  ["a mode that nobody knows", '"point"', '"mode": "enforced",\n  "point"', "POLICY_DOCUMENT_VALUE"],
  ["a version without end", '"version": 1', '"version": 1e400', "POLICY_DOCUMENT_AMBIGUOUS"],
])("a policy with %s", (_, from, to, code) => {
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  expect(() => JSON.parse(changed) as unknown).not.toThrow();
  expect(() => readPolicyDocument(Buffer.from(changed), { name: "p.json" })).toThrow(expect.objectContaining({ code }));
  expect(readPolicyDocument(Buffer.from(text), { name: "p.json" }).document).toMatchObject({ point: "deploy" });
});
