import { expect, test } from "vitest";
import { parseModule } from "../sources/module.ts";
import { checkErrorCodes, type ErrorCode, errorsPage } from "./error-codes.ts";

const row: ErrorCode = {
  package: "core",
  path: "packages/core/src/errors.ts",
  code: "THING_BROKEN",
  nature: "invalid",
  meaning: "A thing is broken.",
};
const raised = parseModule("packages/core/src/x.ts", `throw coreErrors.make("THING_BROKEN", "…");`);
const expected = parseModule("packages/core/src/x.test.ts", `expect(f).toThrow("THING_BROKEN");`);

function messages(codes: readonly ErrorCode[], modules = [raised, expected]): string[] {
  return checkErrorCodes(codes, modules).map((finding) => finding.message);
}

test("E1: a code that is raised and expected passes", () => {
  expect(messages([row])).toEqual([]);
});

test("E1: a code that nothing raises or no test expects is found", () => {
  expect(messages([row], [expected])).toEqual(["THING_BROKEN: no code raises it"]);
  expect(messages([row], [raised])).toEqual(["THING_BROKEN: no test raises it"]);
});

test("E1: a code in two tables, a bad spelling and a meaning without end are found", () => {
  expect(messages([row, { ...row, path: "b.ts" }])).toEqual([expect.stringMatching(/as well/)]);
  expect(messages([{ ...row, code: "Broken" }])[0]).toMatch(/UPPER_SNAKE/);
  expect(messages([{ ...row, meaning: "broken" }])).toEqual([expect.stringMatching(/sentence/)]);
});

test("E1: the page shows every code once, with what the table cannot hold escaped", () => {
  const page = errorsPage([row, { ...row, code: "A_B", meaning: "One | two." }]);
  expect(page.match(/^\| `[A-Z_]+` /gm)).toEqual(["| `A_B` ", "| `THING_BROKEN` "]);
  expect(page).toContain("One \\| two.");
});
