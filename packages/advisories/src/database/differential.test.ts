import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { databaseChanges } from "./changes.ts";
import { type CompileOptions, compileDatabase } from "./compile.ts";
import { openAdvisoryDatabase } from "./open.ts";
import { affectedPackage, osvRecord, scratchDirectory, writeFiles } from "./source.fixture.ts";

/** Sources of one test that change from compilation to compilation. */
function scene() {
  const directory = scratchDirectory();
  const clock = fixedClock("2026-02-01T00:00:00Z");
  const sources = ["one", "two"].map((name) => ({
    ...{ name, kind: "osv" as const, path: join(directory, name), licence: "CC0-1.0" },
    origin: `https://feeds.example.test/${name}`,
  }));
  const write = (name: string, ...records: Record<string, unknown>[]): void => {
    rmSync(join(directory, name), { recursive: true, force: true });
    writeFiles(join(directory, name), Object.fromEntries(records.map((each, i) => [`${i}.json`, each])));
  };
  const events: string[] = [];
  const compile = (options: Partial<CompileOptions> = {}) => {
    events.length = 0;
    return compileDatabase({
      ...{ sources, directory: join(directory, "out"), clock },
      onProgress: ({ source, state }) => events.push(`${source} ${state}`),
      ...options,
    });
  };
  return { directory, clock, sources, write, compile, events };
}

const changesOf = (before: string, after: string) => {
  const [old, now] = [openAdvisoryDatabase(before), openAdvisoryDatabase(after)];
  try {
    return databaseChanges(old, now);
  } finally {
    old.close();
    now.close();
  }
};

test("D12: of every source stay digest, origin, licence, date, time of reading, and how many records it has", async () => {
  const { write, compile } = scene();
  write("one", osvRecord("A-1"));
  write("two", osvRecord("B-1", { modified: "2025-01-01T00:00:00Z" }), osvRecord("B-2"));
  const { facts, digest } = await compile();
  expect(facts).toMatchObject({ digest, compiledAt: "2026-02-01T00:00:00Z", advisories: 3 });
  expect(facts.sources.map(({ digest: _, ...rest }) => rest)).toEqual([
    ...[["one", "2026-01-02T03:04:05Z", 1] as const, ["two", "2026-01-02T03:04:05Z", 2] as const].map(
      ([name, newest, advisories]) => ({
        ...{ name, kind: "osv", newest, importedAt: "2026-02-01T00:00:00Z", licence: "CC0-1.0", advisories },
      }),
    ),
  ]);
});

test("D13: a source with the same bytes is copied, not read; one that changed is read; nothing changed makes nothing", async () => {
  const { write, compile, events, clock, sources } = scene();
  write("one", osvRecord("A-1"));
  write("two", osvRecord("B-1"));
  const first = await compile();
  expect(events).toEqual(["one read", "two read"]);
  clock.set("2026-02-02T00:00:00Z");
  const again = await compile({ previous: first.path });
  expect(events).toEqual(["one unchanged", "two unchanged"]);
  expect([again.isNew, again.digest]).toEqual([false, first.digest]);
  write("two", osvRecord("B-1", { summary: "other" }));
  const second = await compile({ previous: first.path });
  expect(events).toEqual(["one unchanged", "two read"]);
  const times = second.facts.sources.map(({ importedAt }) => importedAt);
  expect(times).toEqual(["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"]);
  // Copied or read: the same rows.
  const whole = await compile({ again: true, previous: second.path });
  expect(whole.footer.sources.map(({ region }) => region.digest)).toEqual(
    second.footer.sources.map(({ region }) => region.digest),
  );
  expect(events).toEqual(["one read", "two read"]);
  // A source whose bytes are gone stays when it is kept.
  const kept = await compile({ sources: sources.slice(1), kept: ["one"], previous: second.path });
  expect(kept.digest).toBe(second.digest);
});

test("D13: only what changed is told: advisories that came, went or differ, and the packages of both versions", async () => {
  const { write, compile } = scene();
  const about = (id: string, name: string, more = {}) =>
    osvRecord(id, { affected: [affectedPackage("npm", name)], ...more });
  write("one", about("A-1", "same"), about("A-2", "before"), about("A-3", "gone"));
  write("two", about("B-1", "quiet"));
  const first = await compile();
  write("one", about("A-1", "same"), about("A-2", "after"), about("A-4", "new"));
  const second = await compile({ previous: first.path });
  expect(changesOf(first.path, second.path)).toEqual({
    advisories: [
      { source: "one", id: "A-2", change: "changed" },
      { source: "one", id: "A-3", change: "removed" },
      { source: "one", id: "A-4", change: "added" },
    ],
    packages: ["after", "before", "gone", "new"].map((name) => ({ ecosystem: "npm", name })),
    exploitations: [],
  });
});

test("D13: whatever two versions of a source hold, packages that are not told have the same advisories in both", async () => {
  const names = ["a", "b", "c", "d"];
  const version = fc.uniqueArray(
    fc.record({ id: fc.nat({ max: 6 }), name: fc.constantFrom(...names), text: fc.nat({ max: 1 }) }),
    {
      ...{ selector: ({ id }) => id, minLength: 1 },
    },
  );
  await fc.assert(
    fc.asyncProperty(version, version, async (before, after) => {
      const { write, compile, sources } = scene();
      const records = (list: typeof before) =>
        list.map(({ id, name, text }) =>
          osvRecord(`A-${id}`, { summary: `${text}`, affected: [affectedPackage("npm", name)] }),
        );
      const only = { sources: sources.slice(0, 1), allowRollback: true };
      write("one", ...records(before));
      const first = await compile(only);
      write("one", ...records(after));
      const second = await compile({ ...only, previous: first.path });
      const told = new Set(changesOf(first.path, second.path).packages.map(({ name }) => name));
      const [old, now] = [openAdvisoryDatabase(first.path), openAdvisoryDatabase(second.path)];
      for (const name of names) {
        const same = JSON.stringify(old.lookup("npm", name)) === JSON.stringify(now.lookup("npm", name));
        expect([name, told.has(name)]).toEqual([name, !same]);
      }
      old.close();
      now.close();
    }),
    { numRuns: 20 },
  );
});

test("D14: a source that is older than what was read of it, or lost more than half, is refused unless asked", async () => {
  const { write, compile, directory } = scene();
  const many = Array.from({ length: 9 }, (_, i) => osvRecord(`A-${i}`));
  write("one", ...many);
  write("two", osvRecord("B-1"));
  const first = await compile();
  write("one", ...many.map((each) => ({ ...each, modified: "2025-12-01T00:00:00Z" })));
  const rollback = { code: "ADVISORY_FEED_ROLLBACK", nature: "refused" };
  await expect(compile({ previous: first.path })).rejects.toMatchObject(rollback);
  // Even where the database is gone, the date of what was read stands.
  await expect(compile({ newest: { one: "2026-01-02T03:04:05Z" } })).rejects.toMatchObject(rollback);
  expect((await compile({ previous: first.path, allowRollback: true })).isNew).toBe(true);
  write("one", ...many.slice(0, 4));
  await expect(compile({ previous: first.path })).rejects.toMatchObject({ code: "ADVISORY_FEED_SHRUNK" });
  const tolerant = await compile({ previous: first.path, tolerant: true });
  expect(tolerant).toMatchObject({ digest: first.digest, failures: [{ source: "one", code: "ADVISORY_FEED_SHRUNK" }] });
  // What is no error of a source ends it all, and leaves nothing behind.
  writeFileSync(join(directory, "out", "x"), readFileSync(first.path));
  await expect(compile({ previous: join(directory, "none") })).rejects.toMatchObject({
    code: "ADVISORY_DATABASE_MISSING",
  });
});
