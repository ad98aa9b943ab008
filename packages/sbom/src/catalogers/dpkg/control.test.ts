import fc from "fast-check";
import { expect, test } from "vitest";
import { debianPackage } from "./debian-package.ts";
import { readControl } from "./paragraphs.ts";

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
