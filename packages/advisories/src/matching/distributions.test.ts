import { expect, test } from "vitest";
import { distributionEcosystems } from "./distributions.ts";
import { matchSbom } from "./match.ts";
import { memoryDatabase } from "./memory-database.ts";
import {
  advisory,
  affects,
  at,
  below,
  component,
  debian12,
  findingsOf,
  sbomOf,
  unevaluatedOf,
} from "./scene.fixture.ts";

const available = [
  "Debian:11",
  "Debian:12",
  "Debian:13",
  "Debian:sid",
  "Ubuntu:22.04:LTS",
  "Ubuntu:Pro:22.04:LTS",
  "Ubuntu:Pro:FIPS:22.04:LTS",
  "Ubuntu:23.10",
  "Alpine:v3.20",
  "Alpine:v3.2",
  "Alpine:edge",
  "Red Hat:enterprise_linux:9::baseos",
  "Red Hat:enterprise_linux:9::appstream",
  "Red Hat:enterprise_linux:8::baseos",
  "Red Hat:rhel_eus:9.2::baseos",
  "Red Hat:9",
  "Rocky Linux:9",
  "AlmaLinux:9",
  "Wolfi",
  "Chainguard",
  "SUSE:Linux Enterprise Server 15 SP5",
  "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
  "SUSE:Linux Enterprise Server 15 SP4",
  "openSUSE:Leap 15.5",
];

test.each([
  ["debian", "12", ["Debian:12"]],
  ["debian", "12.5", ["Debian:12"]],
  ["debian", "1", []],
  ["ubuntu", "22.04", ["Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS", "Ubuntu:Pro:FIPS:22.04:LTS"]],
  ["ubuntu", "23.10", ["Ubuntu:23.10"]],
  ["alpine", "3.20.3", ["Alpine:v3.20"]],
  ["alpine", "3.2.1", ["Alpine:v3.2"]],
  ["alpine", "3.21_alpha20240923", ["Alpine:edge"]],
  ["rhel", "9.4", ["Red Hat:9", "Red Hat:enterprise_linux:9::appstream", "Red Hat:enterprise_linux:9::baseos"]],
  ["centos", "8", ["Red Hat:enterprise_linux:8::baseos"]],
  ["rocky", "9.3", ["Rocky Linux:9"]],
  ["almalinux", "9.3", ["AlmaLinux:9"]],
  ["wolfi", "20230201", ["Wolfi", "Chainguard"]],
  ["sles", "15.5", ["SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"]],
  ["opensuse-leap", "15.5", ["openSUSE:Leap 15.5"]],
  ["arch", "", []],
  ["constructor", "1", []],
])("M8: %s %s is spoken of by %j", (id, version, expected) => {
  expect(distributionEcosystems({ id, version }, available)).toEqual(expected);
});

test("M8: a release without a number is known by its codename", () => {
  expect(distributionEcosystems({ id: "debian", version: "", codename: "trixie" }, available)).toEqual(["Debian:13"]);
  expect(distributionEcosystems({ id: "debian", version: "", codename: "sid" }, available)).toEqual(["Debian:sid"]);
});

const openssl = [
  advisory("DEBIAN-CVE-2024-1000", [affects("Debian:12", "openssl", below("3.0.14-1~deb12u1"))], {
    upstream: ["CVE-2024-1000"],
  }),
  advisory("DEBIAN-CVE-2024-2000", [affects("Debian:13", "openssl", below("3.3.0-1"))], {
    upstream: ["CVE-2024-2000"],
  }),
];

test("M8: a package of Debian is judged by its source package and version, in its release alone", () => {
  const packages = (version: string) => [
    component("deb", "libssl3", "3.0.13-1~deb12u1+b1", { sourcePackage: { name: "openssl", version } }),
  ];
  const inRelease = { distribution: debian12 };
  expect(findingsOf(sbomOf(packages("3.0.13-1~deb12u1"), inRelease), openssl)).toEqual([
    "CVE-2024-1000 libssl3@3.0.13-1~deb12u1+b1",
  ]);
  // The fix was backported: the version is below that of upstream's fix, and not affected.
  expect(findingsOf(sbomOf(packages("3.0.14-1~deb12u1"), inRelease), openssl)).toEqual([]);
  const buster = { distribution: { id: "debian", version: "10" } };
  expect(findingsOf(sbomOf(packages("1.1.1"), buster), openssl)).toEqual([]);
  expect(unevaluatedOf(sbomOf(packages("1.1.1"), buster), openssl)).toEqual([
    "ecosystem-without-data libssl3@3.0.13-1~deb12u1+b1",
  ]);
});

test("M8: a binary package that has the name of another source package is not that", () => {
  const sbom = sbomOf([component("deb", "openssl", "1.0", { sourcePackage: { name: "else", version: "1.0" } })], {
    distribution: debian12,
  });
  expect(findingsOf(sbom, openssl)).toEqual([]);
});

test("M8: distribution, source and epoch are read from package URLs of other tools", () => {
  const purl = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl";
  expect(findingsOf(sbomOf([component("deb", "libssl3", "3.0.11-1", { purl })]), openssl)).toHaveLength(1);
  const named = "pkg:deb/debian/libssl3@4.0?distro=debian-12&upstream=openssl%403.0.11-1";
  expect(findingsOf(sbomOf([component("deb", "libssl3", "4.0", { purl: named })]), openssl)).toHaveLength(1);
  const rpm = "pkg:rpm/rocky/bind@9.16-1.el9?epoch=32&distro=rocky-9";
  const bind = [advisory("RLSA-1", [affects("Rocky Linux:9", "bind", below("32:9.16-2.el9"))])];
  expect(findingsOf(sbomOf([component("rpm", "bind", "9.16-1.el9", { purl: rpm })]), bind)).toHaveLength(1);
  expect(findingsOf(sbomOf([component("rpm", "bind", "9.16-3.el9", { purl: rpm })]), bind)).toEqual([]);
});

test("M8: Alpine goes by origin, Red Hat by the packages that are installed", () => {
  const apk = component("apk", "libcrypto3", "3.3.0-r0", { sourcePackage: { name: "openssl", version: "3.3.0-r0" } });
  const alpine = [advisory("ALPINE-CVE-2024-1000", [affects("Alpine:v3.20", "openssl", below("3.3.1-r0"))])];
  expect(findingsOf(sbomOf([apk], { distribution: { id: "alpine", version: "3.20.3" } }), alpine)).toHaveLength(1);
  const rpm = component("rpm", "openssl-libs", "1:3.0.7-1.el9", {
    sourcePackage: { name: "openssl", version: "1:3.0.7-1.el9" },
  });
  const rhel = { distribution: { id: "rhel", version: "9.4" } };
  const binary = (name: string, isBinary: boolean) => [
    advisory("RHSA-1", [affects("Red Hat:9", name, below("1:3.0.7-2.el9"), isBinary ? { binary: true } : {})]),
  ];
  expect(findingsOf(sbomOf([rpm], rhel), binary("openssl-libs", true))).toHaveLength(1);
  expect(findingsOf(sbomOf([rpm], rhel), binary("openssl", true))).toEqual([]);
  expect(findingsOf(sbomOf([rpm], rhel), binary("openssl", false))).toHaveLength(1);
});

test("M8: what is not affected by the source's own word is no finding, whatever its other records say", () => {
  const sbom = sbomOf([component("deb", "bash", "5.0-1")], { distribution: debian12 });
  const affected = advisory("DSA-1", [affects("Debian:12", "bash", below("6.0-1"))], { upstream: ["CVE-2024-1000"] });
  const cleared = (source: string) =>
    advisory("TRACKER-1", [affects("Debian:12", "bash", [], { state: "not-affected" })], {
      upstream: ["CVE-2024-1000"],
      source,
    });
  expect(findingsOf(sbom, [affected, cleared("osv")])).toEqual([]);
  expect(findingsOf(sbom, [affected, cleared("another")])).toHaveLength(1);
});

test("M8: a record that says both of two products of a release is a finding", () => {
  const vex = advisory("CVE-2024-1000", [
    affects("Red Hat:enterprise_linux:9::baseos", "a", [], { state: "not-affected" }),
    affects("Red Hat:enterprise_linux:9::appstream", "a", [{ introduced: "0" }], { state: "not-fixed" }),
  ]);
  const sbom = sbomOf([component("rpm", "a", "1-1.el9")], { distribution: { id: "rhel", version: "9.4" } });
  expect(findingsOf(sbom, [vex])).toEqual(["CVE-2024-1000 a@1-1.el9"]);
});

test("M8: architectures count where the advisory names them", () => {
  const only = [advisory("A-1", [affects("Debian:12", "a", below("2"), { architectures: ["amd64"] })])];
  const on = (architecture: string) =>
    sbomOf([component("deb", "a", "1", { architecture })], { distribution: debian12 });
  expect(findingsOf(on("x86_64"), only)).toHaveLength(1);
  expect(findingsOf(on("arm64"), only)).toEqual([]);
});

test("M8: a fix for a stream of a module is none for another stream, nor for the package outside of modules", () => {
  const fixedIn = (version: string) => affects("Rocky Linux:8", "nodejs", below(version));
  const both = [advisory("RLSA-1", [fixedIn("1:16.20.2-1.module+el8.8.0+1"), fixedIn("1:18.17.1-1.module+el8.8.0+2")])];
  const on = (version: string) =>
    sbomOf([component("rpm", "nodejs", version)], { distribution: { id: "rocky", version: "8.8" } });
  expect(findingsOf(on("1:16.20.1-1.module+el8.8.0+0"), both)).toHaveLength(1);
  expect(findingsOf(on("1:16.20.2-1.module+el8.8.0+1"), both)).toEqual([]);
  expect(findingsOf(on("1:18.17.0-1.module+el8.8.0+0"), both)).toHaveLength(1);
  expect(findingsOf(on("1:14.0.0-1.el8"), both)).toEqual([]);
  expect(findingsOf(on("1:10.0.0-1.module+el8+1"), [advisory("RLSA-2", [fixedIn("1:16.20.2-1.el8")])])).toEqual([]);
  const unfixed = [advisory("RLSA-3", [affects("Rocky Linux:8", "nodejs", [{ introduced: "0" }])])];
  expect(findingsOf(on("1:16.20.2-1.module+el8.8.0+1"), unfixed)).toHaveLength(1);
});

test("M8: fixes of Ubuntu Pro count only where the open archive says nothing", () => {
  const sbom = sbomOf([component("deb", "a", "1.1")], { distribution: { id: "ubuntu", version: "22.04" } });
  const pro = affects("Ubuntu:Pro:22.04:LTS", "a", below("1.1+esm1"));
  expect(findingsOf(sbom, [advisory("UBUNTU-CVE-1", [pro])])).toHaveLength(1);
  expect(findingsOf(sbom, [advisory("UBUNTU-CVE-1", [affects("Ubuntu:22.04:LTS", "a", below("1.1")), pro])])).toEqual(
    [],
  );
});

test("M9: a bulletin about several vulnerabilities is a finding for each", () => {
  const dsa = advisory("DSA-5000-1", [affects("Debian:12", "a", below("2"))], {
    upstream: ["CVE-2024-2000", "CVE-2024-1000"],
  });
  const sbom = sbomOf([component("deb", "a", "1")], { distribution: debian12 });
  const { findings } = matchSbom(sbom, memoryDatabase({ advisories: [dsa] }), { at });
  expect(findings.map(({ id, aliases, evidence }) => [id, aliases, evidence[0]?.advisory])).toEqual([
    ["CVE-2024-1000", [], "DSA-5000-1"],
    ["CVE-2024-2000", [], "DSA-5000-1"],
  ]);
});

test("M11: without a fix the state is the source's word, or the end of the release", () => {
  const stateOf = (more: Parameters<typeof affects>[3], endsOfLife: Record<string, string> = {}) => {
    const advisories = [advisory("A-1", [affects("Debian:12", "a", [{ introduced: "0" }], more)])];
    const sbom = sbomOf([component("deb", "a", "1")], { distribution: debian12 });
    return matchSbom(sbom, memoryDatabase({ advisories, endsOfLife }), { at }).findings[0]?.fixState;
  };
  expect(stateOf({})).toBe("not-fixed");
  expect(stateOf({ state: "will-not-fix" })).toBe("will-not-fix");
  expect(stateOf({ state: "end-of-life" })).toBe("end-of-life");
  expect(stateOf({ state: "not-fixed" }, { "debian 12": "2026-05-01T00:00:00Z" })).toBe("end-of-life");
  expect(stateOf({ state: "not-fixed" }, { "debian 12": "2027-05-01T00:00:00Z" })).toBe("not-fixed");
});

test("M13: a language package that a system package owns is left to the distribution, where it has data", () => {
  const owned = component("pypi", "requests", "2.0.0", {
    properties: [{ name: "touchmark:owned-by", value: "python3-requests@2.0.0-1" }],
  });
  const owner = component("deb", "python3-requests", "2.0.0-1");
  const advisories = [
    advisory("PYSEC-1", [affects("PyPI", "requests", below("2.1.0"))]),
    advisory("DSA-1", [affects("Debian:12", "else", below("1"))]),
  ];
  const sbom = sbomOf([owned, owner], { distribution: debian12 });
  expect(findingsOf(sbom, advisories)).toEqual([]);
  expect(unevaluatedOf(sbom, advisories)).toEqual(["owned requests@2.0.0"]);
  const { findings } = matchSbom(sbom, memoryDatabase({ advisories }), { at, skipOwned: false });
  expect(findings).toHaveLength(1);
  expect(findingsOf(sbom, advisories.slice(0, 1))).toHaveLength(1);
  // Something else than a system package cannot hide a component.
  const hidden = { ...owned, properties: [{ name: "touchmark:owned-by", value: "liar@1" }] };
  expect(findingsOf(sbomOf([hidden, component("npm", "liar", "1")]), advisories)).toHaveLength(1);
});
