import fc from "fast-check";
import { expect, test } from "vitest";
import { globOf } from "./glob.ts";

test.each([
  ["*", "a/b/.c", true],
  ["*", "", true],
  ["**", "a", true],
  ["?", "a", true],
  ["?", "/", true],
  ["?", "", false],
  ["?", "\u{1f600}", true],
  ["src/*.py", "src/a/b.py", true],
  ["src/*.py", "src/.py", true],
  ["src/*.py", "src/a.pyc", false],
  ["[a-c]x", "bx", true],
  ["[a-c]x", "dx", false],
  ["[!a-c]x", "dx", true],
  ["[!a-c]x", "ax", false],
  ["[^a]x", "^x", true],
  ["[]]", "]", true],
  ["[!]]", "]", false],
  ["[!]]", "a", true],
  ["[a-]", "-", true],
  ["[--0]", "/", true],
  ["[z-a]", "b", false],
  ["[!z-a]", "b", true],
  ["[a", "[a", true],
  ["[]", "[]", true],
  ["[!]", "[!]", true],
  ["a\\*", "a\\b", true],
  ["a.b", "axb", false],
  ["A", "a", false],
])("L20: %s and %s: %s", (pattern, name, expected) => {
  expect(globOf(pattern).matches(name)).toBe(expected);
});

const letters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 12 });
const names = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 12 });

/** What it means, said the slow way. */
function slowly(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] === "*") return slowly(pattern.slice(1), name) || (name !== "" && slowly(pattern, name.slice(1)));
  return name !== "" && (pattern[0] === "?" || pattern[0] === name[0]) && slowly(pattern.slice(1), name.slice(1));
}

test("L20: stars and question marks mean what their definition says", () => {
  fc.assert(fc.property(letters, names, (pattern, name) => globOf(pattern).matches(name) === slowly(pattern, name)));
});

test("L20: no pattern takes more than the product of both lengths", () => {
  const glob = globOf(`${"*a".repeat(500)}b`);
  expect(glob.matches("a".repeat(20_000))).toBe(false);
});
