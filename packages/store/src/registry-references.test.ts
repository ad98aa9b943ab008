import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Digest, fixedClock } from "@touchmark/core";
import { expect, test } from "vitest";
import { backup } from "./backup.ts";
import { fsck } from "./fsck.ts";
import { prune } from "./prune.ts";
import { RegistryReferences, registryDatabase } from "./registry-references.ts";
import { restore } from "./restore.ts";
import { bundleAbout, openStores, type Stores } from "./sample-run.ts";
import { padding, tarHeader } from "./tar-header.ts";
import { codeOf, temporaryDirectory, temporaryHome } from "./temporary-home.ts";

const later = () => fixedClock(new Date(Date.now() + 7 * 86_400_000));

/** A registry's database, as far as the stores look into it. */
function registryOf(stores: Stores, digests: readonly Digest[]): DatabaseSync {
  const database = new DatabaseSync(registryDatabase(stores.home));
  database.exec(
    "PRAGMA journal_mode = WAL; CREATE TABLE blobs (digest TEXT); CREATE VIEW content (digest) AS SELECT digest FROM blobs",
  );
  for (const digest of digests) database.prepare("INSERT INTO blobs VALUES (?)").run(digest);
  return database;
}

test("P5: what the registry has stays; what it mentions counts for nothing", async () => {
  const stores = await openStores(await temporaryHome());
  const mentioned = await stores.content.put(Buffer.from("mentioned by a client"));
  const layer = await stores.content.put(Buffer.from(JSON.stringify({ digest: mentioned.digest })));
  const database = registryOf(stores, [layer.digest]);
  const dry = await prune(stores, { clock: later(), dryRun: true, released: new Set([layer.digest]) });
  expect([...dry.blobs].sort()).toEqual([layer.digest, mentioned.digest].sort());
  const report = await prune(stores, { clock: later(), released: new Set([layer.digest]) });
  expect(report.blobs).toEqual([mentioned.digest]);
  expect(await stores.content.has(layer.digest)).toBe(true);
  database.exec("DELETE FROM blobs");
  expect((await prune(stores, { clock: later() })).blobs).toEqual([layer.digest]);
  database.close();
});

test("P5: what is pushed while a prune goes on stays", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(Buffer.from("pushed meanwhile"));
  const references = new RegistryReferences(stores.home);
  expect([references.all().size, references.needs(digest)]).toEqual([0, false]);
  // The registry itself may be made while a prune goes on.
  const database = registryOf(stores, []);
  expect(
    await stores.content.deleteUnused(digest, Date.now() + 1000, () => {
      database.prepare("INSERT INTO blobs VALUES (?)").run(digest);
      return references.needs(digest);
    }),
  ).toBe(0);
  expect(await stores.content.has(digest)).toBe(true);
  database.exec("DELETE FROM blobs");
  expect(await stores.content.deleteUnused(digest, Date.now() + 1000, () => references.needs(digest))).toBe(16);
  references.close();
  database.close();
});

test("P5: a registry that cannot be read is not taken for one that needs nothing", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(bundleAbout("sha256:".padEnd(71, "0") as Digest));
  writeFileSync(registryDatabase(stores.home), "no database at all, and long enough to be seen as none".repeat(20));
  expect(await codeOf(prune(stores, { clock: later() }))).toBe("STORE_REGISTRY_UNREADABLE");
  expect(await stores.content.has(digest)).toBe(true);
  expect(await codeOf(fsck(stores.home, stores))).toBe("STORE_REGISTRY_UNREADABLE");
  expect(await codeOf(backup(stores.home, join(temporaryDirectory(), "backup.tar")))).toBe("STORE_REGISTRY_UNREADABLE");
});

test("F1: content that the registry has and the store lacks is named", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(Buffer.from("layer"));
  registryOf(stores, [digest]).close();
  expect((await fsck(stores.home, stores)).findings).toEqual([]);
  await stores.content.delete(digest);
  expect((await fsck(stores.home, stores)).findings).toEqual([
    expect.objectContaining({ code: "STORE_BLOB_MISSING", subject: digest }),
  ]);
});

test("B5: a backup holds the registry as of one moment, whatever its journal holds, and no uploads", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(Buffer.from("layer"));
  // Still open: what was written lies in the journal.
  const database = registryOf(stores, [digest]);
  mkdirSync(join(stores.home.paths.registry, "uploads"));
  writeFileSync(join(stores.home.paths.registry, "uploads", "half"), "half");
  const directory = temporaryDirectory();
  const one = await backup(stores.home, join(directory, "one.tar"));
  expect((await backup(stores.home, join(directory, "two.tar"))).digest).toBe(one.digest);
  const { home } = await restore(one.file, join(directory, "home"));
  expect(readdirSync(join(home, "registry"))).toEqual(["registry.db"]);
  const restored = new DatabaseSync(join(home, "registry", "registry.db"));
  expect(restored.prepare("SELECT digest FROM content").all()).toEqual([{ digest }]);
  restored.close();
  database.close();
});

test("B5: a backup with anything else in its registry is refused", async () => {
  const stores = await openStores(await temporaryHome());
  const directory = temporaryDirectory();
  const { file } = await backup(stores.home, join(directory, "backup.tar"));
  const bytes = readFileSync(file);
  for (const name of ["registry.db-wal", "registry.db/x", "uploads/x", "other"]) {
    const path = `home/registry/${name}`;
    const entry = tarHeader({ path, kind: "file", size: 1, mode: 0o600, mtime: 0 });
    const evil = join(directory, "evil.tar");
    writeFileSync(
      evil,
      Buffer.concat([
        bytes.subarray(0, firstEntry(bytes)),
        entry,
        Buffer.from("x"),
        padding(1),
        bytes.subarray(firstEntry(bytes)),
      ]),
    );
    expect([name, await codeOf(restore(evil, join(directory, "home")))]).toEqual([name, "STORE_ARCHIVE_PATH"]);
    expect(existsSync(join(directory, "home"))).toBe(false);
  }
});

/** Where the second entry begins. */
function firstEntry(archive: Buffer): number {
  const size = Number.parseInt(archive.subarray(124, 135).toString(), 8);
  return 512 + Math.ceil(size / 512) * 512;
}
