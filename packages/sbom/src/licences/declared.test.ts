import { parseLicenceExpression } from "@touchmark/formats/licences";
import fc from "fast-check";
import { expect, test } from "vitest";
import { normaliseDeclared, normaliseDeclaredList } from "./index.ts";

/** Spellings by what they mean; `-` where they mean no licence of the list. */
const spellings: readonly (readonly [meaning: string, ...texts: string[]])[] = [
  ["MIT", "MIT", "mit", "MIT License", "The MIT License", "The MIT License (MIT)", "MIT/X11", "Expat", "MIT Licence"],
  ["MIT", "License :: OSI Approved :: MIT License", "https://opensource.org/licenses/MIT", "MIT + file LICENSE"],
  ["Apache-2.0", "Apache 2.0", "Apache-2", "Apache2", "ASL 2.0", "Apache License, Version 2.0", "Apache License 2.0"],
  ["Apache-2.0", "The Apache Software License, Version 2.0", "http://www.apache.org/licenses/LICENSE-2.0.txt"],
  [
    "BSD-3-Clause",
    "BSD-3-Clause",
    "3-Clause BSD",
    "BSD 3-Clause License",
    "New BSD License",
    "EDL 1.0",
    "Modified BSD",
  ],
  ["BSD-2-Clause", "BSD 2-Clause", "Simplified BSD License", "2-clause BSD"],
  ["GPL-2.0-or-later", "GPLv2+", "GPL v2 or later", "GPL (>= 2)", "GPL-2+", "GNU GPL, version 2 or any later version"],
  ["GPL-2.0-only", "GPL-2", "GPLv2", "GPLv2 only", "GPL-2 | file LICENSE", "GNU General Public License v2 (GPLv2)"],
  ["GPL-3.0-only", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)", "GPL-3.0"],
  ["LGPL-2.0-or-later", "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)"],
  ["LGPL-2.1-only", "LGPL, version 2.1", "LGPLv2.1", "https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html"],
  ["AGPL-3.0-only", "GNU AGPLv3", "AGPL 3.0", "GNU Affero General Public License v3"],
  ["MPL-2.0", "MPLv2.0", "MPL 2", "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"],
  ["EPL-2.0", "Eclipse Public License - v 2.0", "EPL 2.0", "Eclipse Public License 2.0"],
  ["CDDL-1.0", "Common Development and Distribution License (CDDL) v1.0", "CDDL 1.0"],
  ["GPL-2.0-only WITH Classpath-exception-2.0", "GPL2 w/ CPE", "GPLv2 with Classpath exception"],
  [
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "GNU General Public License, version 2 (GPL2), with the classpath exception",
  ],
  ["GPL-2.0-or-later AND LGPL-2.0-or-later AND MIT", "GPLv2+ and LGPLv2+ and MIT"],
  ["(Artistic-1.0-Perl OR GPL-1.0-or-later) AND LicenseRef-Public-Domain", "(GPL+ or Artistic) and Public Domain"],
  ["MIT OR Apache-2.0", "MIT/Apache-2.0", "MIT OR Apache-2.0", "MIT or Apache 2.0", "MIT | Apache-2.0"],
  ["MIT AND LicenseRef-BSD AND Apache-2.0", "MIT, BSD, and Apache 2.0"],
  ["MIT OR ISC OR Zlib", "MIT, ISC, or zlib"],
  ["GPL-2.0-only OR GPL-3.0-only", "GPL-2 | GPL-3"],
  ["HPND", "Historical Permission Notice and Disclaimer"],
  ["GFDL-1.3-no-invariants-or-later", "GFDL-NIV-1.3+"],
  ["CC0-1.0", "CC0", "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication"],
  ["BSD-2-Clause-Views", "BSD-2-Clause-FreeBSD"],
  [
    "-",
    "",
    "BSD",
    "BSD License",
    "Apache Software License",
    "License :: OSI Approved :: Apache Software License",
    "GPL",
  ],
  ["-", "GNU GPL", "GNU Lesser General Public License", "UNLICENSED", "SEE LICENSE IN LICENSE.md", "Public Domain"],
  [
    "-",
    "Dual License",
    "Proprietary",
    "AND OR (((",

    "constructor",
    "__proto__",
    "GPLv9",
    "https://example.com/MIT",
  ],
];

test.each(spellings.flatMap(([meaning, ...texts]) => texts.map((text) => [text, meaning] as const)))(
  "L1: %j means %s",
  (text, meaning) => {
    expect(normaliseDeclared(text).expression ?? "-").toBe(meaning);
  },
);

test("L2: what is not the expression itself is kept as it was written, with its place", () => {
  expect(normaliseDeclared("MIT", "package.json")).toEqual({ expression: "MIT", path: "package.json", confidence: 1 });
  expect(normaliseDeclared(" mit \n", "a")).toEqual({ expression: "MIT", text: "mit", path: "a", confidence: 1 });
  expect(normaliseDeclared("BSD")).toEqual({ text: "BSD", confidence: 1 });
});

test("L2: several licences are several facts, or one of which the user may choose", () => {
  expect(normaliseDeclaredList(["MIT", "BSD", "MIT", " "], "all").map(({ expression }) => expression)).toEqual([
    "MIT",
    undefined,
  ]);
  expect(normaliseDeclaredList(["MIT", "Apache 2", "Ours"], "any", "p")).toEqual([
    { expression: "MIT OR Apache-2.0 OR LicenseRef-Ours", text: "MIT | Apache 2 | Ours", path: "p", confidence: 1 },
  ]);
  expect(normaliseDeclaredList(["Ours", "Theirs"], "any").every(({ expression }) => expression === undefined)).toBe(
    true,
  );
  expect(normaliseDeclaredList([], "any")).toEqual([]);
});

test("L3: any text gives a fact, in bounded time; an expression in it is one", () => {
  const pieces = fc.constantFrom(
    "MIT",
    "GPLv2+",
    "and",
    "or",
    "(",
    ")",
    "/",
    ",",
    "|",
    "with",
    "exception",
    "License",
    "v",
    "2.0",
    "+",
    "the ",
    "\u0000",
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 60 }).map((each) => each.join(" ")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const fact = normaliseDeclared(text);
      if (fact.expression !== undefined) parseLicenceExpression(fact.expression);
      expect(fact.confidence).toBe(1);
    }),
    { numRuns: 500 },
  );
  for (const text of [
    "(".repeat(3_000),
    "MIT and ".repeat(400),
    "a/".repeat(900),
    `${"gpl ".repeat(450)}2`,
    " ".repeat(1e6),
    "x".repeat(1e6),
  ]) {
    expect(normaliseDeclared(text).text?.length ?? 0).toBeLessThanOrEqual(2_000);
  }
});
