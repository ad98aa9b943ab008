import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { worthOf } from "../cel.fixture.ts";
import { functionNames } from "./table.ts";

const page = readFileSync(new URL("../../../../../docs/expressions.md", import.meta.url), "utf8");

const variables = {
  now: new Date("2026-11-22T00:00:00Z"),
  evidence: {
    builder: { id: "https://factory.example" },
    finished: "2026-11-21T12:00:00Z",
    materials: [
      { uri: "git+https://git.example/app", digest: { sha1: "1" }, main: true },
      { uri: "git+https://git.example/library", digest: { sha1: "2" } },
    ],
  },
};

/** Lines of the blocks of CEL; a text of several lines is one of them. */
const examples = [...page.matchAll(/```cel\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
  block
    .replaceAll("'''two\nlines'''", "'two\\nlines'")
    .split("\n")
    .filter((line) => line !== ""),
);

test.each(examples)("K12: the page of expressions is right about %s", (line) => {
  const code = /\/\/ (CEL_\w+)$/.exec(line)?.[1];
  expect(worthOf(line, variables)).toBe(code ?? true);
});

test("K12: the page of expressions has an example of every function", () => {
  const shown = examples.join("\n");
  const names = [...functionNames].filter((name) => /[a-z]/.test(name) && name !== "_in_");
  expect(names.length).toBeGreaterThan(70);
  expect(names.filter((name) => !shown.includes(`${name}(`))).toEqual([]);
});
