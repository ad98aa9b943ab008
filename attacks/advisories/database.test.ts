import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adoptDatabase, openAdvisoryDatabase } from "@touchmark/advisories";
import { expect, test } from "vitest";
import { codeOf, flaw, freshDirectory, known, victim, write } from "./advisories-scene.ts";

test("attack: a stale database is replayed, so that a scan finds nothing and names a digest all the same", async () => {
  const feed = join(freshDirectory(), "feed");
  write(join(feed, "A-1.json"), flaw("A-1"));
  const { update, place, clock } = victim(feed);
  const old = (await update()).database;
  clock.set("2026-01-16T00:00:00Z");
  write(join(feed, "A-2.json"), flaw("A-2", "2026-01-16T00:00:00Z"));
  const fresh = (await update()).database;
  // Whoever opens what lies there by its name opens the old one.
  const swapped = join(freshDirectory(), "database");
  copyFileSync(old.path, swapped);
  expect(readFileSync(swapped).includes("A-2")).toBe(false);
  const adopt = () => adoptDatabase(place, swapped, { now: clock.now(), digest: old.digest });
  expect(await codeOf(adopt)).toBe("ADVISORY_DATABASE_ROLLBACK");
  // Under the name of the new one.
  chmodSync(fresh.path, 0o600);
  copyFileSync(old.path, fresh.path);
  expect(await codeOf(() => known(place, clock.now()))).toBe("ADVISORY_DATABASE_DIGEST");
});

test("attack: an advisory is taken out of the compiled database with an editor", async () => {
  const feed = join(freshDirectory(), "feed");
  write(join(feed, "A-1.json"), flaw("A-1"));
  const { update, place, clock } = victim(feed);
  const { database } = await update();
  const bytes = readFileSync(database.path);
  bytes.write('"0.0.0"', bytes.indexOf('"2.0.0"'));
  // As long as before: whoever opens it without the digest reads that nothing is affected.
  const altered = join(freshDirectory(), "altered");
  writeFileSync(altered, bytes);
  const naive = openAdvisoryDatabase(altered);
  expect(naive.lookup("npm", "left")[0]?.affected[0]?.ranges[0]?.events).toEqual([
    { introduced: "0" },
    { fixed: "0.0.0" },
  ]);
  naive.close();
  chmodSync(database.path, 0o600);
  writeFileSync(database.path, bytes);
  expect(await codeOf(() => known(place, clock.now()))).toBe("ADVISORY_DATABASE_DIGEST");
});

test("attack: a database that was emptied is given with its own digest to a home that has more", async () => {
  const [rich, poor] = [join(freshDirectory(), "rich"), join(freshDirectory(), "poor")];
  for (let i = 0; i < 5; i++) write(join(rich, `A-${i}.json`), flaw(`A-${i}`));
  write(join(poor, "A-0.json"), flaw("A-0", "2026-01-14T00:00:00Z"));
  const { update, place, clock } = victim(rich);
  await update();
  const attacker = victim(poor);
  const { database } = await attacker.update();
  const adopt = () => adoptDatabase(place, database.path, { now: clock.now(), digest: database.digest });
  expect(await codeOf(adopt)).toBe("ADVISORY_FEED_SHRUNK");
  expect(known(place, clock.now())).toHaveLength(5);
});
