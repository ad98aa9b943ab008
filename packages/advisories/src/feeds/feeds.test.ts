import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { osvRecord } from "../database/source.fixture.ts";
import { refuseStale, sourceAges } from "./age.ts";
import { parseAdvisoryConfiguration } from "./configuration.ts";
import { adviceScene, feedServer } from "./feeds.fixture.ts";
import { openAdvisories } from "./open-advisories.ts";
import { keptDatabases, readAdvisoryState } from "./state.ts";

const yaml = (source: string) => `touchmark: advisories/v1\nsources:\n  - ${source}\n`;

test("D15: advisories.yaml is read strictly; paths are relative to it, addresses are https", () => {
  const text = yaml(
    "{ name: npm, kind: osv, location: feeds/npm, licence: CC-BY-4.0, maximum-age: { warn: 7d, refuse: 12h } }",
  );
  expect(parseAdvisoryConfiguration(text, "/home/advisories.yaml")).toEqual({
    sources: [
      {
        ...{ name: "npm", kind: "osv", location: "/home/feeds/npm", isRemote: false, licence: "CC-BY-4.0" },
        maximumAge: { warn: 604_800, refuse: 43_200 },
      },
    ],
    keep: 10,
  });
  for (const wrong of [
    "{ name: npm, kind: other, location: x }",
    "{ name: npm, kind: osv, location: x, url: y }",
    "{ name: npm, kind: osv, location: 'http://feeds.example.test/all.zip' }",
    "{ name: npm, kind: osv, location: 'https://user:secret@feeds.example.test/all.zip' }",
    "{ name: npm, kind: osv, location: 'file:///etc/passwd' }",
    "{ name: npm, kind: osv, location: x }\n  - { name: npm, kind: osv, location: y }",
    "{ name: ../npm, kind: osv, location: x }",
    "{ name: npm, kind: osv, location: x, maximum-age: { warn: soon } }",
  ]) {
    expect(() => parseAdvisoryConfiguration(yaml(wrong), "/home/advisories.yaml"), wrong).toThrow(
      expect.objectContaining({ code: "ADVISORY_CONFIG_INVALID" }),
    );
  }
  const plain = yaml("{ name: npm, kind: osv, location: 'http://feeds.example.test/a', insecure-http: true }");
  expect(parseAdvisoryConfiguration(plain, "/home/advisories.yaml").sources[0]?.isRemote).toBe(true);
});

test("D16: a feed is asked with the ETag that it had; unchanged is not fetched, and what it sends is read", async () => {
  let body = JSON.stringify([osvRecord("A-1")]);
  let etag = '"one"';
  const { url, requests } = await feedServer((request, response) => {
    if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag, "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }).end(body);
  });
  const { update, place } = adviceScene(`  - { name: feed, kind: osv, location: '${url}/all.json' }\n`);
  const first = await update();
  expect(first.database).toMatchObject({ isNew: true, facts: { advisories: 1 } });
  expect(requests[0]?.headers["if-none-match"]).toBeUndefined();
  const second = await update();
  expect([second.database.digest, second.changes.advisories]).toEqual([first.database.digest, []]);
  expect(requests[1]?.headers).toMatchObject({
    "if-none-match": '"one"',
    "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT",
  });
  body = JSON.stringify([osvRecord("A-1"), osvRecord("A-2")]);
  etag = '"two"';
  const third = await update();
  expect(third.changes.advisories).toEqual([{ source: "feed", id: "A-2", change: "added" }]);
  expect(readAdvisoryState(place).sources["feed"]).toMatchObject({ etag: '"two"' });
  // A database that is damaged is made anew, from everything.
  rmSync(join(place.directory, "databases", `${third.database.digest.slice(7)}.advisories`));
  expect((await update()).database.facts.advisories).toBe(2);
  expect(requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
  expect(readdirSync(place.directory).sort()).toEqual(["databases", "state.json"]);
});

test("D16: a server that fails, cuts its answer, or leads away from TLS leaves what was there, and is told of", async () => {
  let mode = "good";
  const { url } = await feedServer((request, response) => {
    if (mode === "cut") {
      response.writeHead(200, { "content-length": "1000" }).write("[");
      setTimeout(() => response.destroy(), 20);
    } else if (mode === "away") response.writeHead(302, { location: "http://feeds.example.test/all.json" }).end();
    else if (mode === "round") response.writeHead(302, { location: request.url ?? "/" }).end();
    else response.writeHead(mode === "good" ? 200 : 500).end(JSON.stringify([osvRecord("A-1")]));
  });
  const { update } = adviceScene(
    `  - { name: feed, kind: osv, location: '${url}/all.json' }\n  - { name: local, kind: osv, location: records }\n`,
  );
  const { database } = await update();
  for (const bad of ["error", "cut", "away", "round"]) {
    mode = bad;
    const { failures, database: now } = await update();
    expect(failures, bad).toMatchObject([{ source: "feed", code: "ADVISORY_FEED_UNREACHABLE" }]);
    expect(now.facts.sources.map(({ name }) => name)).toEqual(["feed", "local"]);
    expect(now.digest).toBe(database.digest);
  }
});

test("D16: an update of which nothing could be taken is refused; a name that is not configured too", async () => {
  const { url } = await feedServer((_, response) => response.writeHead(500).end());
  const { update, place } = adviceScene(`  - { name: feed, kind: osv, location: '${url}/all.json' }\n`);
  await expect(update()).rejects.toMatchObject({ code: "ADVISORY_FEED_UNREACHABLE", nature: "unavailable" });
  const missing = adviceScene("  - { name: gone, kind: osv, location: gone }\n");
  await expect(missing.update()).rejects.toMatchObject({ code: "ADVISORY_SOURCE_MISSING" });
  await expect(update({ names: ["other"] })).rejects.toMatchObject({ code: "ADVISORY_SOURCE_UNKNOWN" });
  expect(keptDatabases(place)).toEqual([]);
  expect(() => openAdvisories(place, { now: new Date() })).toThrow(
    expect.objectContaining({ code: "ADVISORY_DATABASE_MISSING" }),
  );
});

test("D17: what counts is the date of the data: from a limit on a source warns, from another on it is refused", async () => {
  const { update, place, clock } = adviceScene(
    "  - { name: local, kind: osv, location: records, maximum-age: { warn: 30d, refuse: 60d } }\n",
  );
  await update();
  const verdict = (now: string) =>
    openAdvisories(place, { now: new Date(now), allowStale: true })?.ages.map((age) => [age.verdict, age.limit]);
  expect(verdict("2026-02-01T00:00:00Z")).toEqual([["fresh", undefined]]);
  expect(verdict("2026-02-15T00:00:00Z")).toEqual([["old", 2_592_000]]);
  expect(verdict("2026-04-15T00:00:00Z")).toEqual([["stale", 5_184_000]]);
  const stale = expect.objectContaining({ code: "ADVISORY_DATA_STALE", nature: "refused" });
  expect(() => openAdvisories(place, { now: new Date("2026-04-15T00:00:00Z") })).toThrow(stale);
  // Reading the same old feed again does not make it new.
  clock.set("2026-04-15T00:00:00Z");
  await update({ again: true });
  expect(() => openAdvisories(place, { now: clock.now() })).toThrow(stale);
});

test("D17: a source without dates is as old as its last check", () => {
  const facts = {
    ...{ digest: "sha256:00", compiledAt: "2026-01-01T00:00:00Z", advisories: 1 },
    sources: [{ name: "a", kind: "alpine-secdb", digest: "", importedAt: "2026-01-01T00:00:00Z", advisories: 1 }],
  };
  const configuration = parseAdvisoryConfiguration(
    yaml("{ name: a, kind: alpine-secdb, location: x, maximum-age: { refuse: 5d } }"),
    "/home/advisories.yaml",
  );
  const ages = (checkedAt: string) =>
    sourceAges(facts, configuration, { sources: { a: { checkedAt } } }, new Date("2026-01-10T00:00:00Z"));
  expect(ages("2026-01-09T00:00:00Z")).toMatchObject([{ from: "2026-01-09T00:00:00Z", verdict: "fresh" }]);
  expect(ages("2026-01-02T00:00:00Z")).toMatchObject([{ verdict: "stale" }]);
  expect(() => refuseStale(ages("2026-01-02T00:00:00Z"))).toThrow(
    expect.objectContaining({ code: "ADVISORY_DATA_STALE" }),
  );
});

test("D18: a home without advisories has none; state that is damaged is refused by code", async () => {
  const { update, place, configure } = adviceScene();
  rmSync(place.configuration);
  expect(openAdvisories(place, { now: new Date() })).toBeUndefined();
  configure("  - { name: local, kind: osv, location: records }\n");
  await update();
  for (const text of ["", "{", '{"version":2,"sources":{}}', '{"version":1,"current":"x","sources":{}}']) {
    writeFileSync(join(place.directory, "state.json"), text);
    expect(() => readAdvisoryState(place), text).toThrow(expect.objectContaining({ code: "ADVISORY_STATE_MALFORMED" }));
    await expect(update(), text).rejects.toMatchObject({ code: "ADVISORY_STATE_MALFORMED" });
  }
});
