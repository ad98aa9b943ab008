import { expect, test } from "vitest";
import { findingOf, scanOf } from "../gate/scan.fixture.ts";
import { memoryDatabase } from "../matching/memory-database.ts";
import { advisory, affects, below } from "../matching/scene.fixture.ts";
import { compareScans } from "./compare-scans.ts";
import { bytesOf, grypeResult, syftResult, trivyResult } from "./foreign.fixture.ts";
import type { ForeignScan } from "./foreign-scan.ts";
import { readForeignScan } from "./read-foreign.ts";

const leftPad = "pkg:npm/left-pad@1.3.0";
const theirs = (tool: string, version: string, ...ids: readonly string[]): ForeignScan => {
  const named = { name: "left-pad", version, type: "npm" };
  return { tool, packages: [named], findings: ids.length === 0 ? [] : [{ ids, package: named }] };
};
const data = memoryDatabase({
  advisories: [
    advisory("GHSA-1", [affects("npm", "left-pad", below("1.2.0"))], { aliases: ["CVE-2026-0001"] }),
    advisory("CVE-2026-0002", [affects("npm", "other", below("9.0.0"))]),
    advisory("CVE-2026-0003", [affects("npm", "left-pad", below("9.0.0"))], { withdrawn: "2026-01-01T00:00:00Z" }),
  ],
});

test("K5: one vulnerability under several ids is one row, with everybody who found it", () => {
  const own = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad, { aliases: ["GHSA-1"] })] });
  const foreign = [theirs("grype", "1.3.0", "GHSA-1"), theirs("trivy", "1.3.0", "CVE-2026-0001")];
  expect(compareScans(own, foreign).findings).toEqual([
    {
      ...{ id: "CVE-2026-0001", aliases: ["GHSA-1"], package: "left-pad", version: "1.3.0" },
      ...{ foundBy: ["touchmark", "grype", "trivy"], why: "" },
    },
  ]);
});

test("K5: ids that only a third scanner knows to be the same bring two rows together", () => {
  const foreign = [
    theirs("a", "1.3.0", "GHSA-1"),
    theirs("b", "1.3.0", "CVE-2026-0001"),
    theirs("c", "1.3.0", "CVE-2026-0001", "GHSA-1"),
  ];
  const { findings } = compareScans(scanOf(), foreign);
  expect(findings.map(({ foundBy }) => foundBy)).toEqual([["a", "b", "c"]]);
});

test.each([
  ["catalogued as version 1.3.0", theirs("a", "1.0.0", "GHSA-1")],
  ["version 1.3.0 is in none of its ranges", theirs("a", "1.3.0", "GHSA-1")],
  ["the advisory is about other packages", theirs("a", "1.3.0", "CVE-2026-0002")],
  ["the advisory was withdrawn", theirs("a", "1.3.0", "CVE-2026-0003")],
  ["no advisory of that id in our data", theirs("a", "1.3.0", "CVE-2026-9999")],
])("K6: why we did not find it: %s", (reason, foreign) => {
  expect(compareScans(scanOf(), [foreign], data).findings[0]?.why).toBe(`touchmark: ${reason}`);
});

test("K6: without data, and where we did not judge, that is the reason; so is a package that we do not know", () => {
  const foreign = theirs("a", "1.3.0", "GHSA-1");
  const why = (own = scanOf(), database?: typeof data, scan = foreign) =>
    compareScans(own, [scan], database).findings[0]?.why;
  expect(why()).toBe("touchmark: no advisory data was there");
  const open = scanOf({ notEvaluated: [{ component: leftPad, reason: "no-version", message: "it has no version" }] });
  expect(why(open, data)).toBe("touchmark: not evaluated: it has no version");
  const elsewhere = readForeignScan(bytesOf(grypeResult));
  expect(why(scanOf(), data, elsewhere)).toBe("touchmark: no such package was catalogued");
});

test("K6: why they did not find it: not listed, another version, or judged otherwise", () => {
  const own = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad)] });
  const why = (scan: ForeignScan) => compareScans(own, [scan]).findings[0]?.why;
  expect(why({ tool: "a", packages: [], findings: [] })).toBe("a: does not list the package");
  expect(why(theirs("a", "1.2.9"))).toBe("a: lists it as version 1.2.9");
  expect(why(theirs("a", "1.3.0"))).toMatch(/^a: lists the package, and knows no such advisory/);
});

test("K7: who lists packages alone is not counted among those that did not find", () => {
  const own = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad)] });
  const { scanners, findings, packages } = compareScans(own, [readForeignScan(bytesOf(syftResult))]);
  expect(scanners).toEqual([
    { name: "touchmark", packages: 2, findings: 1 },
    { name: "syft", version: "1.52.0", packages: 1 },
  ]);
  expect(findings[0]).toMatchObject({ foundBy: ["touchmark"], why: "" });
  expect(packages.map((row) => [row.package, row.listedBy])).toEqual([
    ["left", ["syft"]],
    ["left-pad", ["touchmark"]],
    ["mocha", ["touchmark"]],
  ]);
});

test("K7: two results of one tool stand apart, and a tool that calls itself as we do is not taken for us", () => {
  const foreign = [theirs("touchmark", "1.3.0", "GHSA-1"), theirs("a", "1.3.0", "GHSA-1"), theirs("a", "1.3.0")];
  const { scanners, findings } = compareScans(scanOf(), foreign, data);
  expect(scanners.map(({ name }) => name)).toEqual(["touchmark", "touchmark (2)", "a", "a (2)"]);
  expect(findings[0]?.foundBy).toEqual(["touchmark (2)", "a"]);
  expect(findings[0]?.why).toContain("touchmark: version 1.3.0 is in none of its ranges; a (2): lists the package");
});

test("K7: a hundred thousand components of one name, and findings of each, are compared", () => {
  const { sbom } = scanOf();
  const [, one] = sbom.components;
  if (one === undefined) throw new TypeError("the fixture has components");
  const components = Array.from({ length: 100_000 }, (_, i) => ({ ...one, ref: `left-${i}`, version: `1.0.${i}` }));
  const scan = readForeignScan(bytesOf(trivyResult));
  const [finding] = scan.findings ?? [];
  if (finding === undefined) throw new TypeError("the fixture has findings");
  const findings = components.map(({ version }) => ({ ...finding, package: { ...finding.package, version } }));
  const own = scanOf({ sbom: { ...sbom, components: [...sbom.components, ...components] } });
  const compared = compareScans(own, [{ ...scan, packages: findings.map((each) => each.package), findings }], data);
  expect(compared.findings).toHaveLength(100_000);
});
