import { type Json, sha256 } from "@touchmark/core";
import type { Layout } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { pinned } from "../library/default-policies.ts";
import {
  artifact,
  ask,
  codesOf,
  exceptionFor,
  outcomesOf,
  party,
  policyOf,
  ruleOf,
  signedException,
  stated,
  verdictOf,
} from "./decision.fixture.ts";

const LINK = "https://in-toto.io/attestation/link/v0.3";
const layoutOf = (parts: Partial<Layout> = {}): Layout => ({
  touchmark: "layout/v1",
  name: "steps",
  version: 1,
  expires: "2026-12-22T12:00:00Z",
  functionaries: { builder: party("builder") },
  steps: [{ name: "build", functionaries: ["builder"], products: [{ rule: "ALLOW", pattern: "*" }] }],
  subjects: [{ step: "build" }],
  ...parts,
});
const link = (by = "builder") => {
  const predicate: Json = { name: "build", command: ["make"], materials: [], byproducts: { "return-value": 0 } };
  return stated(predicate, { by, predicateType: LINK });
};
const asking = (layout: Layout, parts: Parameters<typeof ask>[1] = {}, policyParts = {}) => {
  const inForce = pinned(layout);
  const policy = policyOf({ layout: inForce.digest, ...policyParts });
  return ask(policy, { layouts: [inForce], evidence: [link()], ...parts });
};

test("D18: a layout that is not in force denies; one in force is judged, with its steps as a variable", () => {
  expect(codesOf(ask(policyOf({ layout: sha256("nowhere") })))).toEqual(["POLICY_LAYOUT_MISSING"]);
  const rules = [ruleOf("steps", "layout.satisfied && layout.steps[0].functionaries == ['builder']")];
  const decision = asking(layoutOf(), {}, { rules });
  expect(codesOf(decision)).toEqual([]);
  expect(verdictOf(decision).expiresInDays).toBe(30);
  expect(ask(policyOf({ rules: [ruleOf("none", "layout == null")] })).result).toBe("allow");
});

test("D18: steps without evidence, or with another's signature, deny in the policy's verdict", () => {
  expect(codesOf(asking(layoutOf(), { evidence: [] }))).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(codesOf(asking(layoutOf(), { evidence: [link("stranger")] }))).toEqual(["POLICY_STEP_FUNCTIONARY"]);
  expect(codesOf(asking(layoutOf({ expires: "2026-01-01T00:00:00Z" })))).toEqual(["POLICY_LAYOUT_EXPIRED"]);
  expect(asking(layoutOf(), { subject: { name: "app", digest: sha256("other") } }).result).toBe("deny");
});

test("D18: links that were looked at stand in the verdict, with what the layout noticed", () => {
  const steps = [{ name: "build", functionaries: ["builder"], command: ["other"] }];
  const verdict = verdictOf(asking(layoutOf({ steps }), { evidence: [link(), link("stranger")] }));
  expect(verdict.verdict).toBe("allow");
  expect(verdict.attestations).toMatchObject([
    expect.objectContaining({ wanted: "step:build", functionary: "builder" }),
    expect.objectContaining({ wanted: "step:build", notCounted: expect.stringMatching(/./) }),
  ]);
  expect(verdict.warnings).toEqual([`step build ran ["make"], expected ["other"]`]);
});

test("D18: rules of a layout have the same variables, exceptions and bounds", () => {
  const ruled = layoutOf({ subjects: [{ step: "build", rules: [ruleOf("named", "request.team == 'blue'")] }] });
  expect(asking(ruled, { request: { team: "blue" } }).result).toBe("allow");
  const red = asking(ruled, { request: { team: "red" } });
  expect(codesOf(red)).toEqual(["POLICY_RULE_FAILED"]);
  expect(outcomesOf(red)).toEqual({ named: "failed" });
  const evidence = [link(), signedException(exceptionFor(["named"]))];
  const lenient = { trust: { anna: party("user/anna") }, exceptions: { by: ["anna"] } };
  const excepted = asking(ruled, { request: { team: "red" }, evidence }, lenient);
  expect(excepted.result).toBe("allow");
  expect(outcomesOf(excepted)).toEqual({ named: "excepted" });
  expect(asking(ruled, { request: { team: "blue" }, limits: { cost: 0 } }).result).toBe("deny");
});

test("D18: in tests of policies a layout can be stated, and the decision is no other", () => {
  const satisfied = {
    ...{ verdict: "satisfied", denials: [], warnings: [], steps: [], inspections: [], rules: [], taken: [] },
    run: undefined,
  } as const;
  const decision = asking(layoutOf(), { evidence: [], layout: satisfied as never });
  expect(decision).toMatchObject({ result: "allow", stated: true, subject: { digest: artifact } });
});
