import fc from "fast-check";
import { expect, test } from "vitest";
import { copyrightLicences } from "./copyright.ts";
import { debianPackage } from "./debian-package.ts";
import { readControl } from "./paragraphs.ts";

test("O6: a machine-readable copyright file declares licences, once each, in Debian's spellings", () => {
  const text = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
License: GPL-2+

Files: *
Copyright: someone
License: GPL-2+
 This program is free software

Files: x
License: Expat or house-rules

License: MIT-text-only
 the text
`;
  const { declared, detected } = copyrightLicences(text, "usr/share/doc/a/copyright");
  expect(declared.map(({ expression }) => expression)).toEqual(["GPL-2.0-or-later", "MIT OR LicenseRef-house-rules"]);
  expect(declared[0]).toMatchObject({ text: "GPL-2+", path: "usr/share/doc/a/copyright", confidence: 1 });
  expect(detected).toEqual([]);
});

test("O6: of other copyright files, texts and pointers to common licences are detected, with their confidence", () => {
  const pointer =
    "under the terms of version 2, or (at your option)\nany later version. See /usr/share/common-licenses/GPL-2.";
  const { declared, detected } = copyrightLicences(`${pointer}\n/usr/share/common-licenses/GPL`, "c");
  expect(declared).toEqual([]);
  expect(detected).toContainEqual({ expression: "GPL-2.0-or-later", text: "GPL-2", path: "c", confidence: 0.6 });
  const plain = copyrightLicences("see /usr/share/common-licenses/Apache-2.0 and common-licenses/LGPL-2.1.", "c");
  expect(plain.detected.map(({ expression }) => expression)).toEqual(["Apache-2.0", "LGPL-2.1-only"]);
});

test("O9: fields fold, comments and other lines are passed over, and each paragraph knows its line", () => {
  const { paragraphs, skipped } = readControl("# c\r\nA: 1\r\n b\n\tc\nA: twice\n folded\n\n \nno field\nB:2\n");
  expect(paragraphs.map(({ fields, line }) => [line, ...fields])).toEqual([
    [2, ["a", "1\nb\nc"]],
    [10, ["b", "2"]],
  ]);
  expect(skipped).toBe(3);
});

test("O9: any text is packages or words about it, and no field grows beyond its bound", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "Package: a",
      "Version: 1",
      "Source: b (2)",
      "Depends: a | b, c (>= 1)",
      "Status: install ok installed",
      "",
      " x",
    ),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const text = lines.join("\n");
      for (const { fields, line } of readControl(text).paragraphs) {
        expect(text.split("\n")[line - 1]?.toLowerCase()).toContain([...fields.keys()][0] ?? "");
        const found = debianPackage(fields);
        if (typeof found === "object") expect(`${found.name}${found.source.name}`).toMatch(/^[a-zA-Z0-9+._-]+$/);
      }
    }),
  );
  const long = readControl(`A: x\n${" y".repeat(10)}\n`.padEnd(3_000_000, " zzzzzzzz\n"));
  expect(long.paragraphs[0]?.fields.get("a")?.length).toBeLessThanOrEqual(2 ** 20);
});
