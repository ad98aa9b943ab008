import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { collected } from "../collected.fixture.ts";
import { readSqliteTable } from "./sqlite-table.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-sqlite-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;

function database(statements: readonly string[], rows: readonly Uint8Array[] = []): string {
  const path = join(directory, `${made++}.sqlite`);
  const open = new DatabaseSync(path);
  for (const statement of statements) open.exec(statement);
  const insert = rows.length === 0 ? undefined : open.prepare("INSERT INTO Packages (blob) VALUES (?)");
  open.exec("BEGIN");
  for (const row of rows) insert?.run(row);
  open.exec("COMMIT");
  open.close();
  return path;
}

const table = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)";

function blobs(bytes: Uint8Array, log?: Uint8Array) {
  const rows = readSqliteTable(collected("a", bytes), "Packages", log === undefined ? undefined : collected("b", log));
  return [...rows].flatMap(([, blob]) => (blob instanceof Uint8Array ? [Buffer.from(blob)] : []));
}

test("R1: rows are those that SQLite answers, of every size of page and row", () => {
  const row = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.integer({ min: 1, max: 70_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
  );
  fc.assert(
    fc.property(fc.constantFrom(512, 1024, 4096, 65_536), fc.array(row, { maxLength: 40 }), (size, rows) => {
      const path = database([`PRAGMA page_size = ${size}`, table], rows);
      expect(blobs(readFileSync(path))).toEqual(rows.map((bytes) => Buffer.from(bytes)));
      rmSync(path);
    }),
    { numRuns: 40 },
  );
});

test("R1: thousands of rows in a deep tree come in their order", () => {
  const rows = Array.from({ length: 5000 }, (_, index) => Buffer.from(`row ${index}`.padEnd(index % 300)));
  expect(blobs(readFileSync(database(["PRAGMA page_size = 512", table], rows)))).toEqual(rows);
});

test("R1: what is in the write-ahead log counts as far as it was committed", () => {
  const path = database([table], [Buffer.from("old")]);
  const open = new DatabaseSync(path);
  open.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  open.prepare("INSERT INTO Packages (blob) VALUES (?)").run(Buffer.from("new"));
  open.exec("DELETE FROM Packages WHERE hnum = 1");
  const copy = join(directory, "copied");
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  open.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
  const [main, log] = [readFileSync(copy), readFileSync(`${copy}-wal`)];
  expect(blobs(main).map(String)).toEqual(["old"]);
  expect(blobs(main, log).map(String)).toEqual(["new"]);
  // Cut in the last frame, the log ends at the transaction before; broken in the first, it says nothing.
  expect(blobs(main, log.subarray(0, -100)).map(String)).toEqual(["old", "new"]);
  log[40] = 0xff;
  expect(blobs(main, log).map(String)).toEqual(["old"]);
  expect(blobs(main, Buffer.from("short")).map(String)).toEqual(["old"]);
});

test.each([
  ["a view", ["CREATE VIEW Packages AS SELECT 1 AS hnum, 'x' AS blob"]],
  ["nothing", ["CREATE TABLE Other (a)"]],
  ["a table without rows' numbers", ["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB) WITHOUT ROWID"]],
])("R1: %s in place of the table is refused", (_, statements) => {
  expect(() => blobs(readFileSync(database(statements)))).toThrow(
    expect.objectContaining({ code: "SBOM_RPM_DATABASE_MALFORMED" }),
  );
});

test("R2: a tree that runs in a circle, or lies over itself, is refused", () => {
  const rows = Array.from({ length: 200 }, () => Buffer.alloc(100, 1));
  const bytes = readFileSync(database(["PRAGMA page_size = 512", table], rows));
  const isInner = (page: number) => bytes[page * 512] === 5;
  const inner =
    Array.from({ length: bytes.length / 512 }, (_, page) => page).find((page) => page > 0 && isInner(page)) ?? 0;
  const circle = Buffer.from(bytes);
  circle.writeUInt32BE(inner + 1, inner * 512 + 8);
  const single = readFileSync(database([table], [Buffer.alloc(1000, 1)]));
  const leaf = Buffer.from(single);
  // The first page after the schema is the root of the first table.
  const start = 4096;
  leaf.writeUInt16BE(1000, start + 3);
  for (let index = 1; index < 1000; index++) leaf.copyWithin(start + 8 + index * 2, start + 8, start + 10);
  for (const broken of [circle, leaf]) {
    expect(() => blobs(broken)).toThrow(expect.objectContaining({ code: "SBOM_RPM_DATABASE_MALFORMED" }));
  }
});

test("R6: no bytes make the reader do anything but answer or refuse", () => {
  const whole = readFileSync(database(["PRAGMA page_size = 512", table], [Buffer.alloc(900, 1), Buffer.from("b")]));
  const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 10 }), fc.nat({ max: whole.length }), (changes, cut) => {
      const bytes = Buffer.from(cut % 3 === 0 ? whole.subarray(0, cut) : whole);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        blobs(bytes);
      } catch (error) {
        expect((error as { code: string }).code).toBe("SBOM_RPM_DATABASE_MALFORMED");
      }
    }),
    { numRuns: 1500 },
  );
});
