import { readXml, type XmlElement } from "@touchmark/formats/xml";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hostileName, scanWith } from "./hostile.fixture.ts";
import { scanHtml, scanJson, scanJunit, scanMarkdown, scanSarif, scanTable } from "./index.ts";

const neutral = scanWith("name");
const runs = { numRuns: 60 };
/** Texts of all signs, and pieces that begin something in some format. */
const text = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
    fc
      .array(
        fc.constantFrom(
          "<",
          ">",
          "&",
          '"',
          "'",
          "|",
          "`",
          "\\",
          "\n",
          "\r",
          "@a",
          "#1",
          "]]>",
          "-->",
          "*",
          "_",
          "![",
          "](",
          "~~",
          "$x$",
          "www.",
          "http://a.b",
          "\u202e",
          "\u001b[31m",
          "\ud800",
          "x",
          " ",
        ),
        { minLength: 1, maxLength: 20 },
      )
      .map((parts) => parts.join("")),
    fc.constant(hostileName),
  )
  .map((each) => `n${each}n`);

/** Tags with the names of their attributes, in order; nothing of what stands between them. */
function skeleton(markup: string): string {
  return [...markup.matchAll(/<(\/?[a-z][\w-]*)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>|[<>]/gi)]
    .map((match) => (match[1] ?? "!") + [...(match[2] ?? "").matchAll(/\s([\w-]+)=/g)].map(([, name]) => name).join())
    .join(" ");
}

function shape(element: XmlElement): unknown {
  return [element.name, [...element.attributes.keys()], element.children.map(shape)];
}

/** Signs with which Markdown begins something, and the ends of lines; nothing of the text between them. */
function marks(markdown: string): string {
  return markdown.replace(/&#\d+;/g, "").replace(/[^\\`*_[\]<>|#~@!$&\n]/g, "");
}

test("T10: no name changes the structure of an HTML report", () => {
  const bare = (markup: string) => skeleton(markup.replace(/<style>[^]*?<\/style>/, ""));
  const expected = bare(scanHtml(neutral.result, neutral.gate));
  fc.assert(
    fc.property(text, (name) => {
      const { result, gate } = scanWith(name);
      expect(bare(scanHtml(result, gate))).toBe(expected);
    }),
    runs,
  );
});

test("T10: no name changes the structure of JUnit's XML", () => {
  const expected = shape(readXml(scanJunit(neutral.result, neutral.gate)));
  fc.assert(
    fc.property(text, (name) => {
      const { result, gate } = scanWith(name);
      expect(shape(readXml(scanJunit(result, gate)))).toEqual(expected);
    }),
    runs,
  );
});

test("T10: no name begins anything in Markdown, and none ends a line", () => {
  const expected = marks(scanMarkdown(neutral.result, neutral.gate));
  fc.assert(
    fc.property(text, (name) => {
      const { result, gate } = scanWith(name);
      expect(marks(scanMarkdown(result, gate))).toBe(expected);
    }),
    runs,
  );
});

test("T10: no name draws on a screen, hides a part of itself, or adds a line", () => {
  const lines = scanTable(neutral.result, neutral.gate).split("\n").length;
  fc.assert(
    fc.property(text, (name) => {
      const { result, gate } = scanWith(name);
      const table = scanTable(result, gate);
      expect(table.split("\n")).toHaveLength(lines);
      for (const report of [
        table,
        scanMarkdown(result, gate),
        scanHtml(result, gate),
        scanJunit(result, gate),
        scanJson(result, gate),
      ]) {
        expect(report).not.toMatch(
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
        );
        expect(report.isWellFormed()).toBe(true);
      }
    }),
    runs,
  );
});

test("T10: places in SARIF are relative references that do not climb", () => {
  fc.assert(
    fc.property(text, (name) => {
      const { result, gate } = scanWith(name);
      const location = JSON.parse(scanSarif(result, gate)).runs[0].results[0].locations[0].physicalLocation;
      expect(location.artifactLocation.uri).toMatch(/^_(?:\/[\w.!~*'()%-]+)+$/);
      expect(location.artifactLocation.uri).not.toMatch(/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i);
    }),
    runs,
  );
});

test("T11: the same scan gives the same bytes in every report", () => {
  for (const write of [scanTable, scanMarkdown, scanHtml, scanJunit, scanSarif, scanJson]) {
    expect(write(neutral.result, neutral.gate)).toBe(
      write(structuredClone(neutral.result), structuredClone(neutral.gate)),
    );
  }
});
