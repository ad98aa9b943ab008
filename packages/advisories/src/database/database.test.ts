import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, fixedClock, sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AdvisorySourceInput, compileDatabase, databaseName } from "./compile.ts";
import { openAdvisoryDatabase } from "./open.ts";
import { affectedPackage, osvRecord, scratchDirectory, writeFiles } from "./source.fixture.ts";

const clock = fixedClock("2026-02-01T00:00:00Z");

async function compiled(files: Readonly<Record<string, unknown>>, more: Partial<AdvisorySourceInput> = {}) {
  const directory = scratchDirectory();
  const path = writeFiles(join(directory, "source"), files);
  const sources = [{ name: "osv", kind: "osv" as const, path, ...more }];
  return { directory, sources, ...(await compileDatabase({ sources, directory: join(directory, "out"), clock })) };
}

test("D1: a package is found by ecosystem and name, in the spelling of its registry, suffix and all", async () => {
  const { path } = await compiled({
    "a.json": osvRecord("A-1", { affected: [affectedPackage("PyPI", "Foo_Bar"), affectedPackage("npm", "left")] }),
    "b.json": osvRecord("B-1", { affected: [affectedPackage("Debian:12", "openssl")] }),
  });
  const database = openAdvisoryDatabase(path);
  const ids = (ecosystem: string, name: string) => database.lookup(ecosystem, name).map(({ id }) => id);
  expect(ids("PyPI", "foo.bar")).toEqual(["A-1"]);
  expect(ids("npm", "left")).toEqual(["A-1"]);
  expect(ids("npm", "Left")).toEqual([]);
  expect(ids("Debian:12", "openssl")).toEqual(["B-1"]);
  expect(ids("Debian:13", "openssl")).toEqual([]);
  expect(ids("Debian", "openssl")).toEqual([]);
  expect([...database.ecosystems()]).toEqual([
    ["Debian:12", 1],
    ["PyPI", 1],
    ["npm", 1],
  ]);
  database.close();
});

test("D1: an advisory is found by its id and its aliases, whatever their case, with the digest of its bytes", async () => {
  const { path } = await compiled({ "a.json": osvRecord("A-1", { aliases: ["CVE-2026-1"] }) });
  const database = openAdvisoryDatabase(path);
  const [found] = database.find("cve-2026-1");
  expect(database.find("a-1")).toEqual([found]);
  const { digest, source, ...record } = found ?? { digest: "", source: "" };
  expect(source).toBe("osv");
  expect(digest).toBe(sha256(canonicalJson(record)));
  database.close();
});

test("D2: the same sources at the same time give the same bytes, whatever the order of files and names", async () => {
  const records = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.json`, osvRecord(`X-${i}`)]));
  const backwards = Object.fromEntries(Object.entries(records).reverse());
  const origin = "https://feeds.example.test/osv";
  const one = await compiled(records, { origin });
  const other = await compiled(backwards, { origin });
  expect(other.digest).toBe(one.digest);
  expect(readFileSync(other.path)).toEqual(readFileSync(one.path));
  expect(one.path.endsWith(databaseName(one.digest))).toBe(true);
  expect(readdirSync(join(one.directory, "out"))).toEqual([databaseName(one.digest)]);
});

test("D2: every package of any set of records is found again, and nothing else", async () => {
  const spelled = fc.stringMatching(/^[a-z0-9@/._-]{1,20}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(spelled, { maxLength: 4 }), { minLength: 1, maxLength: 40 }), async (lists) => {
      const records = lists.map((names, i) =>
        osvRecord(`X-${i}`, { affected: names.map((name) => affectedPackage("npm", name)) }),
      );
      const { path } = await compiled({ "all.json": records });
      const database = openAdvisoryDatabase(path);
      for (const name of new Set(lists.flat())) {
        const expected = lists.flatMap((names, i) => (names.includes(name) ? [`X-${i}`] : [])).sort();
        expect(database.lookup("npm", name).map(({ id }) => id)).toEqual(expected);
        expect(database.lookup("npm", `${name}~`)).toEqual([]);
      }
      database.close();
    }),
    { numRuns: 15 },
  );
});

test("D3: a database with other bytes than its digest says is refused, and one that is cut or is none", async () => {
  const { path, digest, directory } = await compiled({ "a.json": osvRecord("A-1") });
  const bytes = readFileSync(path);
  const open = (content: Uint8Array, expected?: typeof digest) => {
    const other = join(directory, "other");
    writeFileSync(other, content);
    chmodSync(other, 0o600);
    return () => openAdvisoryDatabase(other, expected === undefined ? {} : { digest: expected }).close();
  };
  expect(open(bytes, digest)).not.toThrow();
  const flipped = Buffer.from(bytes);
  flipped[100] = (flipped[100] ?? 0) ^ 1;
  expect(open(flipped, digest)).toThrow(expect.objectContaining({ code: "ADVISORY_DATABASE_DIGEST" }));
  for (const length of [0, 5, 40, bytes.length >> 1, bytes.length - 1]) {
    expect(open(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: "ADVISORY_DATABASE_MALFORMED" }));
  }
  expect(open(Buffer.concat([bytes, Buffer.from("x")]))).toThrow(
    expect.objectContaining({ code: "ADVISORY_DATABASE_MALFORMED" }),
  );
  expect(() => openAdvisoryDatabase(join(directory, "none"))).toThrow(
    expect.objectContaining({ code: "ADVISORY_DATABASE_MISSING" }),
  );
});

test("D3: whatever is changed in a database, reading it ends, with an answer or the code of a malformed one", async () => {
  const { path, directory } = await compiled({ "a.json": osvRecord("A-1"), "b.json": osvRecord("B-1") });
  const bytes = readFileSync(path);
  const other = join(directory, "other");
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ by;
      writeFileSync(other, changed);
      try {
        const database = openAdvisoryDatabase(other);
        try {
          database.lookup("npm", "left");
          database.find("B-1");
        } finally {
          database.close();
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "ADVISORY_DATABASE_MALFORMED" });
      }
    }),
    { numRuns: 400 },
  );
});
