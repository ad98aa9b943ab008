import { expect, test } from "vitest";
import { layoutProblems } from "./check-layout.ts";
import { judgeLayout } from "./judge-layout.ts";
import { layoutOf, question, step, twoSteps } from "./layout.fixture.ts";

const codesOf = (layout: typeof twoSteps) => layoutProblems(layout).map(({ code }) => code);

test.each([
  ["two steps of one name", "LAYOUT_STEP_DUPLICATE", layoutOf([step("a"), step("a")])],
  ["a step named source", "LAYOUT_STEP_DUPLICATE", layoutOf([step("source")])],
  [
    "an inspection with a step's name",
    "LAYOUT_STEP_DUPLICATE",
    layoutOf([step("a")], { inspections: [{ name: "a", command: ["true"] }] }),
  ],
  ["an unknown step in after", "LAYOUT_STEP_UNKNOWN", layoutOf([step("a", { after: ["b"] })])],
  [
    "an unknown step in a rule",
    "LAYOUT_STEP_UNKNOWN",
    layoutOf([step("a", { materials: [{ rule: "MATCH", pattern: "*", from: "b" }] })]),
  ],
  ["an unknown step of a subject", "LAYOUT_STEP_UNKNOWN", layoutOf([step("a")], { subjects: [{ step: "b" }] })],
  [
    "steps that wait for each other",
    "LAYOUT_CYCLE",
    layoutOf([step("a", { after: ["b"] }), step("b", { after: ["a"] })]),
  ],
  ["a step that waits for itself", "LAYOUT_CYCLE", layoutOf([step("a", { after: ["a"] })])],
  ["an unknown functionary", "LAYOUT_FUNCTIONARY_UNKNOWN", layoutOf([step("a")], { functionaries: {} })],
  ["a functionary who is nobody", "LAYOUT_FUNCTIONARY_UNKNOWN", layoutOf([step("a")], { functionaries: { a: {} } })],
  ["a threshold that none can reach", "LAYOUT_THRESHOLD", layoutOf([step("a", { threshold: 2 })])],
  [
    "one functionary listed twice",
    "LAYOUT_THRESHOLD",
    layoutOf([step("a", { functionaries: ["a", "a"], threshold: 2 })]),
  ],
  [
    "a MATCH rule from nowhere",
    "LAYOUT_RULE_INVALID",
    layoutOf([step("a", { materials: [{ rule: "MATCH", pattern: "*" }] })]),
  ],
  [
    "a rule with parts of another",
    "LAYOUT_RULE_INVALID",
    layoutOf([step("a", { products: [{ rule: "ALLOW", pattern: "*", from: "a" }] })]),
  ],
])("L13: %s: %s", (_what, code, layout) => {
  expect(codesOf(layout)).toEqual([code]);
  expect(judgeLayout(question({ layout })).denials).toMatchObject([
    { code: "POLICY_LAYOUT_INVALID", message: expect.stringContaining(code) },
  ]);
});

test("L13: a layout without such faults has none", () => {
  expect(codesOf(twoSteps)).toEqual([]);
});
