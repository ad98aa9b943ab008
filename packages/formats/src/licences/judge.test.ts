import fc from "fast-check";
import { expect, test } from "vitest";
import type { LicenceClass } from "../findings/index.ts";
import { joinLicences, type LicenceExpression } from "./expression.ts";
import { isWorse, judgeLicence } from "./judge.ts";
import { parseLicenceExpression } from "./parse.ts";
import { licencePolicy } from "./policy.ts";

const policy = licencePolicy({
  allow: [
    "MIT",
    "apache-2.0",
    "GPL-3.0-only",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "LicenseRef-ours",
    "MPL-2.0",
  ],
  warn: ["LGPL-*"],
  deny: ["GPL-2.0", "AGPL-*", "Apache-2.0 WITH Swift-exception"],
});

test.each<[string, LicenceClass, string?]>([
  ["MIT", "allowed"],
  ["Apache-2.0", "allowed"],
  ["LicenseRef-ours", "allowed"],
  ["Zlib", "unknown"],
  ["AGPL-3.0-only", "denied"],
  ["GPL-2.0-only", "denied"],
  // Of OR the best side, of AND the worst.
  ["AGPL-3.0-only OR MIT", "allowed", "MIT"],
  ["MIT AND AGPL-3.0-only", "denied"],
  ["MIT AND LGPL-2.1-only", "warned"],
  ["MIT AND Zlib AND LGPL-2.1-only", "unknown"],
  ["Zlib OR LGPL-2.1-only", "warned", "LGPL-2.1-only"],
  ["(MIT OR AGPL-3.0-only) AND (Zlib OR Apache-2.0)", "allowed", "MIT AND Apache-2.0"],
  ["AGPL-3.0-only OR AGPL-1.0-only", "denied", "AGPL-3.0-only"],
  // "Or later" leaves a choice of versions.
  ["GPL-2.0-or-later", "allowed", "GPL-3.0-only"],
  ["GPL-2.0+", "allowed", "GPL-3.0-only"],
  ["MPL-1.1+", "allowed", "MPL-2.0"],
  ["MPL-1.1", "unknown"],
  ["GPL-3.0-or-later", "allowed", "GPL-3.0-only"],
  ["AGPL-1.0-or-later", "denied"],
  // The entry with the exception comes before the one without.
  ["GPL-2.0-only WITH Classpath-exception-2.0", "allowed"],
  ["GPL-2.0-with-classpath-exception", "allowed"],
  ["GPL-2.0-only WITH Bison-exception-2.2", "denied"],
  ["Apache-2.0 WITH LLVM-exception", "allowed"],
  ["Apache-2.0 WITH Swift-exception", "denied"],
  ["LGPL-2.1-only WITH OCaml-LGPL-linking-exception", "warned"],
])("LIC6: %s is %s", (text, expected, chosen) => {
  const judged = judgeLicence(parseLicenceExpression(text), policy);
  expect(judged.class).toBe(expected);
  expect(judged.chosen).toBe(chosen);
});

test("LIC6: a list that names an or-later licence itself is not read as a choice", () => {
  const explicit = licencePolicy({ allow: ["GPL-3.0-only"], deny: ["GPL-2.0-or-later"] });
  expect(judgeLicence(parseLicenceExpression("GPL-2.0-or-later"), explicit).class).toBe("denied");
});

test("LIC7: what is not known is what the policy says of it, and never allowed by default", () => {
  expect(judgeLicence(undefined, policy)).toEqual({ class: "unknown", reason: "no licence is known" });
  expect(judgeLicence(undefined, licencePolicy({ missing: "denied" })).class).toBe("denied");
  expect(judgeLicence(parseLicenceExpression("MIT"), licencePolicy({})).class).toBe("unknown");
  expect(judgeLicence(parseLicenceExpression("Zlib"), licencePolicy({ unlisted: "warned" })).class).toBe("warned");
});

const leaves = ["MIT", "Zlib", "AGPL-3.0-only", "LGPL-2.1-only", "GPL-2.0-or-later"].map(parseLicenceExpression);
const expressions = fc.letrec<{ any: LicenceExpression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...leaves),
    fc
      .tuple(fc.constantFrom("and" as const, "or" as const), fc.array(tie("any"), { minLength: 1, maxLength: 3 }))
      .map(([kind, parts]) => joinLicences(kind, parts) as LicenceExpression),
  ),
})).any;

test("LIC8: a further side never makes OR worse, a further part never makes AND better", () => {
  fc.assert(
    fc.property(expressions, expressions, (a, b) => {
      const alone = judgeLicence(a, policy).class;
      const either = judgeLicence(joinLicences("or", [a, b]), policy).class;
      const both = judgeLicence(joinLicences("and", [a, b]), policy).class;
      expect(isWorse(either, alone)).toBe(false);
      expect(isWorse(alone, both)).toBe(false);
    }),
  );
});

test("LIC8: what was chosen is judged as the whole was", () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      const judged = judgeLicence(expression, policy);
      if (judged.chosen === undefined) return;
      expect(judgeLicence(parseLicenceExpression(judged.chosen), policy)).toMatchObject({ class: judged.class });
    }),
  );
});

test.each([
  [{ allow: ["MIT"], deny: ["mit"] }],
  [{ allow: ["no such"] }],
  [{ deny: ["MIT OR ISC"] }],
  [{ warn: [""] }],
  [{ deny: ["*"] }],
  [{ deny: ["Nonsense-1.0"] }],
  [{ confidence: 2 }],
  [{ confidence: Number.NaN }],
  [{ allow: Array.from({ length: 2_001 }, (_, i) => `LicenseRef-${i}`) }],
])("LIC9: the policy %j is refused", (rules) => {
  expect(() => licencePolicy(rules)).toThrow(
    expect.objectContaining({ code: "LICENCE_POLICY_INVALID", nature: "invalid" }),
  );
});
