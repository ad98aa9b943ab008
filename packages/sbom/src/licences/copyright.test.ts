import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCopyrightFile } from "./index.ts";
import { bsd3, gplNotice, mit } from "./texts.fixture.ts";

const indented = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => (line.trim() === "" ? " ." : ` ${line}`))
    .join("\n");
const machine = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: thing

Files: *
Copyright: 2026 A Person
License: GPL-2+ and Expat

Files: lib/*
License: our-terms

Files: other/*
License: public-domain
 Nobody claims anything.

# A comment.
Files: more/*
License: GPL-2+ with OpenSSL exception or Artistic
Comment: none

License: our-terms
${indented(bsd3)}

License: GPL-3
 Said of nothing.
`;

test("L8: the machine-readable form is read by what it says of files", () => {
  expect(readCopyrightFile(machine, "c")).toEqual([
    { expression: "GPL-2.0-or-later AND MIT", text: "GPL-2+ and Expat", path: "c", confidence: 1 },
    { expression: "BSD-3-Clause", text: "our-terms", path: "c", confidence: 1 },
    { text: "public-domain", path: "c", confidence: 1 },
    {
      ...{ expression: "LicenseRef-GPL-2-with-OpenSSL-exception OR Artistic-1.0-Perl" },
      ...{ text: "GPL-2+ with OpenSSL exception or Artistic", path: "c", confidence: 1 },
    },
  ]);
});

test("L8: a licence in the header is one of the whole", () => {
  expect(
    readCopyrightFile("Format: x\nLicense: Zlib\n\nFiles: *\nLicense: MIT\n").map(({ expression }) => expression),
  ).toEqual([...["Zlib", "MIT"]]);
});

test("L9: another form is read by its texts, and by the common licences that it refers to", () => {
  const text = `This package was debianised by A Person.\n\nCopyright: 2020 X\n${mit}\n
    This program is free software; you can redistribute it under version 2 or (at your option) any later version.
    The complete text is in /usr/share/common-licenses/GPL-2.
    Parts are under /usr/share/common-licenses/Apache-2.0, /usr/share/common-licenses/LGPL-2.1.
    Some stand under version 3 of it: see '/usr/share/common-licenses/GPL'.
    And BSD: /usr/share/common-licenses/BSD.`;
  expect(readCopyrightFile(text, "c")).toEqual([
    { expression: "MIT", path: "c", confidence: 1 },
    { expression: "GPL-2.0-or-later", path: "c", confidence: 0.9 },
    { expression: "Apache-2.0", path: "c", confidence: 0.9 },
    { expression: "LGPL-2.1-only", path: "c", confidence: 0.9 },
    { expression: "GPL-3.0-only", path: "c", confidence: 0.9 },
  ]);
  const notice = `${gplNotice("2", true)}\nsee /usr/share/common-licenses/GPL-2\n`;
  expect(readCopyrightFile(notice).map(({ expression }) => expression)).toEqual(["GPL-2.0-or-later"]);
});

test("L9: nothing known is no fact", () => {
  expect(readCopyrightFile("Copyright 2026. All rights reserved.")).toEqual([]);
  expect(readCopyrightFile("")).toEqual([]);
});

test("L7: any copyright file ends in facts, in bounded number", () => {
  const lines = fc.constantFrom(
    "Format: x",
    "Files: *",
    "License: MIT",
    "License: ",
    "License: x or y",
    " text",
    "",
    ".",
    "\u0000",
    mit,
    "/usr/share/common-licenses/GPL-2",
  );
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 30 }), (parts) => {
      for (const { expression, text } of readCopyrightFile(parts.join("\n"))) expect(expression ?? text).toBeDefined();
    }),
    { numRuns: 100 },
  );
  const many = Array.from({ length: 20_000 }, (_, i) => `Files: ${i}\nLicense: own-${i}\n`).join("\n");
  expect(readCopyrightFile(`Format: x\n\n${many}`)).toHaveLength(500);
});

const documents = "/usr/share/doc";
const packages = existsSync(documents)
  ? readdirSync(documents).filter((name) => existsSync(`${documents}/${name}/copyright`))
  : [];
test.skipIf(packages.length < 50)("L9: of the copyright files of this Debian system nearly all say a licence", () => {
  const silent = packages.filter(
    (name) => readCopyrightFile(readFileSync(`${documents}/${name}/copyright`, "utf8")).length === 0,
  );
  expect(silent.length / packages.length).toBeLessThan(0.1);
});
