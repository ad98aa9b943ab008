import { expect, test } from "vitest";
import { matchSbom } from "./match.ts";
import { memoryDatabase } from "./memory-database.ts";
import {
  advisory,
  affects,
  at,
  below,
  component,
  critical,
  findingsOf,
  high,
  sbomOf,
  unevaluatedOf,
} from "./scene.fixture.ts";

test("M7: a component is asked for in its own ecosystem alone", () => {
  const advisories = [
    advisory("GHSA-npm", [affects("npm", "request", below("2.0.0"))]),
    advisory("PYSEC-1", [affects("PyPI", "request", below("2.0.0"))]),
  ];
  expect(findingsOf(sbomOf([component("pypi", "request", "1.0.0")]), advisories)).toEqual(["PYSEC-1 request@1.0.0"]);
  expect(findingsOf(sbomOf([component("cargo", "request", "1.0.0")]), advisories)).toEqual([]);
});

test.each([
  ["pypi", "Flask_Login.x", "PyPI", "flask-login-x", undefined],
  ["nuget", "Newtonsoft.Json", "NuGet", "newtonsoft.json", undefined],
  ["composer", "Symfony/Http-Kernel", "Packagist", "symfony/http-kernel", undefined],
  [
    "golang",
    "github.com/burntsushi/toml",
    "Go",
    "github.com/BurntSushi/toml",
    "pkg:golang/github.com/burntsushi/toml@1.0.0",
  ],
  ["maven", "org.a:b", "Maven", "org.a:b", "pkg:maven/org.a/b@1.0.0"],
  ["npm", "@s/n", "npm", "@s/n", "pkg:npm/%40s/n@1.0.0"],
  ["npm", "alias", "npm", "real", "pkg:npm/real@1.0.0"],
  ["gem", "rails", "RubyGems", "rails", undefined],
  ["hex", "Plug", "Hex", "plug", undefined],
])("M7: %s %s is %s %s", (type, name, ecosystem, listed, purl) => {
  const advisories = [advisory("A-1", [affects(ecosystem, listed, below("2.0.0"))])];
  const sbom = sbomOf([component(type, name, "1.0.0", purl === undefined ? {} : { purl })]);
  expect(findingsOf(sbom, advisories)).toHaveLength(1);
});

test("M7: a project under work is not the package of the same name; a program that was installed is", () => {
  const advisories = [advisory("MAL-1", [affects("npm", "api", [{ introduced: "0" }])])];
  const project = component("npm", "api", "1.0.0", { kind: "application" });
  expect(findingsOf(sbomOf([project]), advisories)).toEqual([]);
  expect(findingsOf(sbomOf([{ ...project, purl: "pkg:npm/api@1.0.0" }]), advisories)).toHaveLength(1);
  const named = (rule: string) =>
    component("golang", "example.com/a", "", {
      kind: "application",
      purl: "pkg:golang/example.com/a",
      occurrences: [{ path: "a", rule }],
    });
  expect(unevaluatedOf(sbomOf([named("go-mod")]), advisories)).toEqual([]);
  expect(unevaluatedOf(sbomOf([named("go-build-info")]), advisories)).toEqual(["no-version example.com/a@"]);
});

test("M7: names of npm keep their case, and a broken package URL leaves the name", () => {
  const advisories = [advisory("A-1", [affects("npm", "JSONStream", below("2.0.0"))])];
  expect(findingsOf(sbomOf([component("npm", "jsonstream", "1.0.0")]), advisories)).toEqual([]);
  expect(findingsOf(sbomOf([component("npm", "JSONStream", "1.0.0", { purl: "no url" })]), advisories)).toHaveLength(1);
});

test("M7: a document that names two versions of a component is judged by both", () => {
  const advisories = [advisory("A-1", [affects("npm", "a", below("2.0.0"))])];
  const lying = (version: string, purl: string) =>
    findingsOf(sbomOf([component("npm", "a", version, { purl })]), advisories);
  expect(lying("9.0.0", "pkg:npm/a@1.0.0")).toEqual(["A-1 a@9.0.0"]);
  expect(lying("1.0.0", "pkg:npm/a@9.0.0")).toEqual(["A-1 a@1.0.0"]);
  expect(lying("", "pkg:npm/a@1.0.0")).toEqual(["A-1 a@"]);
  expect(lying("9.0.0", "pkg:npm/a")).toEqual([]);
});

test("M9: advisories that share an id or an alias are one finding, under the CVE id", () => {
  const affected = [affects("PyPI", "a", below("2.0.0"))];
  const advisories = [
    advisory("PYSEC-2024-1", affected, { aliases: ["CVE-2024-1000"] }),
    advisory("GHSA-aaaa-bbbb-cccc", affected, { aliases: ["CVE-2024-1000", "SNYK-1"], source: "github" }),
    advisory("GHSA-xxxx", [affects("PyPI", "a", below("3.0.0"))]),
  ];
  const { findings } = matchSbom(sbomOf([component("pypi", "a", "1.0")]), memoryDatabase({ advisories }), { at });
  expect(findings.map(({ id, aliases }) => [id, aliases])).toEqual([
    ["CVE-2024-1000", ["GHSA-aaaa-bbbb-cccc", "PYSEC-2024-1", "SNYK-1"]],
    ["GHSA-xxxx", []],
  ]);
  expect(findings[0]?.evidence.map(({ source, advisory: id }) => `${source} ${id}`)).toEqual([
    "github GHSA-aaaa-bbbb-cccc",
    "osv PYSEC-2024-1",
  ]);
});

test("M9: aliases chain, and no two findings of a component share an id", () => {
  const affected = [affects("npm", "a", below("2.0.0"))];
  const advisories = [
    advisory("X-1", affected, { aliases: ["Y-1"] }),
    advisory("Z-1", affected, { aliases: ["W-1"] }),
    advisory("W-1", affected, { aliases: ["Y-1"] }),
  ];
  expect(findingsOf(sbomOf([component("npm", "a", "1.0.0")]), advisories)).toEqual(["W-1 a@1.0.0"]);
});

test("M10: an advisory that is withdrawn by then says nothing, one that will be does", () => {
  const withdrawn = (time: string) =>
    findingsOf(sbomOf([component("npm", "a", "1.0.0")]), [
      advisory("A-1", [affects("npm", "a", below("2.0.0"))], { withdrawn: time }),
    ]);
  expect(withdrawn("2026-05-31T00:00:00Z")).toEqual([]);
  expect(withdrawn("2026-06-02T00:00:00Z")).toHaveLength(1);
});

test("M5: severity is the worst that the advisories say, the newest kind of score of each, others beside it", () => {
  const affected = [affects("npm", "a", below("2.0.0"))];
  const v4 = { type: "CVSS_V4", value: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N" } as const;
  const advisories = [
    advisory("A-1", affected, { aliases: ["CVE-2024-1000"], severities: [critical, v4] }),
    advisory("B-1", affected, { aliases: ["CVE-2024-1000"], severities: [high] }),
  ];
  const { findings } = matchSbom(sbomOf([component("npm", "a", "1.0.0")]), memoryDatabase({ advisories }), { at });
  expect(findings[0]?.severity).toMatchObject({ class: "high", score: 8.7, from: "osv A-1" });
  expect(findings[0]?.otherSeverities).toEqual([{ class: "high", score: 7.5, vector: high.value, from: "osv B-1" }]);
});

test("M5: what no advisory scored is asked of other records of the vulnerability, and else unscored", () => {
  const unscored = advisory("A-1", [affects("npm", "a", below("2.0.0"))], { aliases: ["CVE-2024-1000"] });
  const record = advisory("CVE-2024-1000", [affects("Go", "b", below("2.0.0"))], { severities: [critical] });
  const sbom = sbomOf([component("npm", "a", "1.0.0")]);
  const classOf = (advisories: Parameters<typeof findingsOf>[1]) =>
    matchSbom(sbom, memoryDatabase({ advisories }), { at }).findings[0]?.severity;
  expect(classOf([unscored])).toEqual({ class: "unscored", from: "none" });
  expect(classOf([unscored, record])).toMatchObject({ class: "critical", from: "osv CVE-2024-1000" });
});

test("M13: what nothing is known of is named with its reason", () => {
  const advisories = [
    advisory("A-1", [affects("npm", "a", below("2.0.0"))]),
    advisory("A-2", [{ ...affects("npm", "g", []), ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] }]),
    advisory("A-3", [affects("npm", "r", [{ introduced: "?" }])]),
  ];
  const sbom = sbomOf([
    component("generic", "busybox", "1.36", { kind: "application", purl: "pkg:generic/busybox@1.36" }),
    component("npm", "a", "git+https://example.com/a#main"),
    component("npm", "b", ""),
    component("npm", "g", "1.0.0"),
    component("npm", "r", "1.0.0"),
    component("cargo", "c", "1.0.0"),
    component("deb", "d", "1.0"),
    component("npm", "project", "", { kind: "application" }),
    component("generic", "etc/passwd", "", { kind: "file" }),
    // No advisory names the package, so that its version does not matter.
    component("npm", "unknown", "main"),
  ]);
  expect(unevaluatedOf(sbom, advisories)).toEqual([
    "no-ecosystem busybox@1.36",
    "version-unreadable a@git+https://example.com/a#main",
    "no-version b@",
    "git-range g@1.0.0",
    "range-unreadable r@1.0.0",
    "ecosystem-without-data c@1.0.0",
    "no-distribution d@1.0",
  ]);
});

test("M13: an SBOM is matched for a time that is one", () => {
  const database = memoryDatabase({ advisories: [] });
  expect(() => matchSbom(sbomOf([]), database, { at: "yesterday" })).toThrow(
    expect.objectContaining({ code: "MATCH_TIME_INVALID" }),
  );
});

test("M16: exploitation comes from the feeds, by the CVE", () => {
  const epss = { probability: 0.9, percentile: 0.99, date: "2026-05-30" };
  const knownExploited = { added: "2026-05-01", ransomware: true };
  const database = memoryDatabase({
    advisories: [advisory("A-1", [affects("npm", "a", below("2.0.0"))], { aliases: ["CVE-2024-1000"] })],
    exploitations: { "CVE-2024-1000": { epss, knownExploited } },
  });
  const { findings } = matchSbom(sbomOf([component("npm", "a", "1.0.0")]), database, { at });
  expect(findings[0]).toMatchObject({ epss, knownExploited });
});

test("M16: the order of advisories changes nothing", () => {
  const advisories = Array.from({ length: 12 }, (_, i) =>
    advisory(`GHSA-${i}`, [affects("npm", `p${i % 3}`, below(`2.0.${i}`))], {
      aliases: [`CVE-2024-${1000 + (i % 5)}`],
      severities: i % 2 === 0 ? [critical] : [high],
    }),
  );
  const sbom = sbomOf([0, 1, 2].map((i) => component("npm", `p${i}`, "1.0.0")));
  const one = matchSbom(sbom, memoryDatabase({ advisories }), { at });
  const other = matchSbom(sbom, memoryDatabase({ advisories: [...advisories].reverse() }), { at });
  expect(other).toEqual(one);
  expect(one.findings.map(({ severity }) => severity.class)).toEqual(
    [...one.findings].map(({ severity }) => severity.class).sort(),
  );
});
