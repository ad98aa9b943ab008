import { canonicalJson } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rowBytes } from "../database/row.ts";
import { affectedPackage, compileFiles, osvRecord } from "../database/source.fixture.ts";
import { readOsvRecord } from "./osv-record.ts";

const code = (value: unknown): string => {
  try {
    readOsvRecord(value);
    return "read";
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const withRange = (...events: unknown[]) =>
  osvRecord("A-1", { affected: [affectedPackage("npm", "left", { ranges: [{ type: "SEMVER", events }] })] });

test("D4: a record of the OSV schema is read whole: ids, dates, severities, ranges with every event, versions", () => {
  const record = readOsvRecord(
    osvRecord("GHSA-aaaa-bbbb-cccc", {
      aliases: ["CVE-2026-2", "CVE-2026-1", "CVE-2026-1", "https://example.test/1"],
      upstream: ["CVE-2025-9"],
      withdrawn: "2026-01-05T00:00:00+02:00",
      severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
      references: [{ type: "WEB", url: "https://example.test/a" }, { url: "javascript:alert(1)" }],
      database_specific: { severity: "MODERATE", cwe_ids: ["CWE-79", "no"] },
      affected: [
        affectedPackage("PyPI", "Foo", {
          ranges: [
            { type: "ECOSYSTEM", events: [{ introduced: "1.0" }, { last_affected: "1.5" }, { limit: "2.0" }] },
            { type: "GIT", repo: "https://example.test/r", events: [{ introduced: "0" }, { fixed: "abc" }] },
          ],
          versions: ["1.0", "1.1"],
          ecosystem_specific: { urgency: "low" },
        }),
        { ranges: [{ type: "GIT", repo: "https://example.test/r", events: [{ introduced: "0" }] }] },
      ],
    }),
  );
  expect(record).toMatchObject({
    aliases: ["CVE-2026-1", "CVE-2026-2"],
    upstream: ["CVE-2025-9"],
    withdrawn: "2026-01-04T22:00:00Z",
    severities: [{ type: "CVSS_V3" }, { type: "words", value: "MODERATE" }],
    references: ["https://example.test/a"],
    cwes: ["CWE-79"],
  });
  expect(record.affected).toEqual([
    {
      ecosystem: "PyPI",
      name: "Foo",
      ranges: [
        { type: "ECOSYSTEM", events: [{ introduced: "1.0" }, { last_affected: "1.5" }, { limit: "2.0" }] },
        { type: "GIT", repo: "https://example.test/r", events: [{ introduced: "0" }, { fixed: "abc" }] },
      ],
      versions: ["1.0", "1.1"],
      severities: [{ type: "words", value: "LOW" }],
    },
  ]);
});

test("D4: JSON and YAML say the same; lists of records and packed files are read; names of other files are not", async () => {
  const yaml = `id: PYSEC-1
modified: "2026-01-02T03:04:05Z"
published: 2026-01-01T00:00:00Z
summary: Flaw PYSEC-1
affected:
- package: {name: left, ecosystem: npm}
  ranges:
  - type: SEMVER
    events:
    - introduced: "0"
    - fixed: 2.0.0
`;
  const one = await compileFiles("osv", { "PYSEC-1.yaml": yaml, "README.md": "words", ".hidden.json": "{" });
  const other = await compileFiles("osv", { "all.json": [osvRecord("PYSEC-1"), osvRecord("B-1")] });
  expect(one.database.find("PYSEC-1")).toEqual(other.database.find("PYSEC-1"));
  expect(one.part).toMatchObject({ advisories: 1, losses: { count: 0 } });
  expect(other.part.advisories).toBe(2);
});

test("D5: what no record can be is refused by code", () => {
  const name = (spelled: unknown) => osvRecord("A-1", { affected: [affectedPackage("npm", spelled as string)] });
  expect(code([])).toBe("ADVISORY_MALFORMED");
  expect(code(osvRecord("A-1", { modified: "yesterday" }))).toBe("ADVISORY_MALFORMED");
  expect(code(osvRecord("A-1", { affected: {} }))).toBe("ADVISORY_MALFORMED");
  expect(code(withRange({ introduced: "0", fixed: "1.0.0" }))).toBe("ADVISORY_MALFORMED");
  expect(code(withRange({ introduced: "0" }, { invented: "1.0.0" }))).toBe("ADVISORY_MALFORMED");
  expect(code(osvRecord("../../etc/passwd"))).toBe("ADVISORY_NAME_INVALID");
  for (const hostile of ["", " left", "a\u0000b", "\u001b[2Jleft", "left\u202e", "x".repeat(600), 7, "\ud800"]) {
    expect([hostile, code(name(hostile))]).toEqual([hostile, "ADVISORY_NAME_INVALID"]);
  }
  const versions = Array.from({ length: 100_001 }, (_, i) => `${i}`);
  expect(code(osvRecord("A-1", { affected: [affectedPackage("npm", "left", { versions })] }))).toBe(
    "ADVISORY_RECORD_TOO_LARGE",
  );
});

test("D5: a range that can hold no version is refused, whatever its events; one that can is not", () => {
  expect(code(withRange())).toBe("ADVISORY_RANGE_IMPOSSIBLE");
  expect(code(withRange({ fixed: "1.0.0" }))).toBe("ADVISORY_RANGE_IMPOSSIBLE");
  expect(code(withRange({ introduced: "2.0.0" }, { fixed: "1.0.0" }, { fixed: "2.0.0" }))).toBe(
    "ADVISORY_RANGE_IMPOSSIBLE",
  );
  expect(code(withRange({ introduced: "0" }, { fixed: "0" }))).toBe("ADVISORY_RANGE_IMPOSSIBLE");
  expect(code(withRange({ introduced: "2.0.0" }, { fixed: "1.0.0" }))).toBe("read");
  expect(code(withRange({ introduced: "2.0.0" }, { last_affected: "2.0.0" }))).toBe("read");
  expect(code(withRange({ introduced: "10.0.0" }, { fixed: "9.0.0" }, { introduced: "1.0.0" }))).toBe("read");
  // What nobody can compare is no range without versions.
  expect(code(withRange({ introduced: "b" }, { fixed: "a" }))).toBe("read");
});

test("D5: records that cannot be are left out, counted and named, and the rest stays", async () => {
  const { part, database } = await compileFiles("osv", {
    "good.json": osvRecord("A-1"),
    "cut.json": JSON.stringify(osvRecord("A-2")).slice(0, 100),
    "range.json": withRange({ fixed: "1.0.0" }),
    "latin.json": Buffer.from([0x22, 0xff, 0x22]),
    "alias.yaml": "a: &x 1\nb: *x\n",
    "list.json": [osvRecord("A-3"), { id: "A-4" }],
  });
  expect(part.advisories).toBe(2);
  expect(part.losses.count).toBe(5);
  expect(part.losses.named.map(({ path, code: why }) => [path, why])).toEqual([
    ["alias.yaml", "ADVISORY_MALFORMED"],
    ["cut.json", "ADVISORY_MALFORMED"],
    ["latin.json", "ADVISORY_MALFORMED"],
    ["list.json#1", "ADVISORY_MALFORMED"],
    ["range.json", "ADVISORY_RANGE_IMPOSSIBLE"],
  ]);
  expect(database.lookup("npm", "left").map(({ id }) => id)).toEqual(["A-1", "A-3"]);
});

test("D5: thousands of bad records are counted, a hundred are named; of two with one id the newer stays", async () => {
  const bad = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`bad-${i}.json`, "{"]));
  const older = osvRecord("A-1", { summary: "older", modified: "2025-01-01T00:00:00Z" });
  const { part, database } = await compileFiles("osv", { ...bad, "1.json": osvRecord("A-1"), "2.json": older });
  expect([part.losses.count, part.losses.named.length]).toEqual([151, 100]);
  expect(part.losses.named[0]).toMatchObject({ path: "A-1", code: "ADVISORY_RECORD_DUPLICATE" });
  expect(database.find("A-1").map(({ summary }) => summary)).toEqual(["Flaw A-1"]);
});

test("D5: a record of the future is kept, and makes its source no newer", async () => {
  const future = osvRecord("A-2", { modified: "9999-01-01T00:00:00Z" });
  const { part } = await compileFiles("osv", { "a.json": osvRecord("A-1"), "b.json": future });
  expect(part).toMatchObject({ advisories: 2, newest: "2026-01-02T03:04:05Z" });
  expect(part.losses.named).toMatchObject([{ path: "A-2", code: "ADVISORY_DATE_FUTURE" }]);
});

test("D5: whatever JSON says, reading it ends with a record in canonical bytes, or a code of ours", () => {
  const seed = osvRecord("A-1", {
    severity: [{ type: "CVSS_V3", score: "x" }],
    references: [{ url: "https://a.test" }],
  });
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(seed)), fc.json({ maxDepth: 4 }), (member, json) => {
      try {
        const record = readOsvRecord({ ...seed, [member]: JSON.parse(json) });
        expect(rowBytes({ kind: "advisory", record }).toString()).toBe(canonicalJson(record));
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^ADVISORY_/);
      }
    }),
    { numRuns: 500 },
  );
});
