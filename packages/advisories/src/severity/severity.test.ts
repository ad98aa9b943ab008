import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareSeverityClasses, cvssScore, readSeverity, severityClass } from "./severity.ts";

// Examples of the documents of FIRST: "CVSS v3.1: Examples", "A Complete Guide to CVSS v2", "CVSS v4.0 Examples".
test.each([
  ["CVE-2013-1937", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1],
  ["CVE-2013-0375", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4],
  ["CVE-2014-3566", "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1],
  ["CVE-2012-1516", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9],
  ["CVE-2009-0783", "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2],
  ["CVE-2012-0384", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 8.8],
  ["CVE-2015-1098", "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8],
  ["CVE-2014-0160", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5],
  ["CVE-2014-6271", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8],
  ["CVE-2008-1447", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 6.8],
  ["CVE-2014-2005", "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 6.8],
  ["CVE-2013-6014", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 9.3],
  ["CVE-2014-0224", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N", 7.4],
  ["CVE-2012-5376", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 9.6],
  ["CVE-2014-0160", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/E:H/RL:O/RC:C", 7.5],
  ["CVE-2002-0392", "AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8],
  ["CVE-2003-0818", "(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 10],
  ["CVE-2003-0062", "AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", 6.2],
  ["CVE-2022-41741", "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3],
  ["CVE-2020-3549", "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7],
  ["CVE-2023-3089", "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 8.3],
  ["CVE-2022-21830", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1],
  ["CVE-2022-22186", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", 6.9],
  ["threat", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 8.1],
  ["modified", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/MSI:S/CR:L/U:Red", 10],
  ["no impact", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0],
  ["exactly 8.55", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:L/VA:N/SC:H/SI:H/SA:H", 8.6],
])("M4: the score of %s is that of its vector %s", (_name, vector, score) => {
  expect(cvssScore(vector).score).toBe(score);
});

const cvss3 = fc.tuple(
  fc.constantFrom("CVSS:3.0", "CVSS:3.1"),
  ...Object.entries({ AV: "NALP", AC: "LH", PR: "NLH", UI: "NR", S: "UC", C: "NLH", I: "NLH", A: "NLH" }).map(
    ([name, values]) => fc.constantFrom(...values.split("")).map((value) => `${name}:${value}`),
  ),
);

test("M4: a score has one decimal, lies between 0 and 10, and grows with the impact", () => {
  fc.assert(
    fc.property(cvss3, (parts) => {
      const { score } = cvssScore(parts.join("/"));
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(10);
      expect(Math.round(score * 10) / 10).toBe(score);
      const worse = cvssScore(parts.join("/").replace(/\/C:[NL]/, "/C:H")).score;
      expect(worse).toBeGreaterThanOrEqual(score);
    }),
  );
});

test.each([
  "",
  "CVSS:3.1",
  "CVSS:3.1/AV:N",
  "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/",
  "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
  "CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:U/C:H/I:N/A:N",
  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/constructor:x",
  "CVSS:4.0/AV:N/AC:L/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
  "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N",
  "AV:N/AC:L/Au:N/C:N/I:N",
  "7.5",
  `AV:N/${"E:H/".repeat(200)}`,
])("M4: %j is no vector, and refused", (vector) => {
  expect(() => cvssScore(vector)).toThrow(expect.objectContaining({ code: "CVSS_MALFORMED" }));
});

test("M4: any text is scored or refused by the code", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        cvss3.map((parts) => parts.join("/").slice(3)),
      ),
      (text) => {
        try {
          expect(cvssScore(text).score).toBeLessThanOrEqual(10);
        } catch (error) {
          expect(isFactoryError(error) && error.code).toBe("CVSS_MALFORMED");
        }
      },
    ),
  );
});

test("M5: classes follow the scores, and those of version 2 are its own", () => {
  const classes = [0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10].map((score) => severityClass({ version: "3.1", score }));
  expect(classes).toEqual(["none", "low", "low", "medium", "medium", "high", "high", "critical", "critical"]);
  expect([0, 3.9, 4, 7, 10].map((score) => severityClass({ version: "2.0", score }))).toEqual([
    "low",
    "low",
    "medium",
    "high",
    "high",
  ]);
});

test("M5: words of sources have classes, and what is no severity is none", () => {
  const classOf = (value: string) => readSeverity({ type: "words", value }, "x")?.class;
  expect(["Moderate", "IMPORTANT", "unimportant", "Critical "].map(classOf)).toEqual([
    "medium",
    "high",
    "low",
    "critical",
  ]);
  expect(["", "unknown", "constructor", "end-of-life"].map(classOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(readSeverity({ type: "CVSS_V3", value: "CVSS:3.1/AV:N" }, "x")).toBeUndefined();
});

test("M5: unscored is shown before all but critical", () => {
  const all = ["low", "unscored", "none", "critical", "medium", "high"] as const;
  expect([...all].sort(compareSeverityClasses)).toEqual(["critical", "unscored", "high", "medium", "low", "none"]);
});
