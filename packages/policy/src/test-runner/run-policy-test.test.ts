import { sha256 } from "@touchmark/core";
import type { Policy, PolicyTest } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { pinned } from "../library/default-policies.ts";
import { runPolicyTest } from "./run-policy-test.ts";

const now = new Date("2026-06-01T12:00:00Z");
const scan = "https://example.test/scan/v1";
const policy: Policy = {
  touchmark: "policy/v1",
  name: "scanned",
  version: 1,
  expires: "2027-01-01T00:00:00Z",
  point: "publish",
  trust: {
    scanner: { identities: [{ identity: "scanner@example.org" }], keys: [sha256("key")] },
    boss: { identities: [{ identity: "boss@example.org" }] },
  },
  attestations: { scan: { predicateType: scan, by: ["scanner"] } },
  exceptions: { by: ["boss"] },
  rules: [
    { id: "clean", title: "Clean", expression: "attestations.scan.exists(s, s.predicate.clean)" },
    { id: "recent", title: "Recent", expression: "attestations.scan.exists(s, now - s.time < duration('24h'))" },
  ],
};
const statement = { predicateType: scan, predicate: { clean: true }, identity: "scanner@example.org" };
const run = (...cases: PolicyTest["cases"]) =>
  runPolicyTest(
    { touchmark: "policy-test/v1", policy: "policy.yaml", cases },
    { policy: pinned(policy), layouts: [], now },
  );
const allow = { decision: "allow" } as const;

test("R1: stated evidence is judged by the engine, and the decision says that it is stated", () => {
  const [result] = run({
    name: "clean",
    evidence: [statement],
    expect: { ...allow, rules: { clean: "passed", recent: "passed" } },
  });
  expect(result).toMatchObject({
    name: "clean",
    passed: true,
    differences: [],
    decision: { result: "allow", stated: true },
  });
  expect(result?.decision.at).toBe("2026-06-01T12:00:00Z");
  const byKey = { predicateType: scan, predicate: { clean: true }, key: sha256("key") };
  expect(run({ name: "by key", evidence: [byKey], expect: allow })[0]?.passed).toBe(true);
  const later = {
    name: "a day later",
    now: "2026-06-03T12:00:00Z",
    evidence: [{ ...statement, time: "2026-06-01T12:00:00Z" }],
  };
  expect(run({ ...later, expect: { decision: "deny", rules: { recent: "failed" } } })[0]?.passed).toBe(true);
});

test("R1: every difference names what was expected and what came", () => {
  const [wrong, missing, stranger] = run(
    {
      name: "unclean",
      evidence: [{ ...statement, predicate: { clean: false } }],
      expect: { ...allow, rules: { clean: "passed", other: "passed" } },
    },
    { name: "nothing", expect: { decision: "deny", codes: ["POLICY_ATTESTATION_MISSING", "POLICY_EXPIRED"] } },
    { name: "stranger", evidence: [{ ...statement, identity: "mallory@example.org" }], expect: allow },
  );
  expect(wrong?.differences).toEqual([
    expect.stringMatching(/^expected the decision allow, found deny: POLICY_RULE_FAILED clean/),
    expect.stringMatching(/^expected the rule clean passed, found failed/),
    "expected the rule other passed, found no such rule",
  ]);
  expect(missing?.differences).toEqual([
    expect.stringMatching(/^expected the code POLICY_EXPIRED, found POLICY_ATTESTATION_MISSING/),
  ]);
  expect(stranger).toMatchObject({ passed: false, differences: [expect.stringContaining("found deny")] });
});

test("R1: subject, point and statements about something else are as the test states them", () => {
  const digest = sha256("app");
  const about = {
    name: "about another",
    subject: { name: "app", digest },
    evidence: [{ ...statement, subject: [{ name: "x", digest: sha256("x") }] }],
  };
  expect(
    run({ ...about, expect: { decision: "deny", codes: ["POLICY_ATTESTATION_MISSING"] } })[0]?.differences,
  ).toEqual([]);
  expect(run({ ...about, evidence: [{ ...statement, subject: [{}] }], expect: { decision: "deny" } })[0]?.passed).toBe(
    true,
  );
  expect(
    run({ name: "other point", point: "deploy", expect: { decision: "deny", codes: ["POLICY_NONE"] } })[0]?.differences,
  ).toEqual([]);
  const none = { name: "no bytes", subject: { name: "app" }, evidence: [statement] };
  expect(run({ ...none, expect: { decision: "deny", codes: ["POLICY_ATTESTATION_MISSING"] } })[0]?.differences).toEqual(
    [],
  );
});

test("R1: an exception counts as if its approvers had signed it, and for them alone", () => {
  const exception = {
    touchmark: "exception/v1",
    id: "ex-1",
    policy: "scanned",
    rules: ["clean"],
    subject: { digest: sha256("policy-test") },
    reason: "the fix is on its way",
    requester: "ada@example.org",
    approvers: ["boss@example.org"],
    created: "2026-05-01T00:00:00Z",
    expires: "2026-07-01T00:00:00Z",
  };
  const unclean = { evidence: [{ ...statement, predicate: { clean: false } }] };
  const expected = { ...allow, rules: { clean: "excepted" } } as const;
  expect(run({ ...unclean, name: "excepted", exceptions: [exception], expect: expected })[0]?.differences).toEqual([]);
  const self = { ...exception, approvers: ["ada@example.org"] };
  expect(run({ ...unclean, name: "self", exceptions: [self], expect: { decision: "deny" } })[0]?.differences).toEqual(
    [],
  );
  const nobody = { ...exception, approvers: "boss@example.org" };
  expect(
    run({ ...unclean, name: "nobody", exceptions: [nobody], expect: { decision: "deny" } })[0]?.differences,
  ).toEqual([]);
});
