import fc from "fast-check";
import { expect, test } from "vitest";
import { candidateWith, rulesWith } from "./candidate.fixture.ts";
import { decide } from "./decide.ts";
import { lookalikeOf } from "./likeness.ts";

test.each([
  ["pypi", "colourama", "colorama"],
  ["pypi", "reqeusts", "requests"],
  ["pypi", "request5", "requests"],
  ["pypi", "jeIlyfish", "jellyfish"],
  ["pypi", "djаngo", "django"],
  ["npm", "crossenv", "cross-env"],
  ["npm", "lodahs", "lodash"],
  ["npm", "expresss", "express"],
  ["npm", "acme-billing", "@acme/billing"],
  ["npm", "@acmee/billing", "@acme/billing"],
  ["npm", "@types/nodе", "@types/node"],
  ["cargo", "rustdecimal", "rust_decimal"],
  ["golang", "github.com/Sirupsen/logrus", "github.com/sirupsen/logrus"],
  ["golang", "github.com/boltdb-go/bolt", "github.com/boltdbgo/bolt"],
  ["maven", "org.fasterxml:jackson", "org.fasterxmi:jackson"],
] as const)("G5: in %s, %s looks like %s", (ecosystem, name, known) => {
  expect(lookalikeOf(ecosystem, name, [known])?.name).toBe(known);
});

test.each([
  ["npm", "@babel/plugin-syntax-jsx", "@babel/plugin-syntax-tsx"],
  ["npm", "ms", "qs"],
  ["npm", "lodash", "lodash"],
  ["pypi", "Typing_Extensions", "typing-extensions"],
  ["golang", "golang.org/x/text", "golang.org/x/test"],
  ["maven", "org.slf4j:slf4j-api", "org.slf4j:slf4j-apk"],
  ["cargo", "serde", "tokio"],
] as const)("G5: in %s, %s is no imitation of %s", (ecosystem, name, known) => {
  expect(lookalikeOf(ecosystem, name, [known])).toBeUndefined();
});

test("G5: letters of another script look like something in any case", () => {
  expect(lookalikeOf("npm", "lоdash", [])).toEqual({ name: "lodash", how: "whose foreign letters look like" });
});

test("G5: any one edit of a long enough known name is seen", () => {
  const letters = "bcdfghjkpqrtwxz";
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...letters.split("")), minLength: 6, maxLength: 20 }),
      fc.nat(),
      fc.constantFrom(...letters.split("")),
      fc.constantFrom("insert", "delete", "replace", "swap"),
      (known, place, letter, edit) => {
        const at = place % (known.length - 1);
        const [head, tail] = [known.slice(0, at), known.slice(at)];
        const name = {
          insert: head + letter + tail,
          delete: head + tail.slice(1),
          replace: head + letter + tail.slice(1),
          swap: head + (tail[1] ?? "") + (tail[0] ?? "") + tail.slice(2),
        }[edit];
        expect(lookalikeOf("npm", name, [known]) !== undefined).toBe(name !== known);
      },
    ),
  );
});

test("G5: the rule refuses, records, and lets known and excepted names pass", () => {
  const candidate = candidateWith({ known: ["lodash"] }, { name: "lodahs" });
  const result = (changes: Partial<ReturnType<typeof rulesWith>["lookalike"]>, other = candidate) =>
    decide(rulesWith({ lookalike: { ...rulesWith().lookalike, ...changes } }), other).results.find(
      (each) => each.rule === "lookalike",
    );
  expect(result({})).toMatchObject({ outcome: "refused", code: "GATE_LOOKALIKE", wouldPass: "lodash" });
  expect(result({ mode: "record" })).toMatchObject({ outcome: "passed" });
  expect(result({ mode: "off" })).toMatchObject({ outcome: "not-applicable" });
  expect(result({ names: ["lodahs"] })).toMatchObject({ outcome: "passed" });
  expect(result({ except: ["pkg:npm/lodahs"] })).toMatchObject({ outcome: "passed" });
  const unlocked = candidateWith({ locked: candidateWith({}, { name: "lodash" }).locked }, { name: "lodahs" });
  expect(result({}, unlocked)).toMatchObject({ code: "GATE_LOOKALIKE" });
  // A name that only the project protects does not pass for that.
  expect(result({ protected: ["lodahs"] })).toMatchObject({ code: "GATE_LOOKALIKE" });
});
