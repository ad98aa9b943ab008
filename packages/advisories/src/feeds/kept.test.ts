import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { expect, test } from "vitest";
import { osvRecord } from "../database/source.fixture.ts";
import { advisoryPlace } from "./configuration.ts";
import { adviceScene } from "./feeds.fixture.ts";
import { adoptDatabase, openAdvisories } from "./open-advisories.ts";
import { chooseDatabase, databaseBundlePath, databasePath, keptDatabases, pruneDatabases } from "./state.ts";
import { advisoryDatabasePredicate } from "./statement.ts";
import { importAdvisories } from "./update.ts";

const now = new Date("2026-02-01T00:00:00Z");

test("D18: older databases stay until they are pruned, and one is opened by its digest, to repeat a scan", async () => {
  const { update, write, place, clock } = adviceScene();
  const digests: Digest[] = [];
  for (let i = 1; i <= 4; i++) {
    clock.set(`2026-02-0${i}T00:00:00Z`);
    write("records", osvRecord("A-1", { summary: `version ${i}` }));
    digests.push((await update()).database.digest);
  }
  expect(keptDatabases(place)).toHaveLength(4);
  const summary = (database?: string) => {
    const open = openAdvisories(place, { now, ...(database === undefined ? {} : { database }) });
    const [found] = open?.database.find("A-1") ?? [];
    open?.database.close();
    return found?.summary;
  };
  expect([summary(), summary(digests[0]), summary(digests[1]?.slice(7, 19))]).toEqual([
    ...["version 4", "version 1", "version 2"],
  ]);
  pruneDatabases(place, 1, new Set([digests[0] as Digest]));
  const left = keptDatabases(place).map(({ digest, isCurrent }) => [digests.indexOf(digest), isCurrent]);
  expect(left.filter(([, isCurrent]) => isCurrent)).toEqual([[3, true]]);
  expect(left).toHaveLength(3);
  expect(left.map(([i]) => i)).toContain(0);
  for (const name of ["sha256:00", "", "../../state", "f".repeat(64)]) {
    expect(() => chooseDatabase(place, name)).toThrow(expect.objectContaining({ code: "ADVISORY_DATABASE_MISSING" }));
  }
});

test("D18: a database that was changed on disk is refused, whoever asks for it", async () => {
  const { update, place } = adviceScene();
  const { database } = await update();
  chmodSync(database.path, 0o600);
  const bytes = readFileSync(database.path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(database.path, bytes);
  const refused = expect.objectContaining({ code: "ADVISORY_DATABASE_DIGEST" });
  expect(() => openAdvisories(place, { now })).toThrow(refused);
  expect(() => openAdvisories(place, { now, database: database.digest })).toThrow(refused);
});

test("D19: what another home compiled is taken by its digest; an older one, or one that lacks a source, is refused", async () => {
  const maker = adviceScene();
  const old = (await maker.update()).database;
  maker.clock.set("2026-02-02T00:00:00Z");
  maker.write("records", osvRecord("A-1", { modified: "2026-01-20T00:00:00Z" }), osvRecord("A-2"));
  const fresh = (await maker.update()).database;
  const taker = adviceScene();
  const adopt = (file: string, digest: Digest, allowRollback = false) =>
    adoptDatabase(taker.place, file, { now, digest, allowRollback });
  expect(() => adopt(fresh.path, old.digest)).toThrow(expect.objectContaining({ code: "ADVISORY_DATABASE_DIGEST" }));
  expect(adopt(fresh.path, fresh.digest).facts.advisories).toBe(2);
  expect(openAdvisories(taker.place, { now })?.database.facts.digest).toBe(fresh.digest);
  expect(() => adopt(old.path, old.digest)).toThrow(expect.objectContaining({ code: "ADVISORY_DATABASE_ROLLBACK" }));
  const other = adviceScene("  - { name: other, kind: osv, location: records }\n");
  other.clock.set("2026-02-03T00:00:00Z");
  const lacking = (await other.update()).database;
  expect(() => adopt(lacking.path, lacking.digest)).toThrow(
    expect.objectContaining({ code: "ADVISORY_FEED_ROLLBACK" }),
  );
  expect(adopt(old.path, old.digest, true).digest).toBe(old.digest);
  expect(readdirSync(join(taker.place.directory, "databases"))).toHaveLength(2);
});

test("D20: the statement about a database names it by digest, with its sources; its signature lies beside it and is asked for", async () => {
  const { update, place } = adviceScene();
  const statements: string[] = [];
  const sign = async (statement: Uint8Array) => {
    statements.push(Buffer.from(statement).toString());
    return Buffer.from("signed");
  };
  const { database } = await update({ sign });
  await update({ sign });
  expect(statements).toHaveLength(1);
  expect(JSON.parse(statements[0] ?? "")).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "advisories", digest: { sha256: database.digest.slice(7) } }],
    predicateType: advisoryDatabasePredicate,
    predicate: {
      compiledAt: "2026-02-01T00:00:00Z",
      sources: [{ name: "local", kind: "osv", licence: "CC0-1.0", records: 1, leftOut: 0 }],
    },
  });
  expect(readFileSync(databaseBundlePath(place, database.digest), "utf8")).toBe("signed");
  const seen: unknown[] = [];
  openAdvisories(place, { now, verify: (bundle, digest) => seen.push([bundle?.toString(), digest]) })?.database.close();
  expect(seen).toEqual([["signed", database.digest]]);
  const verify = () => {
    throw new Error("not mine");
  };
  expect(() => openAdvisories(place, { now, verify })).toThrow("not mine");
});

test("D21: a source that came by import stays beside the configured ones, and is replaced by another import", async () => {
  const { update, place, clock, home, write } = adviceScene();
  await update();
  write("other", osvRecord("B-1"));
  const input = { name: "other", kind: "osv" as const, path: join(home, "other") };
  await importAdvisories({ place, clock, input });
  write("records", osvRecord("A-1"), osvRecord("A-2"));
  const { database } = await update();
  expect(database.facts.sources.map(({ name, advisories }) => [name, advisories])).toEqual([
    ["local", 2],
    ["other", 1],
  ]);
  write("other", osvRecord("B-1", { modified: "2020-01-01T00:00:00Z" }));
  await expect(importAdvisories({ place, clock, input })).rejects.toMatchObject({ code: "ADVISORY_FEED_ROLLBACK" });
  // Without any configuration an import is enough.
  const bare = advisoryPlace(join(home, "bare"));
  mkdirSync(join(home, "bare"));
  cpSync(join(home, "records"), join(home, "copy"), { recursive: true });
  await importAdvisories({ place: bare, clock, input: { ...input, path: join(home, "copy") } });
  expect(openAdvisories(bare, { now })?.database.facts.advisories).toBe(2);
  expect(databasePath(bare, database.digest)).toContain(database.digest.slice(7));
});

test("D18: what a killed update left is deleted by the next, and was never taken for a database", async () => {
  const { update, place } = adviceScene();
  await update();
  const databases = join(place.directory, "databases");
  mkdirSync(join(place.directory, ".tmp-downloads-1"));
  writeFileSync(join(databases, ".tmp-1"), "half");
  writeFileSync(join(databases, ".tmp-1.rows"), "half");
  expect(keptDatabases(place)).toHaveLength(1);
  await update();
  expect(readdirSync(place.directory).sort()).toEqual(["databases", "state.json"]);
  expect(readdirSync(databases)).toHaveLength(1);
});
