import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileDatabase } from "../database/compile.ts";
import { openAdvisoryDatabase } from "../database/open.ts";
import { compileFiles, scratchDirectory, testClock, writeFiles } from "../database/source.fixture.ts";
import { csvRecords } from "./csv.ts";

const kev = {
  dateReleased: "2026-01-30T17:04:19.9796Z",
  vulnerabilities: [
    { cveID: "CVE-2021-44228", dateAdded: "2021-12-10", dueDate: "2021-12-24", knownRansomwareCampaignUse: "Known" },
    { cveID: "CVE-1", dateAdded: "2021-12-10" },
  ],
};
const epss = `#model_version:v2025.03.14,score_date:2026-01-31T12:55:00Z
cve,epss,percentile
CVE-2021-44228,0.94358,0.99956
CVE-2021-44229,1.5,0.5
CVE-2021-44230,1e-05,0.01
`;

test("D11: what is known to be exploited, and how likely, is told by CVE, with the feeds' own dates", async () => {
  const directory = scratchDirectory();
  const path = writeFiles(directory, { "kev.json": kev, "kev_schema.json": {}, "epss.csv.gz": gzipSync(epss) });
  const compiled = await compileDatabase({
    sources: [
      { name: "kev", kind: "kev", path: `${path}/kev.json` },
      { name: "epss", kind: "epss", path: `${path}/epss.csv.gz` },
    ],
    directory: `${path}/out`,
    clock: testClock,
  });
  const database = openAdvisoryDatabase(compiled.path);
  expect(database.exploitation("cve-2021-44228")).toEqual({
    epss: { probability: 0.94358, percentile: 0.99956, date: "2026-01-31T12:55:00Z" },
    knownExploited: { added: "2021-12-10T00:00:00Z", due: "2021-12-24T00:00:00Z", ransomware: true },
  });
  expect(database.exploitation("CVE-2021-44230")?.epss?.probability).toBe(0.00001);
  expect(database.exploitation("CVE-2021-44229")).toBeUndefined();
  const facts = compiled.footer.sources.map(({ name, newest, losses }) => [name, newest, losses.count]);
  expect(facts).toEqual([
    ["epss", "2026-01-31T12:55:00Z", 1],
    ["kev", "2026-01-30T17:04:19Z", 1],
  ]);
  database.close();
});

test("D11: the catalogue as CSV says the same as JSON", async () => {
  const csv =
    'cveID,notes,dateAdded,dueDate,knownRansomwareCampaignUse\nCVE-2021-44228,"a, ""b""\nc",2021-12-10,,Unknown\n';
  const { database } = await compileFiles("kev", { "kev.csv": csv });
  expect(database.exploitation("CVE-2021-44228")).toEqual({
    knownExploited: { added: "2021-12-10T00:00:00Z", ransomware: false },
  });
});

test("D11: any table that is written as CSV is read as it was; a quote that never ends is refused", () => {
  const cell = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const quoted = rows.map((row) => row.map((each) => `"${each.replaceAll('"', '""')}"`).join(","));
      const read = csvRecords(Buffer.from(`a,b,c\n${quoted.join("\r\n")}\n`));
      expect(read.map((each) => Object.values(each))).toEqual(
        rows.map((row) => row.map((each) => each.toWellFormed())),
      );
    }),
  );
  expect(() => csvRecords(Buffer.from('a,b\n"x'))).toThrow(expect.objectContaining({ code: "ADVISORY_MALFORMED" }));
  expect(() => csvRecords(Buffer.from('a,b\n"x"y'))).toThrow(expect.objectContaining({ code: "ADVISORY_MALFORMED" }));
});

test("D11: ends of life are read from every form, and hold for the releases below a version", async () => {
  const { database, part } = await compileFiles("end-of-life", {
    "alpine.json": [
      { cycle: "3.20", eol: "2026-04-01" },
      { cycle: "3.12", eol: true },
      { cycle: "edge", eol: false },
      { cycle: 7, eol: "2026-04-01" },
    ],
    "rhel.json": { result: { name: "rhel", releases: [{ name: "9", eolFrom: "2032-05-31" }] } },
    "all.json": { rocky: [{ cycle: "9", eol: "2032-05-31" }] },
    "debian.csv": "version,codename,series,created,release,eol\n12,Bookworm,bookworm,,,2026-06-10\n,Sid,sid,,,\n",
    "ubuntu.csv": "version,codename,series,created,release,eol\n22.04 LTS,Jammy Jellyfish,jammy,,,2027-06-01\n",
  });
  const ends = [
    database.endOfLife("alpine", "3.20.3"),
    database.endOfLife("alpine", "3.12"),
    database.endOfLife("alpine", "edge"),
    database.endOfLife("RHEL", "9.4"),
    database.endOfLife("rocky", "9"),
    database.endOfLife("debian", "12"),
    database.endOfLife("ubuntu", "22.04"),
    database.endOfLife("ubuntu", "22"),
  ];
  expect(ends).toEqual([
    "2026-04-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    undefined,
    "2032-05-31T00:00:00Z",
    "2032-05-31T00:00:00Z",
    "2026-06-10T00:00:00Z",
    "2027-06-01T00:00:00Z",
    undefined,
  ]);
  expect(part.losses).toMatchObject({ count: 1, named: [{ path: "alpine.json#alpine/3" }] });
});

test("D11: feeds that are none are refused by code", async () => {
  const malformed = { code: "ADVISORY_SOURCE_MALFORMED" };
  await expect(
    compileFiles("epss", { "epss.csv": "cve,epss,percentile\nCVE-2021-44228,0.9,0.9\n" }),
  ).rejects.toMatchObject(malformed);
  await expect(compileFiles("kev", { "kev.json": [] })).rejects.toMatchObject(malformed);
  await expect(compileFiles("alpine-secdb", { "main.json": {} })).rejects.toMatchObject(malformed);
  await expect(compileFiles("redhat-csaf", { "vex.json": {} })).rejects.toMatchObject(malformed);
  await expect(compileFiles("ubuntu-oval", { "a.xml": "<a/>" })).rejects.toMatchObject(malformed);
});
