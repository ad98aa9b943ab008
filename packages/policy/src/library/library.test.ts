import { policy as policyShape, policyTest } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { compileExpression } from "../cel/compile.ts";
import { runPolicyTest } from "../test-runner/run-policy-test.ts";
import { failingFacts } from "./cases/failing.ts";
import { policyOfRule, testLayout, testOfRule } from "./cases/rule-test.ts";
import { collections, libraryRules, rulesAt, rulesOf } from "./collections.ts";
import { pinned, plainRule } from "./default-policies.ts";
import { practiceLevels, practicesNotYet, practicesOf } from "./practices.ts";

const variables = ["subject", "request", "attestations", "chain", "layout", "params", "vars", "now"];
const now = new Date("2026-06-01T12:00:00Z");

test("B1: every rule says what it judges, why it failed, what to do, how bad it is, which practice it serves, and where", () => {
  for (const rule of libraryRules) {
    const texts = [rule.id, rule.title, rule.message, rule.solution, rule.documentation];
    expect(texts.every((each) => each.length > 0)).toBe(true);
    expect(rule.practices.length, rule.id).toBeGreaterThan(0);
    expect(rule.points.length, rule.id).toBeGreaterThan(0);
    expect(rule.collections.length, rule.id).toBeGreaterThan(0);
    compileExpression(rule.expression, { variables });
    if (rule.messageExpression !== undefined) compileExpression(rule.messageExpression, { variables });
    policyShape.check(policyOfRule(rule), rule.id);
  }
  expect(new Set(libraryRules.map(({ id }) => id)).size).toBe(libraryRules.length);
  expect(Object.keys(failingFacts).sort()).toEqual(libraryRules.map(({ id }) => id).sort());
});

test.each(libraryRules.map((rule) => [rule.id, rule] as const))(
  "B2: %s lets good facts pass and refuses bad ones",
  (_id, rule) => {
    const stated = testOfRule(rule);
    policyTest.check(stated, rule.id);
    const results = runPolicyTest(stated, { policy: pinned(policyOfRule(rule)), layouts: [testLayout], now });
    expect(results.map(({ name }) => name)).toEqual(["passes", "fails"]);
    expect(results.flatMap(({ differences }) => differences)).toEqual([]);
  },
);

test.each(libraryRules.map((rule) => [rule.id, rule] as const))(
  "B2: %s reads no parameter and no attestation that it does not declare",
  (_id, rule) => {
    const said = [rule.expression, rule.messageExpression ?? ""].join(" ");
    const read = (of: string) =>
      [...new Set([...said.matchAll(new RegExp(`\\b${of}\\.(\\w+)`, "g"))].map((found) => found[1]))].sort();
    expect(read("params")).toEqual((rule.parameters ?? []).map(({ name }) => name).sort());
    expect(read("attestations")).toEqual(Object.keys(rule.attestations ?? {}).sort());
  },
);

test("B3: a rule stands in a collection with all that it depends on, at every point of its own", () => {
  for (const { name } of collections) {
    const rules = rulesOf(name) ?? [];
    expect(rules.length, name).toBeGreaterThan(0);
    for (const rule of rules) {
      for (const point of rule.points) {
        const there = (rulesAt(name, point) ?? []).map(({ id }) => id);
        expect(there, `${name} ${point}`).toEqual(expect.arrayContaining([...(rule.dependsOn ?? [])]));
      }
    }
  }
  const named = new Set(libraryRules.flatMap((rule) => rule.collections));
  expect([...named].filter((name) => !collections.some((each) => each.name === name))).toEqual([]);
  expect(rulesOf("slsa-build-l9")).toBeUndefined();
  expect(rulesAt("slsa-build-l9", "publish")).toBeUndefined();
});

test("B3: a higher level has every rule of those below it", () => {
  const ids = (name: string) => (rulesOf(name) ?? []).map(({ id }) => id);
  for (const levels of [
    ["slsa-build-l1", "slsa-build-l2", "slsa-build-l3"],
    ["slsa-source-l1", "slsa-source-l2", "slsa-source-l3", "slsa-source-l4"],
    ["moderate", "high"],
  ]) {
    for (const [place, level] of levels.slice(1).entries()) {
      expect(ids(level)).toEqual(expect.arrayContaining(ids(levels[place] ?? "")));
    }
  }
});

test("B4: of 34 practices at moderate and 55 at high, each has a rule in the collection, or the fact that is missing is named", () => {
  expect(practicesOf("moderate")).toHaveLength(34);
  expect(practicesOf("high")).toHaveLength(55);
  for (const level of ["moderate", "high"] as const) {
    const judged = new Set((rulesOf(level) ?? []).flatMap(({ practices }) => practices));
    const missing = new Set(practicesNotYet(level).map(({ practice }) => practice));
    for (const practice of practicesOf(level))
      expect([practice, judged.has(practice)]).toEqual([practice, !missing.has(practice)]);
  }
  expect(practiceLevels.filter(([, , needs]) => needs === undefined).length).toBeGreaterThanOrEqual(34);
});

test("B1: a plain rule says what a policy needs, and nothing that only the library's page says", () => {
  const [rule] = libraryRules;
  if (rule === undefined) throw new Error("expected a rule");
  expect(Object.keys(plainRule(rule)).sort()).toEqual([
    "expression",
    "id",
    "message",
    "practices",
    "severity",
    "solution",
    "title",
  ]);
});
