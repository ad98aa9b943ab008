import { expect, test } from "vitest";
import { parseModule } from "../sources/module.ts";
import { checkHouseRules } from "./house-rules.ts";

function messages(path: string, text: string): string[] {
  return checkHouseRules([parseModule(path, text)]).map((finding) => finding.message);
}

const source = "packages/formats/src/x.ts";

test.each(["utils.ts", "path-helper.ts", "manager.ts", "run-data.ts", "info.ts"])("H1: %s says nothing", (name) => {
  expect(messages(`packages/core/src/${name}`, "")).toEqual([expect.stringMatching(/says nothing/)]);
});

test("H1: names that merely hold such a word pass", () => {
  expect(messages("packages/core/src/database.ts", "")).toEqual([]);
});

test("H1: a file of many nouns and work left for later are found", () => {
  expect(messages(source, "\n".repeat(500))).toEqual([expect.stringMatching(/which nouns/)]);
  expect(messages(source, ["// TO", "DO: later"].join(""))).toEqual([expect.stringMatching(/unfinished/)]);
});

test("H1: the name of a registry is found", () => {
  expect(messages(source, ['const x = "https://registry', '.npmjs.org/";'].join(""))).toEqual([
    expect.stringMatching(/registry/),
  ]);
});

test("H1: Rust's registry is a registry, and its ecosystem a word", () => {
  const ending = ".io";
  for (const host of ["https://crates", "index.crates", "static.crates"]) {
    expect(messages(source, `const x = "${host}${ending}";`)).toEqual([expect.stringMatching(/registry/)]);
  }
  expect(messages(source, `const x = "crates${ending}";`)).toEqual([]);
});

test.each([
  `import { readFileSync } from "node:fs";`,
  `import { spawn } from "node:child_process";`,
  `export const x = process.env;`,
  `export const x = () => fetch("https://example.com");`,
  `export const x = { fetch };`,
  `export function f(a = process.pid) { return a; }`,
])("H2: formats may not: %s", (text) => {
  expect(messages(source, text)).toEqual([expect.stringMatching(/touches no/)]);
  expect(messages("packages/worker/src/x.ts", text)).toEqual([]);
});

test.each([
  `export const x = (process: string) => process;`,
  `export const x = { process: 1 }.process;`,
  `export const x = (rows: { process: number }[]) => rows.map(({ process }) => process);`,
  `import { createHash } from "node:crypto";`,
])("H2: formats may: %s", (text) => {
  expect(messages(source, text)).toEqual([]);
});

test.each([
  [`import { exec } from "node:child_process";`, /starts a shell/],
  [`import { execSync as run } from "node:child_process";`, /starts a shell/],
  [`spawn("ls", { shell: true });`, /through a shell/],
  [`export default 1;`, /default/],
])("H3: %s", (text, message) => {
  expect(messages("packages/worker/src/x.ts", text)).toEqual([expect.stringMatching(message)]);
});

test.each(["only", "skip", "todo"])("H3: a test is not marked by .%s", (word) => {
  expect(messages("packages/worker/src/x.test.ts", `test.${word}("x", () => {});`)).toHaveLength(1);
});
