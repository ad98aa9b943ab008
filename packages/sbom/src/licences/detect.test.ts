import { readFileSync } from "node:fs";
import { parseLicenceExpression } from "@touchmark/formats/licences";
import fc from "fast-check";
import { expect, test } from "vitest";
import { detectLicences } from "./index.ts";
import { bsd2, bsd3, gplNotice, isc, mit } from "./texts.fixture.ts";

const found = (text: string) => detectLicences(text).map(({ expression }) => expression);
/** The licence of this repository. */
const apache = readFileSync(new URL("../../../../LICENSE", import.meta.url), "utf8");

test.each([
  ["MIT", mit],
  ["ISC", isc],
  ["BSD-2-Clause", bsd2],
  ["BSD-3-Clause", bsd3],
  ["Apache-2.0", apache],
  ["GPL-2.0-or-later", gplNotice("2", true)],
  ["GPL-3.0-or-later", gplNotice("3", true)],
])("L4: the text of %s is known, also in capitals, as a comment and on long lines", (id, text) => {
  const comment = text.replace(/^/gm, " * ");
  const shell = text.replace(/^/gm, "# ");
  const joined = text.replace(/\s+/g, " ");
  for (const form of [text, text.toUpperCase(), `/*\n${comment}\n */`, shell, joined, text.replace(/\n/g, "\r\n")]) {
    expect(found(form)).toEqual([id]);
  }
});

test("L4: every fact says how like the text is, and where it stands", () => {
  expect(detectLicences(mit, "LICENSE")).toEqual([{ expression: "MIT", path: "LICENSE", confidence: 1 }]);
  const changed = mit.replace("merge, publish, ", "").replace("OR OTHER DEALINGS ", "");
  const [fact] = detectLicences(changed);
  expect(fact?.expression).toBe("MIT");
  expect(fact?.confidence).toBeLessThan(1);
  expect(fact?.confidence).toBeGreaterThan(0.85);
});

test("L5: several texts in one file are all found, and one that is part of another is not", () => {
  expect(found(`${mit}\n\n---\n\n${apache}`)).toEqual(["Apache-2.0", "MIT"]);
  expect(found(`${bsd3}\n${isc}\n${mit}`)).toEqual(["BSD-3-Clause", "ISC", "MIT"]);
  expect(found(bsd3)).not.toContain("BSD-2-Clause");
  expect(found(`${bsd3}\n${bsd3}`)).toEqual(["BSD-3-Clause"]);
  expect(found(`${bsd3}\n${bsd2}`)).toEqual(["BSD-2-Clause", "BSD-3-Clause"]);
  expect(found(mit.repeat(3))).toEqual(["MIT"]);
});

test("L5: other texts are none", () => {
  for (const text of [
    "",
    "All rights reserved.",
    "MIT",
    "Permission is hereby granted, free of charge",
    mit.slice(0, 500),
    "lorem ipsum ".repeat(2_000),
  ]) {
    expect(found(text)).toEqual([]);
  }
  expect(found(mit.split(/\s+/).sort().join(" "))).toEqual([]);
});

test("L6: tags name the licence of a file, in any comment; what is no expression is passed over", () => {
  const tags = [
    "// SPDX-License-Identifier: mit",
    "/* SPDX-License-Identifier: GPL-2.0+ WITH Linux-syscall-note */",
    "<!-- SPDX-License-Identifier: (Apache-2.0 OR ISC) -->",
    "# SPDX-License-Identifier: LicenseRef-ours",
    '"SPDX-License-Identifier: Zlib",',
    "SPDX-License-Identifier: <id>",
    "SPDX-License-Identifier: Nonsense-1.0",
  ];
  expect(found(tags.join("\n"))).toEqual([
    ...["Apache-2.0 OR ISC", "GPL-2.0-or-later WITH Linux-syscall-note", "LicenseRef-ours", "MIT", "Zlib"],
  ]);
  expect(found("SPDX-License-Identifier: MIT\n".repeat(5_000))).toEqual(["MIT"]);
});

test("L7: any text ends in facts, in bounded time", () => {
  const pieces = fc.constantFrom(
    mit,
    apache.slice(0, 5_000),
    bsd2,
    "\u0000",
    "-\n",
    "(a)",
    "1.",
    "\u6587",
    "SPDX-License-Identifier:",
    "the ",
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 12 }).map((each) => each.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const { expression = "", confidence } of detectLicences(text)) {
        parseLicenceExpression(expression);
        expect(confidence).toBeGreaterThanOrEqual(0.75);
        expect(confidence).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
  for (const text of [
    mit.repeat(5_000),
    "(".repeat(3e6),
    "-\n".repeat(1e6),
    "((1)".repeat(5e5),
    "a'".repeat(1e6),
    " ".repeat(3e6),
  ]) {
    expect(found(text).length).toBeLessThanOrEqual(1);
  }
});

test("L7: a text with changed places is known by what is left, or not at all", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(mit.length), fc.string({ maxLength: 3 })), { maxLength: 40 }), (changes) => {
      let text = mit;
      for (const [at, piece] of changes) text = text.slice(0, at) + piece + text.slice(at + 1);
      for (const { expression } of detectLicences(text)) expect(expression).toMatch(/^MIT|^X11|^JSON/);
    }),
    { numRuns: 100 },
  );
});
