import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { compileDatabase } from "../database/compile.ts";
import { importSource } from "../database/import-source.ts";
import { compileFiles, osvRecord, scratchDirectory, testClock, writeFiles } from "../database/source.fixture.ts";
import { Spool } from "../database/spool.ts";
import type { Importer } from "./importer.ts";
import { osvImporter } from "./osv.ts";
import { openSourceFiles } from "./source-files.ts";

const record = (id: string): string => JSON.stringify(osvRecord(id));
const small = { endings: [".json"], largestFile: 10_000 };

async function read(path: string, limits = small): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of openSourceFiles(path, limits).entries()) {
    try {
      found[entry.path] = `${(await entry.read()).length}`;
    } catch (error) {
      found[entry.path] = (error as { code: string }).code;
    }
  }
  return found;
}

test("D6: directories, archives in them, packed files and single files are one source each", async () => {
  const zip = forgeZip([
    { name: "npm/A-1.json", content: record("A-1") },
    { name: "notes.txt", content: "words" },
  ]);
  const nested = await compileFiles("osv", {
    "npm/all.zip": zip,
    "packed/A-2.json.gz": gzipSync(record("A-2")),
    "A-3.json": record("A-3"),
  });
  expect(nested.part.advisories).toBe(3);
  const directory = scratchDirectory();
  const file = join(directory, "feed.bin");
  writeFileSync(file, zip);
  const sources = [{ name: "zip", kind: "osv" as const, path: file }];
  const { footer } = await compileDatabase({ sources, directory: join(directory, "out"), clock: testClock });
  expect(footer.sources[0]).toMatchObject({ advisories: 1, losses: { count: 0 } });
});

test("D6: links are not followed, hidden files are not read, and a checkout tells its commit", async () => {
  const directory = writeFiles(scratchDirectory(), { "a.json": "{}", ".b.json": "{}", "outside/c.json": "{}" });
  const root = join(directory, "root");
  const commit = "0123456789abcdef0123456789abcdef01234567";
  writeFiles(root, {
    "d.json": "{}",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/refs/heads/main": `${commit}\n`,
    ".git/x.json": "{}",
  });
  symlinkSync(join(directory, "outside"), join(root, "link"));
  symlinkSync(join(directory, "a.json"), join(root, "e.json"));
  expect(await read(root)).toEqual({ "d.json": "2" });
  expect(openSourceFiles(root, small).revision).toBe(commit);
  writeFiles(root, { ".git/HEAD": "ref: refs/heads/../../../../etc/passwd\n" });
  expect(openSourceFiles(root, small).revision).toBeUndefined();
});

test("D6: a bomb, a cut archive and an entry that lies are the loss of that file, and unpack no more than is allowed", async () => {
  const zeros = Buffer.alloc(50_000);
  const zip = forgeZip([
    { name: "bomb.json", content: zeros },
    { name: "fine.json", content: "{}" },
    { name: "../../up.json", content: "{}" },
  ]);
  const directory = writeFiles(scratchDirectory(), {
    "a.zip": zip,
    "bomb.json.gz": gzipSync(zeros),
    "cut.json.gz": gzipSync(record("A-1")).subarray(0, 40),
    "large.json": zeros,
    "z.zip": zip.subarray(0, zip.length - 30),
  });
  expect(await read(directory)).toEqual({
    "a.zip": "ADVISORY_MALFORMED",
    "a.zip!/bomb.json": "ADVISORY_RECORD_TOO_LARGE",
    "a.zip!/fine.json": "2",
    "bomb.json": "ADVISORY_RECORD_TOO_LARGE",
    "cut.json": "ADVISORY_MALFORMED",
    "large.json": "ADVISORY_RECORD_TOO_LARGE",
    "z.zip": "ADVISORY_MALFORMED",
  });
});

test("D6: a source that is not there, is too deep or too large, or holds nothing of its kind is refused by code", async () => {
  const directory = scratchDirectory();
  const code = (path: string) => {
    try {
      openSourceFiles(path, small).digest();
      return "read";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(code(join(directory, "none"))).toBe("ADVISORY_SOURCE_MISSING");
  mkdirSync(join(directory, "deep", ...Array.from({ length: 30 }, () => "d")), { recursive: true });
  expect(code(join(directory, "deep"))).toBe("ADVISORY_SOURCE_TOO_LARGE");
  writeFileSync(join(directory, "huge.json"), "");
  truncateSync(join(directory, "huge.json"), 9 * 2 ** 30);
  expect(code(join(directory, "huge.json"))).toBe("ADVISORY_SOURCE_TOO_LARGE");
  await expect(compileFiles("osv", { "README.md": "words" })).rejects.toMatchObject({
    code: "ADVISORY_SOURCE_MALFORMED",
  });
});

test("D6: a source that changes while it is read is refused", async () => {
  const directory = scratchDirectory();
  const path = writeFiles(join(directory, "source"), { "a.json": record("A-1") });
  const meddling: Importer = {
    ...osvImporter,
    async *read(entries, context) {
      yield* osvImporter.read(entries, context);
      writeFileSync(join(path, "a.json"), record("A-2"));
    },
  };
  const spool = new Spool(join(directory, "rows"));
  await expect(importSource(path, meddling, spool, { now: testClock.now() })).rejects.toMatchObject({
    code: "ADVISORY_SOURCE_CHANGED",
  });
  spool.close();
});
