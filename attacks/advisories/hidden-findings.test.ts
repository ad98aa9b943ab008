import { type Advisory, matchSbom, memoryDatabase } from "@touchmark/advisories";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import { expect, test } from "vitest";

const at = "2026-06-01T00:00:00Z";

function component(name: string, version: string, more: Partial<Component> = {}): Component {
  return {
    ref: name,
    kind: "library",
    name,
    version,
    type: "npm",
    scope: "runtime",
    hashes: [],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [],
    properties: [],
    ...more,
  };
}

function sbom(components: readonly Component[], more: Partial<Sbom> = {}): Sbom {
  const root = component("root", "", { type: "generic", kind: "application" });
  const dependencies = [{ from: "root", to: components.map(({ ref }) => ref) }];
  const subject = { kind: "directory", name: "root" } as const;
  return {
    subject,
    root: "root",
    components: [root, ...components],
    dependencies,
    layers: [],
    losses: [],
    tools: [],
    ...more,
  };
}

function advisory(id: string, more: Partial<Advisory> = {}): Advisory {
  const events = [{ introduced: "0" }, { fixed: "1.2.3" }];
  return {
    id,
    source: "osv",
    digest: id,
    aliases: [],
    upstream: [],
    related: [],
    modified: at,
    summary: "",
    severities: [{ type: "CVSS_V3", value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
    cwes: [],
    references: [],
    affected: [
      { ecosystem: "npm", name: "victim", ranges: [{ type: "SEMVER", events }], versions: [], severities: [] },
    ],
    ...more,
  };
}

/** Ids of findings, and reasons of what was not evaluated. */
function said(components: readonly Component[], advisories: readonly Advisory[], more: Partial<Sbom> = {}) {
  const found = matchSbom(sbom(components, more), memoryDatabase({ advisories }), { at });
  return [...found.findings.map(({ id }) => id), ...found.notEvaluated.map(({ reason }) => reason)];
}

const honest = [advisory("CVE-2026-1000")];

test("M7: the harness finds what an honest SBOM has", () => {
  expect(said([component("victim", "1.2.2")], honest)).toEqual(["CVE-2026-1000"]);
  expect(said([component("victim", "1.2.3")], honest)).toEqual([]);
});

test("M7: a renamed package is found by its package URL", () => {
  expect(said([component("harmless", "1.2.2", { purl: "pkg:npm/victim@1.2.2" })], honest)).toEqual(["CVE-2026-1000"]);
});

test.each([" 1.2.2", "v1.2.2", "=1.2.2", "1.2.2+9.9.9", "1.2.3-zzz", "01.02.02", "1.2.2\n"])(
  "M3: the version %j hides nothing",
  (version) => {
    expect(said([component("victim", version)], honest)).toEqual(["CVE-2026-1000"]);
  },
);

test.each(["", "latest", "1.2.2 || 9", "9.9.9\u200b", "١.٢.٢", "9".repeat(600)])(
  "M13: the version %j is no version, and the component is said not to be evaluated",
  (version) => {
    expect(said([component("victim", version)], honest)[0]).toMatch(/^(?:no-version|version-unreadable)$/);
  },
);

test("M10: a withdrawal in the future withdraws nothing", () => {
  expect(
    said([component("victim", "1.0.0")], [advisory("CVE-2026-1000", { withdrawn: "2099-01-01T00:00:00Z" })]),
  ).toEqual(["CVE-2026-1000"]);
});

test("M8: what another source calls not affected does not silence a source", () => {
  const cleared = advisory("X-1", {
    source: "friendly",
    aliases: ["CVE-2026-1000"],
    affected: [{ ecosystem: "npm", name: "victim", ranges: [], versions: [], severities: [], state: "not-affected" }],
  });
  expect(said([component("victim", "1.0.0")], [...honest, cleared])).toEqual(["CVE-2026-1000"]);
});

test("M5: a second, milder or broken severity makes nothing milder", () => {
  const mild = { type: "CVSS_V3", value: "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L" } as const;
  const broken = { type: "CVSS_V3", value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N/A:N" } as const;
  const others = [
    advisory("X-1", { source: "friendly", aliases: ["CVE-2026-1000"], severities: [mild] }),
    advisory("X-2", { source: "broken", aliases: ["CVE-2026-1000"], severities: [broken] }),
  ];
  const database = memoryDatabase({ advisories: [...honest, ...others] });
  const { findings } = matchSbom(sbom([component("victim", "1.0.0")]), database, { at });
  expect(findings.map(({ severity }) => severity.class)).toEqual(["critical"]);
});

test("M13: a claim to belong to a system package hides nothing where the distribution says nothing", () => {
  const owned = component("victim", "1.0.0", { properties: [{ name: "touchmark:owned-by", value: "owner" }] });
  const owner = component("owner", "1.0-1", { type: "deb" });
  const distribution = { id: "debian", version: "99" };
  expect(said([owned, owner], honest, { distribution })).toContain("CVE-2026-1000");
});

test("M8: an SBOM that names a release without data is not clean, but not evaluated", () => {
  const deb = component("victim", "1.0-1", { type: "deb" });
  expect(said([deb], honest, { distribution: { id: "debian", version: "12" } })).toEqual(["ecosystem-without-data"]);
  expect(said([deb], honest)).toEqual(["no-distribution"]);
});

test("M9: an advisory that claims the ids of others takes no finding away", () => {
  const other = advisory("CVE-2026-2000", {
    affected: [
      {
        ecosystem: "npm",
        name: "second",
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }],
        versions: [],
        severities: [],
      },
    ],
  });
  const claiming = advisory("X-1", { aliases: ["CVE-2026-1000", "CVE-2026-2000"] });
  const components = [component("victim", "1.0.0"), component("second", "1.0.0")];
  const { findings } = matchSbom(sbom(components), memoryDatabase({ advisories: [...honest, other, claiming] }), {
    at,
  });
  expect(findings.map(({ component: ref, evidence }) => [ref, evidence.map((each) => each.advisory)])).toEqual([
    ["victim", ["CVE-2026-1000", "X-1"]],
    ["second", ["CVE-2026-2000"]],
  ]);
});
