import fc from "fast-check";
import { expect, test } from "vitest";
import { compileFiles } from "../database/source.fixture.ts";
import { jsonMembers } from "./json-pieces.ts";

const everything = [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }];
const until = (fixed: string) => [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }];

const tracker = {
  openssl: {
    "CVE-2026-1": {
      description: "A flaw.",
      releases: {
        bookworm: { status: "resolved", fixed_version: "3.0.1-1+deb12u1", urgency: "high**" },
        trixie: { status: "resolved", fixed_version: "0", urgency: "unimportant" },
        bullseye: { status: "open", urgency: "end-of-life" },
        sid: { status: "open", urgency: "not yet assigned", nodsa_reason: "ignored" },
      },
    },
  },
  openssl1: {
    "CVE-2026-1": { releases: { bookworm: { status: "undetermined", urgency: "low" } } },
    "TEMP-0000001-ABCDEF": { releases: { bookworm: { status: "open", urgency: "medium" } } },
  },
};

test("D7: Debian's tracker: source packages of a release, fixed, not affected, open, ignored, at its end, undetermined", async () => {
  const { database, part } = await compileFiles("debian-tracker", { "tracker.json": tracker });
  expect(part).toMatchObject({ advisories: 2, losses: { count: 0 } });
  expect(part.newest).toBeUndefined();
  const [advisory] = database.lookup("Debian:12", "openssl");
  expect(advisory).toMatchObject({ id: "CVE-2026-1", summary: "A flaw." });
  const said = advisory?.affected.map(({ ecosystem, name, state, ranges, severities }) => [
    ...[ecosystem, name, state, ranges],
    severities[0]?.value,
  ]);
  expect(said).toEqual([
    ["Debian:12", "openssl", "fixed", until("3.0.1-1+deb12u1"), "HIGH"],
    ["Debian:13", "openssl", "not-affected", [], "UNIMPORTANT"],
    ["Debian:11", "openssl", "end-of-life", everything, undefined],
    ["Debian:sid", "openssl", "will-not-fix", everything, undefined],
    ["Debian:12", "openssl1", "unknown", everything, "LOW"],
  ]);
});

test("D7: of a tracker that is cut, or wrong in one place, the rest is read and the loss is named", async () => {
  const text = JSON.stringify({ ...tracker, wrong: { "CVE-2026-3": { releases: { bookworm: { status: "?" } } } } });
  const whole = await compileFiles("debian-tracker", { "tracker.json": text });
  expect(whole.part.losses.named).toMatchObject([
    { path: "tracker.json#wrong/CVE-2026-3", code: "ADVISORY_MALFORMED" },
  ]);
  const cut = await compileFiles("debian-tracker", { "tracker.json": text.slice(0, text.indexOf('"TEMP')) });
  expect(cut.part.losses.named).toMatchObject([{ path: "tracker.json", code: "ADVISORY_MALFORMED" }]);
  expect(cut.database.lookup("Debian:12", "openssl")).toHaveLength(1);
});

test("D7: members of any JSON object come with their values; any cut of it is refused", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 }), fc.nat(), (object, at) => {
      const text = JSON.stringify(object, undefined, at % 3);
      const bytes = Buffer.from(text);
      const members = [...jsonMembers(bytes)].map(([key, value]) => [key, JSON.parse(Buffer.from(value).toString())]);
      expect(members).toEqual(Object.entries(JSON.parse(text) as object));
      const cut = bytes.subarray(0, at % bytes.length);
      expect(() => [...jsonMembers(cut)]).toThrow(expect.objectContaining({ code: "ADVISORY_MALFORMED" }));
    }),
  );
});

const secdb = (distroversion: string, secfixes: unknown) => ({
  ...{ distroversion, reponame: "main", archs: ["x86_64"] },
  packages: [{ pkg: { name: "busybox", secfixes } }, { pkg: { name: "quiet", secfixes: {} } }],
});

test("D8: Alpine's secdb: origins of a release, fixed below a version, never affected, with other names", async () => {
  const { database, part } = await compileFiles("alpine-secdb", {
    "v3.20/main.json": secdb("v3.20", { "1.36.1-r29": ["CVE-2023-42366 GHSA-aaaa-bbbb-cccc"], 0: ["CVE-2022-0001"] }),
    "v3.21/main.json": secdb("v3.21", { "1.37.0-r1": ["CVE-2023-42366 (+ fix)"], "1.0-r0": ["???"] }),
    "v3.22/main.json": secdb("v3.22", { "1.37.0-r9": ["CVE-2023-42366"] }),
  });
  expect(part.losses).toMatchObject({ count: 1, named: [{ path: "v3.21/main.json#0", code: "ADVISORY_MALFORMED" }] });
  const [found] = database.find("GHSA-aaaa-bbbb-cccc");
  expect(found?.id).toBe("CVE-2023-42366");
  expect(found?.affected.map(({ ecosystem, name, ranges }) => [ecosystem, name, ranges])).toEqual([
    ["Alpine:v3.20", "busybox", until("1.36.1-r29")],
    ["Alpine:v3.21", "busybox", until("1.37.0-r1")],
    ["Alpine:v3.22", "busybox", until("1.37.0-r9")],
  ]);
  expect(database.find("CVE-2022-0001")[0]?.affected[0]).toMatchObject({ state: "not-affected", ranges: [] });
});

const oval = (definitions: string) => `<?xml version="1.0"?>
<oval_definitions xmlns:oval="o" xmlns:linux="l">
<generator><oval:timestamp>2026-01-20T10:00:00</oval:timestamp></generator>
<definitions>${definitions}</definitions>
<tests>
<linux:dpkginfo_test id="tst:1"><linux:object object_ref="obj:1"/><linux:state state_ref="ste:1"/></linux:dpkginfo_test>
<linux:dpkginfo_test id="tst:2"><linux:object object_ref="obj:2"/><linux:state state_ref="ste:1"/></linux:dpkginfo_test>
</tests>
<objects>
<linux:dpkginfo_object id="obj:1"><linux:name var_ref="var:1" var_check="at least one"/></linux:dpkginfo_object>
<linux:dpkginfo_object id="obj:2"><linux:name>sudo-ldap</linux:name></linux:dpkginfo_object>
</objects>
<states><linux:dpkginfo_state id="ste:1"><linux:evr operation="less than">0:1.9.9-1ubuntu2.1</linux:evr></linux:dpkginfo_state></states>
<variables><constant_variable id="var:1"><value>sudo</value><value>sudo-bin</value></constant_variable></variables>
</oval_definitions>`;
const definition = (kind: string, references: string, criteria: string) =>
  `<definition id="def:1" class="${kind}"><metadata><title>CVE-2026-1 on Ubuntu 22.04 LTS (jammy) - high</title>
<affected><platform>Ubuntu 22.04 LTS</platform></affected>${references}<description>A flaw.</description>
<advisory><severity>High</severity><public_date>2026-01-02 00:00:00 UTC</public_date></advisory></metadata>
<criteria>${criteria}<criteria><criterion test_ref="tst:2" comment="other" negate="true"/></criteria></criteria></definition>`;
const cve = '<reference source="CVE" ref_id="CVE-2026-1" ref_url="https://example.test/CVE-2026-1"/>';

test("D10: Ubuntu's OVAL: source packages by their sentences, binary packages by their tests, notices with their CVEs", async () => {
  const said = (words: string) => `<criterion test_ref="tst:1" comment="${words}"/>`;
  const vulnerability = definition(
    "vulnerability",
    cve,
    [
      said("sudo package in jammy was vulnerable but has been fixed (note: '1.9.9-1ubuntu2.1')."),
      said("nosudo package in jammy is affected and needs fixing."),
      said("'oldsudo' package in jammy, is related to the CVE in some way"),
    ].join(""),
  ).replace("2026-01-02 00:00:00 UTC", "2026-01-02T00:00:00Z");
  const notice = definition(
    "patch",
    `<reference source="USN" ref_id="USN-1-1"/>${cve}`,
    '<criterion test_ref="tst:1" comment="Long Term Support"/><criterion test_ref="tst:2" comment="Long Term Support"/>',
  ).replace("2026-01-02 00:00:00 UTC", "2026-01-02");
  const { database, part } = await compileFiles("ubuntu-oval", {
    "jammy.cve.oval.xml": oval(vulnerability),
    "jammy.usn.oval.xml": oval(notice),
    "bomb.xml": '<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>',
  });
  expect(part).toMatchObject({ advisories: 2, newest: "2026-01-20T10:00:00Z", losses: { count: 1 } });
  const affected = (id: string) =>
    database.find(id)[0]?.affected.map(({ name, binary, state, ranges }) => [name, binary ?? false, state, ranges]);
  expect(affected("CVE-2026-1")).toEqual([
    ["sudo", false, "fixed", until("1.9.9-1ubuntu2.1")],
    ["nosudo", false, "not-fixed", everything],
    ["oldsudo", false, "unknown", everything],
  ]);
  expect(affected("USN-1-1")).toEqual([
    ["sudo", true, "fixed", until("1.9.9-1ubuntu2.1")],
    ["sudo-bin", true, "fixed", until("1.9.9-1ubuntu2.1")],
    ["sudo-ldap", true, "fixed", until("1.9.9-1ubuntu2.1")],
  ]);
  expect(database.find("USN-1-1")[0]).toMatchObject({ upstream: ["CVE-2026-1"] });
  expect(database.lookup("Ubuntu:22.04:LTS", "sudo")).toHaveLength(2);
});
