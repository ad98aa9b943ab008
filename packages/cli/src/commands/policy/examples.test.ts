import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decisionPoints } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { say } from "../../fixture.ts";
import { readDocument } from "./documents.ts";

const directory = fileURLToPath(new URL("../../../../../examples/policies", import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
const tests = names.filter((name) => name.endsWith(".policy-test.yaml"));
const policies = names.filter((name) => !name.endsWith(".policy-test.yaml"));

test("X70: nothing is found in the examples", async () => {
  const done = await say(["policy", "lint", ".", "--at", "2026-12-01", "--json"], { directory });
  expect(done.code).toBe(0);
  expect(JSON.parse(done.out)).toMatchObject({ findings: [] });
});

test("X75: each policy of the examples has a test that it passes, with what it allows and what it refuses", async () => {
  const done = await say(["policy", "test", ...tests, "--json"], { directory });
  expect(done.code).toBe(0);
  const terminal = { directory } as never;
  const found = tests.map((name) => readDocument(terminal, name, "policy-test").document);
  for (const name of policies) {
    const outcomes = found.filter(({ policy }) => policy === name).flatMap(({ cases }) => cases);
    expect(new Set(outcomes.map(({ expect: { decision } }) => decision)), name).toEqual(new Set(["allow", "deny"]));
  }
});

test("X75: of the points at which a user writes rules, the examples have all but steps", () => {
  const terminal = { directory } as never;
  const points = policies.map((name) => readDocument(terminal, name, "policy").document.point);
  expect(new Set(points)).toEqual(new Set(decisionPoints.filter((point) => point !== "step")));
});
