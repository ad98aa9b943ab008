import { readFileSync } from "node:fs";
import { tests as parsing } from "@bufbuild/cel-spec/testdata/parsing.js";
import { compileExpression } from "@touchmark/policy/cel";
import { expect, test } from "vitest";
import { pageText } from "./page-text.ts";
import { tallies } from "./tally.ts";
import { specificationVectors } from "./vector.ts";
import { judge } from "./verdict.ts";

/** Vectors of each file that pass, and those that are not run. The first may only grow, the second only shrink. */
const pinned: readonly (readonly [string, number, number])[] = [
  ["basic", 43, 0],
  ["bindings_ext", 5, 0],
  ["block_ext", 0, 37],
  ["comparisons", 334, 72],
  ["conversions", 109, 0],
  ["dynamic", 0, 226],
  ["encoders_ext", 4, 0],
  ["enums", 0, 85],
  ["fields", 60, 0],
  ["fp_math", 30, 0],
  ["integer_math", 64, 0],
  ["lists", 39, 0],
  ["logic", 30, 0],
  ["macros", 44, 0],
  ["macros2", 46, 0],
  ["math_ext", 199, 0],
  ["namespace", 3, 0],
  ["optionals", 59, 11],
  ["parse", 193, 26],
  ["plumbing", 5, 0],
  ["proto2", 0, 108],
  ["proto2_ext", 0, 18],
  ["proto3", 0, 75],
  ["string", 51, 0],
  ["string_ext", 206, 3],
  ["timestamps", 76, 0],
  ["type_deductions", 12, 35],
  ["wrappers", 0, 36],
];

const vectors = specificationVectors();
const found = tallies(vectors);

test("no vector of the specification that was run comes out differently", () => {
  const failed = vectors.filter((vector) => judge(vector) === "failed");
  expect(failed.map(({ file, name, expr }) => `${file} ${name}: ${expr}`)).toEqual([]);
});

test.each(pinned)("of %s, %i vectors pass and %i are not run", (file, passed, notRun) => {
  const tally = found.get(file);
  expect(tally?.passed).toBe(passed);
  expect((tally?.messages ?? 0) + (tally?.types ?? 0) + (tally?.blocks ?? 0)).toBe(notRun);
});

test("every file of the specification is among them, and the page says the same", () => {
  expect([...found.keys()]).toEqual(pinned.map(([file]) => file));
  expect(readFileSync(new URL("../../docs/conformance/cel.md", import.meta.url), "utf8")).toBe(pageText(found));
});

test("what the parser of cel-go takes and refuses, ours takes and refuses", () => {
  const cases = (parsing.suites ?? []).flatMap(({ tests }) => tests ?? []).concat(parsing.tests ?? []);
  expect(cases.length).toBeGreaterThan(150);
  const different = cases.filter(({ original, error }) => {
    const isSyntax = error?.includes("Syntax error") === true;
    if (error !== undefined && !isSyntax) return false;
    return isRefused(original.expr) !== isSyntax && !isMessage(original.expr);
  });
  expect(different.map(({ original }) => original.expr)).toEqual([]);
});

function isMessage(source: string): boolean {
  return /[\w.]\s*\{/.test(source);
}

function isRefused(source: string): boolean {
  try {
    compileExpression(source, { variables: [], unchecked: true });
    return false;
  } catch {
    return true;
  }
}
