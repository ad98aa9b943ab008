import fc from "fast-check";
import { expect, test } from "vitest";
import { ask, policyOf, ruleOf } from "./decision.fixture.ts";
import { fits } from "./glob.ts";
import { Programs } from "./programs.ts";

test("D23: a program is compiled once for a text and its names, and the oldest goes when there are too many", () => {
  const programs = new Programs(20);
  const first = programs.compile("1 == 1");
  expect(programs.compile("1 == 1")).toBe(first);
  expect(programs.compile("1 == 1", ["other"])).not.toBe(first);
  for (let i = 0; i < 100; i++) programs.compile(`${i} == ${i}`);
  expect(programs.size).toBeLessThan(5);
  expect(programs.compile("1 == 1")).not.toBe(first);
});

test("D23: a document under another one's digest is judged by its own rules", () => {
  const good = policyOf({ rules: [ruleOf("r", "true")] });
  const bad = policyOf({ rules: [ruleOf("r", "false")] });
  const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
  const judge = (document: typeof good) => ask([], { policies: [{ digest, document }] }).result;
  expect([judge(good), judge(bad), judge(good)]).toEqual(["allow", "deny", "allow"]);
});

test("D5: in names one star stays within a segment and two cross them", () => {
  expect(fits("a/*/c", "a/b/c")).toBe(true);
  expect(fits("a/*/c", "a/b/b/c")).toBe(false);
  expect(fits("a/**/c", "a/b/b/c")).toBe(true);
  expect(fits("a/**", "a/")).toBe(true);
  expect(fits("*", "")).toBe(true);
  expect(fits("a.c", "abc")).toBe(false);
  expect(fits(`${"*a".repeat(200)}b`, "a".repeat(1000))).toBe(false);
});

test("D5: a pattern is what the same regular expression is", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "."), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "**", "."), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (wanted, found) => {
      const parts = wanted.split(/(\*\*|\*)/).map((part) => {
        if (part === "**") return "[^]*";
        return part === "*" ? "[^/]*" : part.replaceAll(".", "\\.");
      });
      expect(fits(wanted, found)).toBe(new RegExp(`^${parts.join("")}$`).test(found));
    }),
    { numRuns: 2000 },
  );
});
