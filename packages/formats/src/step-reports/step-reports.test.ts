import fc from "fast-check";
import { expect, test } from "vitest";
import { readStepReport } from "./index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (kind: Parameters<typeof readStepReport>[1], text: string) => readStepReport(bytes(text), kind);
const values = (kind: Parameters<typeof readStepReport>[1], text: string) =>
  Object.fromEntries(read(kind, text).summary.map(({ name, value }) => [name, value]));

const junit = `<?xml version="1.0"?><testsuites tests="1" failures="0"><testsuite name="a" tests="900">
  <testcase classname="A" name="one" time="0.25"/><testcase name="two"><skipped/></testcase>
  <testsuite name="inner"><testcase classname="B" name="three"><failure message="1 is&#10;not 2">trace</failure></testcase>
  <testcase name="four"><error>boom</error></testcase></testsuite></testsuite></testsuites>`;

test("RPT1: test cases of JUnit are counted, not what their suites claim", () => {
  const expected = { tests: "4", failures: "1", errors: "1", skipped: "1", suites: "2", seconds: "0.250" };
  expect(values("junit", junit)).toEqual(expected);
  expect(read("junit", junit).failures).toEqual(["B three: 1 is not 2", "four: boom"]);
});

test("RPT2: coverage of Cobertura, JaCoCo, Clover and lcov is read, with a document type that only names a grammar", () => {
  const cobertura = `<!DOCTYPE coverage SYSTEM "coverage.dtd"><coverage lines-valid="10" lines-covered="7" branches-valid="4" branches-covered="1"/>`;
  expect(values("coverage", cobertura)).toMatchObject({ "lines-share": "0.7000", "branches-share": "0.2500" });
  const counted = `<coverage line-rate="1"><packages><class><methods><line hits="1"/></methods><lines><line hits="3"/><line hits="0"/></lines></class></packages></coverage>`;
  expect(values("coverage", counted)).toMatchObject({ "lines-covered": "1", "lines-total": "2" });
  const jacoco = `<report name="shop"><counter type="LINE" missed="1" covered="3"/><counter type="INSTRUCTION" missed="0" covered="9"/></report>`;
  expect(values("coverage", jacoco)).toMatchObject({ "lines-covered": "3", "lines-total": "4" });
  const clover = `<coverage><project><metrics statements="8" coveredstatements="2" methods="0" coveredmethods="0"/></project></coverage>`;
  expect(values("coverage", clover)).toMatchObject({ "lines-share": "0.2500", "methods-total": "0" });
  const lcov = "SF:a.c\nLF:10\nLH:5\nend_of_record\nSF:b.c\nLF:2\nLH:2\nBRF:2\nBRH:1\nend_of_record\n";
  expect(values("coverage", lcov)).toMatchObject({
    "lines-covered": "7",
    "lines-total": "12",
    "branches-share": "0.5000",
  });
});

test("RPT3: findings of SARIF are counted by level, suppressed ones apart", () => {
  const sarif = {
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "linty", rules: [{ id: "r", defaultConfiguration: { level: "error" } }] } },
        results: [
          { ruleId: "r", message: { text: "by its rule" } },
          { message: { text: "by default" } },
          { level: "note", message: { text: "a note" } },
          { kind: "pass", message: { text: "no failure" } },
          { level: "error", message: { text: "hidden" }, suppressions: [{ kind: "inSource" }] },
          { level: "error", message: { text: "asked for" }, suppressions: [{ kind: "external", status: "rejected" }] },
        ],
      },
    ],
  };
  expect(values("sast", JSON.stringify(sarif))).toEqual({
    error: "2",
    warning: "1",
    note: "1",
    none: "1",
    suppressed: "1",
  });
  expect(read("dast", JSON.stringify(sarif)).tool).toBe("linty");
});

test.each([
  ["junit", "<html/>"],
  ["junit", "<testsuite>"],
  ["junit", `<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>`],
  ["coverage", "<report/>"],
  ["coverage", "<coverage lines-valid='1' lines-covered='2'/>"],
  ["coverage", "<coverage lines-valid='many'/>"],
  ["coverage", "<coverage><project/></coverage>"],
  ["coverage", "<other/>"],
  ["coverage", "SF:a.c\nLF:1\n"],
  ["coverage", ""],
  ["sast", "{}"],
  ["sast", `{"version":"2.1.0"}`],
  ["sast", `{"version":"2.1.0","runs":[1]}`],
  ["sast", "not json"],
] as const)("RPT4: what is no %s report is refused: %s", (kind, text) => {
  expect(() => read(kind, text)).toThrow(expect.objectContaining({ code: "REPORT_FILE_MALFORMED" }));
});

test("RPT4: a report beyond the limit is refused before it is read", () => {
  expect(() => readStepReport(new Uint8Array(64 * 1024 * 1024 + 1), "junit")).toThrow(
    expect.objectContaining({ code: "REPORT_FILE_TOO_LARGE" }),
  );
});

test("RPT5: whatever a step writes is a report or one of the codes, and its words hold no control characters", () => {
  const seeds = [junit, "SF:a\nLF:1\nLH:1\nend_of_record", `{"version":"2.1.0","runs":[]}`];
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(400), fc.string({ maxLength: 6 }))
    .map(([seed, at, text]) => seed.slice(0, at % seed.length) + text + seed.slice((at % seed.length) + 1));
  fc.assert(
    fc.property(fc.constantFrom("junit" as const, "coverage" as const, "sast" as const), mutated, (kind, text) => {
      try {
        for (const failure of read(kind, text).failures) expect(failure).not.toMatch(/[\u0000-\u001f\u007f]/);
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^REPORT_FILE_/);
      }
    }),
    { numRuns: 500 },
  );
});
