import { sha256 } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../engine/decide.ts";
import { decisionJson } from "../explain/decision-json.ts";
import { goodFacts } from "../library/cases/facts.ts";
import { defaultPolicies, pinned } from "../library/default-policies.ts";
import { replayDecision } from "./replay.ts";

const now = new Date("2026-06-01T12:00:00Z");
const policies = defaultPolicies(now);
const facts = goodFacts("request").request as { readonly [name: string]: never };
const recorded = (request: { readonly [name: string]: never }, at = now) => {
  const input = {
    point: "request" as const,
    subject: { name: "scale/default" },
    ...{ request, evidence: [], parameters: {}, now: at, issuer: "https://factory.example" },
  };
  return { record: sha256("record"), decision: decide({ ...input, policies, layouts: [] }), input };
};
const strict: Policy = {
  touchmark: "policy/v1",
  name: "strict",
  version: 1,
  expires: "2027-01-01T00:00:00Z",
  point: "request",
  rules: [{ id: "nobody", title: "Nobody starts anything", expression: "request.caller.name == 'nobody'" }],
};

test("R2: by the same documents a decision comes out again, byte for byte", () => {
  fc.assert(
    fc.property(fc.constantFrom("kernel", "token", "certificate", "none"), fc.boolean(), (authentication, trusted) => {
      const caller = { kind: "person", name: "ada", authentication };
      const past = recorded({ ...facts, caller, trusted } as unknown as typeof facts);
      const again = replayDecision(past, { policies, layouts: [] });
      expect(again === undefined ? "" : decisionJson(again.after)).toBe(decisionJson(past.decision));
      expect(again).toMatchObject({ flipped: false, gained: [], lost: [] });
    }),
    { numRuns: 20 },
  );
});

test("R2: a candidate flips a decision, and says by which reasons", () => {
  const again = replayDecision(recorded(facts), { policies: [pinned(strict)], layouts: [] });
  expect(again).toMatchObject({ flipped: true, before: { result: "allow" }, after: { result: "deny" }, lost: [] });
  expect(again?.gained).toMatchObject([{ code: "POLICY_RULE_FAILED", rule: "nobody" }]);
  const back = replayDecision(recorded({}), {
    policies: [pinned({ ...strict, rules: [{ id: "all", title: "All", expression: "true" }] })],
    layouts: [],
  });
  expect(back).toMatchObject({ flipped: true, after: { result: "allow" }, gained: [] });
  expect(back?.lost.length).toBeGreaterThan(0);
});

test("R2: at another time what expires flips, and a candidate for other points says nothing", () => {
  const later = replayDecision(recorded(facts), { policies, layouts: [] }, new Date("2030-01-01T00:00:00Z"));
  expect(later).toMatchObject({ flipped: true });
  expect(later?.gained.map(({ code }) => code)).toContain("POLICY_EXPIRED");
  expect(
    replayDecision(recorded(facts), { policies: [pinned({ ...strict, point: "deploy" })], layouts: [] }),
  ).toBeUndefined();
});
