import { rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { codeOf, flaw, freshDirectory, known, naivelyKnown, served, victim, write } from "./advisories-scene.ts";

const manyFlaws = (modified?: string) => Array.from({ length: 5 }, (_, i) => flaw(`A-${i}`, modified));

test("attack: an old feed is replayed, so that what was published since is not found", async () => {
  const feed = join(freshDirectory(), "feed");
  for (const each of manyFlaws()) write(join(feed, `${each.id}.json`), each);
  const { update, place, clock } = victim(feed);
  await update();
  // Yesterday's feed, without the newest flaw.
  rmSync(feed, { recursive: true });
  for (const each of manyFlaws("2026-01-05T00:00:00Z").slice(0, 4)) write(join(feed, `${each.id}.json`), each);
  expect(naivelyKnown(feed)).not.toContain("A-4");
  const { failures } = await update();
  expect(failures).toMatchObject([{ source: "feed", code: "ADVISORY_FEED_ROLLBACK" }]);
  expect(known(place, clock.now())).toContain("A-4");
});

test("attack: a replayed feed in a home whose databases were deleted", async () => {
  const feed = join(freshDirectory(), "feed");
  write(join(feed, "A-1.json"), flaw("A-1"));
  const { update, place } = victim(feed);
  const { database } = await update();
  rmSync(database.path);
  write(join(feed, "A-1.json"), flaw("A-0", "2025-01-01T00:00:00Z"));
  expect(naivelyKnown(feed)).toEqual(["A-0"]);
  expect(await codeOf(update)).toBe("ADVISORY_FEED_ROLLBACK");
  expect(await codeOf(() => known(place, new Date("2026-01-15T00:00:00Z")))).toBe("ADVISORY_DATABASE_MISSING");
});

test("attack: a server says forever that nothing changed, until its old data lets everything pass", async () => {
  const url = await served((request, response) => {
    if (request.headers["if-none-match"] === undefined)
      response.writeHead(200, { etag: '"1"' }).end(JSON.stringify(manyFlaws()));
    else response.writeHead(304).end();
  });
  const { update, place, clock } = victim(url);
  await update();
  clock.set("2026-06-01T00:00:00Z");
  const { failures, database } = await update();
  // The server is believed, and the data is five months old.
  expect([failures, database.isNew]).toEqual([[], false]);
  expect(await codeOf(() => known(place, clock.now()))).toBe("ADVISORY_DATA_STALE");
});

test("attack: a record of the future makes every honest feed look old", async () => {
  const feed = join(freshDirectory(), "feed");
  write(join(feed, "A-1.json"), flaw("A-1"));
  write(join(feed, "Z-1.json"), flaw("Z-1", "9999-12-31T00:00:00Z"));
  const { update, place, clock } = victim(feed);
  await update();
  rmSync(join(feed, "Z-1.json"));
  write(join(feed, "A-2.json"), flaw("A-2", "2026-01-14T00:00:00Z"));
  expect((await update()).failures).toEqual([]);
  expect(known(place, clock.now())).toEqual(["A-1", "A-2"]);
  // Nor does it keep old data young.
  clock.set("2026-06-01T00:00:00Z");
  expect(await codeOf(() => known(place, clock.now()))).toBe("ADVISORY_DATA_STALE");
});

test("attack: a feed is cut, and most of what was known is gone with it", async () => {
  let body = JSON.stringify(manyFlaws());
  const url = await served((_, response) => response.end(body));
  const { update, place, clock } = victim(url);
  await update();
  body = JSON.stringify(manyFlaws("2026-01-12T00:00:00Z").slice(0, 2));
  expect((await update()).failures).toMatchObject([{ code: "ADVISORY_FEED_SHRUNK" }]);
  body = JSON.stringify(manyFlaws()).slice(0, 300);
  expect((await update()).failures).toMatchObject([{ code: "ADVISORY_SOURCE_MALFORMED" }]);
  expect(known(place, clock.now())).toHaveLength(5);
});

test("attack: a server leads the client away from TLS, or cuts its answer inside of its packing", async () => {
  let mode = "away";
  const url = await served((_, response) => {
    if (mode === "away") response.writeHead(302, { location: "http://feeds.example.test/feed.json" }).end();
    else
      response
        .writeHead(200, { "content-encoding": "gzip" })
        .end(gzipSync(JSON.stringify(manyFlaws())).subarray(0, 50));
  });
  const { update } = victim(url);
  expect(await codeOf(update)).toBe("ADVISORY_FEED_UNREACHABLE");
  mode = "cut";
  expect(await codeOf(update)).toBe("ADVISORY_SOURCE_MALFORMED");
});
