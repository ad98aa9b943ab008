import { expect, test } from "vitest";
import {
  ask,
  codesOf,
  exceptionFor,
  outcomesOf,
  party,
  policyOf,
  ruleOf,
  signedException,
  verdictOf,
} from "./decision.fixture.ts";

const loop = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, a + b > 0))";
const six = `[0,1,2,3,4,5,6,7,8,9].all(a, ${"[0,1,2,3,4,5,6,7,8,9].all(b, ".repeat(6)}b >= 0${")".repeat(6)})`;

test("D19: an expression that costs too much denies as POLICY_COST; others are still judged", () => {
  const decision = ask(policyOf({ rules: [ruleOf("loop", six), ruleOf("cheap", "true")] }));
  expect(codesOf(decision)).toEqual(["POLICY_COST"]);
  expect(outcomesOf(decision)).toEqual({ loop: "error", cheap: "passed" });
  expect(decision.cost).toBeGreaterThan(1_000_000 - 1);
});

test("D19: cost is counted over all policies, and what is left decides", () => {
  const policies = ["one", "two"].map((name) =>
    policyOf({ name, rules: [ruleOf("loop", loop), ruleOf("more", loop)] }),
  );
  const whole = ask(policies);
  expect(whole.result).toBe("allow");
  expect(ask(policies, { limits: { cost: whole.cost } })).toMatchObject({ result: "allow", cost: whole.cost });
  const short = ask(policies, { limits: { cost: whole.cost - 1 } });
  expect(short.result).toBe("deny");
  expect(short.verdicts.map(({ verdict }) => verdict)).toEqual(["allow", "deny"]);
  const none = ask(policies, { limits: { cost: 0 } });
  expect(codesOf(none)).toEqual(["POLICY_COST", "POLICY_COST"]);
  expect(none.cost).toBe(0);
  expect(codesOf(ask(policies, { limits: { cost: Number.NaN } }))).toEqual(["POLICY_COST", "POLICY_COST"]);
});

test("D6: what only looks on is judged last, and uses up nothing of what enforces", () => {
  const greedy = policyOf({
    name: "a",
    mode: "shadow",
    rules: Array.from({ length: 12 }, (_, i) => ruleOf(`r${i}`, six)),
  });
  const decision = ask([greedy, policyOf({ name: "b", rules: [ruleOf("cheap", "true")] })]);
  expect(decision.result).toBe("allow");
  expect(decision.verdicts.map(({ policy }) => policy.name)).toEqual(["b", "a"]);
});

test("D19: strings that double twenty-six times deny, and memory stays", () => {
  const variables = Array.from({ length: 26 }, (_, i) => ({
    name: `s${i}`,
    expression: i === 0 ? "'xxxxxxxx'" : `vars.s${i - 1} + vars.s${i - 1}`,
  }));
  const decision = ask(policyOf({ variables, rules: [ruleOf("long", "vars.s25.size() > 0")] }));
  expect(decision.result).toBe("deny");
  expect(codesOf(decision)).toContain("POLICY_COST");
});

test("D19: time is asked before each expression; once over, it is over for good", () => {
  let asked = 0;
  const rules = ["a", "b", "c", "d"].map((id) => ruleOf(id, "true"));
  const decision = ask(policyOf({ rules }), { limits: { isOver: () => ++asked === 3 } });
  expect(outcomesOf(decision)).toEqual({ a: "passed", b: "passed", c: "error", d: "error" });
  expect(codesOf(decision)).toEqual(["POLICY_TIMEOUT"]);
  expect(asked).toBe(3);
  const broken = () => {
    throw new Error("no clock");
  };
  expect(codesOf(ask(policyOf({ rules }), { limits: { isOver: broken } }))).toEqual(["POLICY_TIMEOUT"]);
});

test("D19: no exception and no later day lifts a bound", () => {
  const policy = policyOf({
    trust: { anna: party("user/anna") },
    exceptions: { by: ["anna"] },
    rules: [ruleOf("loop", loop, { effectiveOn: "2026-12-01T00:00:00Z" })],
  });
  const evidence = [signedException(exceptionFor(["loop"]))];
  expect(codesOf(ask(policy, { evidence, limits: { isOver: () => true } }))).toEqual(["POLICY_TIMEOUT"]);
  expect(codesOf(ask(policy, { evidence, limits: { expressionCost: 5 } }))).toEqual(["POLICY_COST"]);
  expect(verdictOf(ask(policy, { evidence, limits: { cost: 5 } })).verdict).toBe("deny");
});
