import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { currentLicence } from "./current.ts";
import { joinLicences, type LicenceExpression, licencesIn, licenceText } from "./expression.ts";
import { findLicence, findLicenceException, licenceListFacts, listedExceptions, listedLicences } from "./list.ts";
import { parseLicenceExpression } from "./parse.ts";

const refusal = (code: string) => expect.objectContaining({ code, nature: "invalid" });
const ids = fc.constantFrom(...[...listedLicences().values()].map(({ id }) => id));
const exceptions = fc.constantFrom(...[...listedExceptions().values()].map(({ id }) => id));

/** Any expression, in the flat form that reading gives. */
const expressions: fc.Arbitrary<LicenceExpression> = fc.letrec<{ any: LicenceExpression; term: LicenceExpression }>(
  (tie) => ({
    term: fc.oneof(
      fc.record({ kind: fc.constant("licence" as const), id: ids, orLater: fc.constant(false) }),
      fc.record({ kind: fc.constant("licence" as const), id: ids, orLater: fc.constant(false), exception: exceptions }),
      fc.constant({ kind: "licence" as const, id: "LicenseRef-a.b-1", orLater: false }),
      fc.constant({ kind: "licence" as const, id: "DocumentRef-d:LicenseRef-x", orLater: false }),
      fc.constant({ kind: "licence" as const, id: "MIT", orLater: true, exception: "AdditionRef-y" }),
    ),
    any: fc.oneof(
      { maxDepth: 4 },
      tie("term"),
      fc
        .tuple(fc.constantFrom("and" as const, "or" as const), fc.array(tie("any"), { minLength: 2, maxLength: 4 }))
        .map(([kind, parts]) => joinLicences(kind, parts) as LicenceExpression),
    ),
  }),
).any;

test("LIC1: what is written reads as the same expression, and is written the same again", () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      const text = licenceText(expression);
      expect(parseLicenceExpression(text)).toEqual(expression);
      expect(licenceText(parseLicenceExpression(text))).toBe(text);
    }),
  );
});

test.each([
  ["mit", "MIT"],
  ["MIT or apache-2.0", "MIT OR Apache-2.0"],
  ["(MIT)", "MIT"],
  ["MIT AND (ISC AND Zlib)", "MIT AND ISC AND Zlib"],
  ["MIT OR MIT", "MIT"],
  ["MIT OR ISC AND Zlib", "MIT OR ISC AND Zlib"],
  ["(MIT OR ISC) AND Zlib", "(MIT OR ISC) AND Zlib"],
  ["gpl-2.0-or-later with classpath-EXCEPTION-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"],
  ["GPL-2.0+", "GPL-2.0+"],
  ["MPL-1.1+", "MPL-1.1+"],
  ["  MIT\tOR\nISC ", "MIT OR ISC"],
])("LIC1: %j is %s", (text, canonical) => {
  expect(licenceText(parseLicenceExpression(text))).toBe(canonical);
});

test.each([
  ...[
    "",
    "AND",
    "MIT AND",
    "MIT ISC",
    "(MIT",
    "MIT)",
    "()",
    "MIT WITH",
    "MIT WITH (Classpath-exception-2.0)",
    "MIT Or ISC",
  ],
  ...[
    "MIT/ISC",
    "MIT, ISC",
    "LicenseRef-",
    "LicenseRef-a_b",
    "MIT WITH Classpath-exception-2.0 WITH LLVM-exception",
    "MIT +",
  ],
  ...["(MIT OR ISC) WITH LLVM-exception", "\u0000", "MIT OR OR ISC"],
])("LIC2: %j is refused", (text) => {
  expect(() => parseLicenceExpression(text)).toThrow(refusal("LICENCE_EXPRESSION_MALFORMED"));
});

test.each(["Nonsense-1.0", "NONE", "NOASSERTION", "MIT WITH MIT", "Classpath-exception-2.0", "MIT++"])(
  "LIC2: %s is on no list",
  (text) => {
    expect(() => parseLicenceExpression(text)).toThrow(refusal("LICENCE_UNKNOWN"));
  },
);

test("LIC3: length, number and depth have limits", () => {
  const deep = (depth: number) => "(".repeat(depth) + "MIT" + ")".repeat(depth);
  expect(licenceText(parseLicenceExpression(deep(64)))).toBe("MIT");
  const many = (number: number) => Array.from({ length: number }, (_, i) => `LicenseRef-${i}`).join(" OR ");
  expect(licencesIn(parseLicenceExpression(many(2_000)))).toHaveLength(2_000);
  for (const text of [deep(66), deep(5_000), many(2_001), `MIT${" ".repeat(70_000)}`, many(9_000)]) {
    expect(() => parseLicenceExpression(text)).toThrow(refusal("LICENCE_EXPRESSION_TOO_LARGE"));
  }
});

test("LIC3: no text makes the reader do anything but answer or refuse by a code", () => {
  const words = fc.constantFrom(
    "MIT",
    "and",
    "OR",
    "WITH",
    "(",
    ")",
    "+",
    "GPL-2.0+",
    "LicenseRef-x",
    "LLVM-exception",
    "x",
    "\u00e9",
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(words, { maxLength: 30 }).map((each) => each.join(" ")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(licenceText(parseLicenceExpression(text))).not.toBe("");
      } catch (error) {
        expect(isFactoryError(error) && error.code).toMatch(/^LICENCE_/);
      }
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["GPL-2.0", "GPL-2.0-only"],
  ["GPL-2.0+", "GPL-2.0-or-later"],
  ["LGPL-2.1+ OR AGPL-3.0", "LGPL-2.1-or-later OR AGPL-3.0-only"],
  ["GPL-2.0-only+", "GPL-2.0-or-later"],
  ["GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"],
  ["GPL-3.0-with-GCC-exception", "GPL-3.0-only WITH GCC-exception-3.1"],
  ["wxWindows", "LGPL-2.0-or-later WITH WxWindows-exception-3.1"],
  ["eCos-2.0 AND Nunit", "GPL-2.0-or-later WITH eCos-exception-2.0 AND zlib-acknowledgement"],
  ["bzip2-1.0.5 OR bzip2-1.0.6", "bzip2-1.0.6"],
  ["MPL-1.1+", "MPL-1.1+"],
  ["MIT", "MIT"],
])("LIC4: %s is today %s", (text, current) => {
  expect(licenceText(currentLicence(parseLicenceExpression(text)))).toBe(current);
});

test("LIC4: what takes the place of a deprecated licence is on the list and not deprecated itself", () => {
  for (const { id, deprecated } of listedLicences().values()) {
    if (!deprecated) continue;
    const current = currentLicence({ kind: "licence", id, orLater: false });
    for (const term of licencesIn(current)) {
      // The one that became a stack of licences has no successor.
      if (id === "Net-SNMP") continue;
      expect(findLicence(term.id), id).toMatchObject({ deprecated: false });
      if (term.exception !== undefined) expect(findLicenceException(term.exception), id).toBeDefined();
    }
  }
});

test("LIC5: the list is that of SPDX, with its version, and each identifier once", () => {
  expect(licenceListFacts).toMatchObject({ version: "3.28.0", licence: "CC0-1.0" });
  expect(listedLicences().size).toBe(727);
  expect(listedExceptions().size).toBe(84);
  expect(findLicence("apache-2.0")).toEqual({
    ...{ id: "Apache-2.0", name: "Apache License 2.0", deprecated: false, osiApproved: true },
  });
  expect(findLicence("constructor")).toBeUndefined();
  expect(findLicenceException("__proto__")).toBeUndefined();
});
