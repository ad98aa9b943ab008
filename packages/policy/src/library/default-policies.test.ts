import { decisionPoints, policy as policyShape } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { decideWithStated } from "../engine/stated.ts";
import { statedInput } from "../test-runner/stated-case.ts";
import { goodFacts } from "./cases/facts.ts";
import { failingFacts } from "./cases/failing.ts";
import { defaultPolicies } from "./default-policies.ts";

const at = (text: string) => defaultPolicies(new Date(text));
const judged = (point: (typeof decisionPoints)[number], change: object = {}) => {
  const [policy] = at("2026-06-01T12:00:00Z").filter(({ document }) => document.point === point);
  if (policy === undefined) throw new Error(`expected a default policy for ${point}`);
  const stated = { ...goodFacts(point), name: point, expect: { decision: "allow" as const }, ...change };
  return decideWithStated(statedInput(stated, { policy, layouts: [], now: new Date("2026-06-01T12:00:00Z") }));
};

test("B5: in a fresh home one policy speaks at each of the five points, and good facts pass all", () => {
  const policies = at("2026-06-01T12:00:00Z");
  expect(policies.map(({ document }) => document.point)).toEqual([...decisionPoints]);
  for (const { document } of policies) policyShape.check(document, document.name);
  for (const point of decisionPoints)
    expect([point, judged(point).result, judged(point).denials]).toEqual([point, "allow", []]);
});

test("B5: nothing known is refused at each point, and so is what breaks a rule", () => {
  for (const point of decisionPoints) {
    expect([point, judged(point, { request: {}, chain: undefined }).result]).toEqual([point, "deny"]);
  }
  const { request } = failingFacts["dependency.gate-admits"] ?? {};
  const refused = judged("dependency", { request: { ...goodFacts("dependency").request, ...request } });
  expect(refused.verdicts.flatMap(({ denials }) => denials.map(({ message }) => message)).join()).toContain(
    "left-pad1 looks like left-pad",
  );
});

test("B5: the digests stay the same for a year, and the policies hold for at least that long", () => {
  const digests = (text: string) => at(text).map(({ digest }) => digest);
  expect(digests("2026-01-01T00:00:00Z")).toEqual(digests("2026-12-31T23:59:58Z"));
  expect(digests("2027-01-01T00:00:00Z")).not.toEqual(digests("2026-12-31T23:59:58Z"));
  for (const { document } of at("2026-12-31T23:59:58Z")) expect(document.expires).toBe("2027-12-31T23:59:59Z");
});
