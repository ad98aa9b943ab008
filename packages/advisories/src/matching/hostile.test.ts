import type { Component } from "@touchmark/formats/sbom";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RangeEvent } from "../advisory.ts";
import { matchSbom } from "./match.ts";
import { memoryDatabase } from "./memory-database.ts";
import { advisory, affects, at, below, component, findingsOf, sbomOf } from "./scene.fixture.ts";

const word = fc.oneof(
  fc.constantFrom("a", "__proto__", "constructor", "1.0.0", "1:2-3", "", "\u0000", "pkg:npm/a@1", "npm", "Debian:12"),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const event: fc.Arbitrary<RangeEvent> = fc.oneof(
  word.map((introduced) => ({ introduced })),
  word.map((fixed) => ({ fixed })),
  word.map((last) => ({ last_affected: last })),
  word.map((limit) => ({ limit })),
);
const ecosystem = fc.constantFrom(
  "npm",
  "PyPI",
  "Maven",
  "Debian:12",
  "Alpine:v3.20",
  "Red Hat:9",
  "OSS-Fuzz",
  "__proto__",
);
const affected = fc.record({
  ecosystem,
  name: word,
  ranges: fc.array(
    fc.record({ type: fc.constantFrom("SEMVER", "ECOSYSTEM", "GIT"), events: fc.array(event, { maxLength: 5 }) }),
    {
      maxLength: 3,
    },
  ),
  versions: fc.array(word, { maxLength: 3 }),
  severities: fc.array(fc.record({ type: fc.constantFrom("CVSS_V2", "CVSS_V3", "CVSS_V4", "words"), value: word }), {
    maxLength: 2,
  }),
});
const hostile: fc.Arbitrary<Component> = fc
  .record({
    type: fc.constantFrom("npm", "pypi", "maven", "deb", "apk", "rpm", "x"),
    name: word,
    version: word,
    purl: word,
  })
  .map(({ type, name, version, purl }) => component(type, name, version, { purl, ref: `${type} ${name} ${version}` }));

test("M15: any SBOM and any advisories are matched, and a good advisory beside them is found", () => {
  const good = advisory("GOOD-1", [affects("npm", "good", below("2.0.0"))]);
  const run = fc.property(
    fc.array(hostile, { maxLength: 6 }),
    fc.array(fc.tuple(word, fc.array(affected, { maxLength: 3 }), word), { maxLength: 6 }),
    fc.constantFrom("debian 12", "alpine 3.20", "rhel 9", "__proto__ 1"),
    (components, records, release) => {
      const [id = "", version = ""] = release.split(" ");
      const advisories = [
        ...records.map(([name, list, alias]) =>
          advisory(name, list, { aliases: [alias], withdrawn: alias, published: name }),
        ),
        good,
      ];
      const sbom = sbomOf([...components, component("npm", "good", "1.0.0")], { distribution: { id, version } });
      const { findings, notEvaluated } = matchSbom(sbom, memoryDatabase({ advisories }), { at });
      expect(findings.some(({ evidence }) => evidence.some((each) => each.advisory === "GOOD-1"))).toBe(true);
      for (const { evidence } of findings) expect(evidence.length).toBeGreaterThan(0);
      for (const { reason } of notEvaluated) expect(reason).toMatch(/^[a-z-]+$/);
    },
  );
  fc.assert(run, { numRuns: 600 });
});

test("M15: an advisory with 20,000 events and one with 20,000 versions are judged", () => {
  const events = Array.from({ length: 20_000 }, (_, i) =>
    i % 2 === 0 ? { introduced: `1.${i}.0` } : { fixed: `1.${i}.0` },
  );
  const versions = Array.from({ length: 20_000 }, (_, i) => `3.${i}.0`);
  const advisories = [
    advisory("A-1", [affects("npm", "a", events)]),
    advisory("A-2", [affects("npm", "b", [], { versions })]),
  ];
  const sbom = sbomOf([component("npm", "a", "1.10000.5"), component("npm", "b", "3.19999.0")]);
  expect(findingsOf(sbom, advisories)).toEqual(["A-1 a@1.10000.5", "A-2 b@3.19999.0"]);
});

test("M15: 10,000 advisories that are aliases of each other are one finding", () => {
  const advisories = Array.from({ length: 10_000 }, (_, i) =>
    advisory(`X-${i}`, [affects("npm", "a", below("2.0.0"))], { aliases: [`X-${(i * 7919) % 10_000}`, `X-${i + 1}`] }),
  );
  const { findings } = matchSbom(sbomOf([component("npm", "a", "1.0.0")]), memoryDatabase({ advisories }), { at });
  expect(findings.map(({ evidence }) => evidence.length)).toEqual([10_000]);
});

test("M15: a bulletin about 5,000 vulnerabilities is 5,000 findings", () => {
  const upstream = Array.from({ length: 5000 }, (_, i) => `CVE-2024-${10_000 + i}`);
  const advisories = [advisory("RHSA-1", [affects("Debian:12", "a", below("2"))], { upstream })];
  const sbom = sbomOf([component("deb", "a", "1")], { distribution: { id: "debian", version: "12" } });
  expect(findingsOf(sbom, advisories)).toHaveLength(5000);
});
