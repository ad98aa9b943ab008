import { expect, test } from "vitest";
import { parseModule } from "../sources/module.ts";
import { fileDigest } from "../tests/results.ts";
import { checkRequirements, type RequirementFacts, type RequirementRow, unproven } from "./requirements.ts";

const file = "tools/checks/requirements.test.ts";
const modules = [parseModule(file, `test("A1: does", f);\ntest.each(rows)("A2: does %s", f);`)];
const met: RequirementRow = {
  id: "X-1",
  status: "met",
  code: ["package.json"],
  tests: [`${file}: A1: does`],
  reason: "By the thing.",
};

function messages(row: Partial<RequirementRow>, more: Partial<RequirementFacts> = {}): string[] {
  const rows = [{ ...met, ...row }];
  return checkRequirements({ rows, ids: ["X-1"], modules, results: undefined, ...more }).map(({ message }) => message);
}

function ran(state: "passed" | "failed" | "skipped", title = "A1: does") {
  return { results: { [file]: { digest: fileDigest(file), tests: [{ title, state }] } } };
}

test("R1: a met row with code and tests that exist passes", () => {
  expect(messages({})).toEqual([]);
  expect(messages({}, ran("passed"))).toEqual([]);
});

test("R1: a row of a parametrised test names one of its cases", () => {
  expect(messages({ tests: [`${file}: A2: does it`] })).toEqual([]);
  expect(messages({ tests: [`${file}: A3: does it`] })).toEqual([expect.stringMatching(/does not have/)]);
});

test("R1: suites that are made at run time do not stand in the way, and every case counts", () => {
  const cases = (root: "passed" | "skipped", user: "passed" | "failed") => {
    const tests = [
      { title: "as root > A1: does", state: root },
      { title: "as user > A1: does", state: user },
    ];
    return { results: { [file]: { digest: fileDigest(file), tests } } };
  };
  const facts: RequirementFacts = { rows: [met], ids: ["X-1"], modules, results: undefined };
  expect(messages({}, cases("passed", "passed"))).toEqual([]);
  expect(unproven({ ...facts, ...cases("skipped", "passed") })).toEqual([]);
  expect(messages({}, cases("passed", "failed"))).toEqual([expect.stringMatching(/failed/)]);
});

test("R1: missing code, missing tests and tests that failed or did not run are found", () => {
  expect(messages({ code: ["nowhere.ts"] })).toEqual([expect.stringMatching(/does not exist/)]);
  expect(messages({ code: [] })).toEqual([expect.stringMatching(/names no code/)]);
  expect(messages({ tests: [] })).toEqual([expect.stringMatching(/names no test/)]);
  expect(messages({ tests: ["A1: does"] })).toEqual([expect.stringMatching(/FILE: TITLE/)]);
  expect(messages({}, ran("failed"))).toEqual([expect.stringMatching(/failed/)]);
  expect(messages({}, ran("passed", "A2: does it"))).toEqual([expect.stringMatching(/did not run/)]);
});

test("R1: a skipped test proves nothing", () => {
  const facts: RequirementFacts = { rows: [met], ids: ["X-1"], modules, results: undefined };
  expect(unproven({ ...facts, ...ran("passed") })).toEqual([]);
  expect(unproven({ ...facts, ...ran("skipped") })).toHaveLength(1);
  expect(unproven(facts)).toHaveLength(1);
});

test("R2: unknown, doubled and forgotten ids are found, and a row without reason", () => {
  expect(messages({}, { ids: [] })).toEqual([expect.stringMatching(/no id/)]);
  expect(messages({}, { ids: ["X-1", "X-2"] })).toEqual(["X-2: has no row"]);
  expect(messages({}, { rows: [met, met] })).toEqual(["X-1: stands twice"]);
  expect(messages({ reason: " " })).toEqual([expect.stringMatching(/no reason/)]);
});

test("R2: not applicable needs a decision record", () => {
  const row = { status: "not-applicable", tests: [] } as const;
  expect(messages(row)).toEqual([expect.stringMatching(/decision record/)]);
});
