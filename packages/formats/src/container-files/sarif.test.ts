import { expect, test } from "vitest";
import { lintContainerFiles, sarifReport } from "./index.ts";

const rule = { id: "a-rule", title: "t", why: "w", fix: "f", severity: "error" as const, practice: "p" };
const finding = {
  rule: "a-rule",
  severity: "error" as const,
  file: "a b/Dockerfile",
  line: 3,
  column: 4,
  message: "m",
  fix: "f",
};

interface Report {
  readonly runs: readonly { readonly results: readonly { readonly [name: string]: unknown }[] }[];
}
const resultsOf = (findings: Parameters<typeof sarifReport>[2]) =>
  (sarifReport("1.0.0", [rule], findings) as unknown as Report).runs[0]?.results ?? [];

test("F10: a finding becomes a result with rule, level, place and remedy", () => {
  expect(resultsOf([finding])[0]).toMatchObject({
    ruleId: "a-rule",
    ruleIndex: 0,
    level: "error",
    message: { text: "m. What to do: f" },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: "a%20b/Dockerfile", uriBaseId: "%SRCROOT%" },
          region: { startLine: 3, startColumn: 4 },
        },
      },
    ],
  });
  const outside = resultsOf([{ ...finding, file: "/a/Dockerfile" }])[0];
  expect(outside).toMatchObject({
    locations: [{ physicalLocation: { artifactLocation: { uri: "file:///a/Dockerfile" } } }],
  });
});

test("F10: what is suppressed is there with its reason, and nothing else is marked", () => {
  const [open, closed] = resultsOf([finding, { ...finding, line: 9, suppressed: "why" }]);
  expect(open).not.toHaveProperty("suppressions");
  expect(closed?.["suppressions"]).toEqual([{ kind: "inSource", justification: "why" }]);
});

test("F10: fingerprints hold when lines move, and differ within a file", () => {
  const prints = (lines: number) =>
    resultsOf([
      { ...finding, line: lines },
      { ...finding, line: lines + 1 },
    ]).map((each) => JSON.stringify(each["partialFingerprints"]));
  expect(prints(3)).toEqual(prints(30));
  expect(new Set(prints(3)).size).toBe(2);
});

test("F10: the report is the same each time, and every result names a rule of the report", () => {
  const { findings } = lintContainerFiles([{ path: "Dockerfile", text: "FROM debian\nRUN apt-get upgrade\n" }]);
  expect(JSON.stringify(resultsOf(findings))).toBe(JSON.stringify(resultsOf(findings)));
});
