import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, fixedClock } from "@touchmark/core";
import { expect, test } from "vitest";
import { backup } from "./backup.ts";
import { fsck } from "./fsck.ts";
import { prune } from "./prune.ts";
import { referencedByRuns } from "./references.ts";
import { restore } from "./restore.ts";
import { bundleAbout, openStores, type Stores, sampleRun } from "./sample-run.ts";
import { temporaryDirectory, temporaryHome } from "./temporary-home.ts";

const later = () => fixedClock(new Date(Date.now() + 7 * 86_400_000));

/** A record of the mirror, as far as the stores look into it. */
function recordOf(stores: Stores, digest: Digest, name = "aa"): string {
  const shard = join(stores.home.paths.materials, "records", "aa");
  mkdirSync(shard, { recursive: true });
  const path = join(shard, `${name}.json`);
  const variant = { body: `sha256:${"0".repeat(64)}` };
  const headers = { etag: `"digest":"sha256:${"1".repeat(64)}"` };
  writeFileSync(path, JSON.stringify({ records: [{ digest, headers, variant }] }));
  return path;
}

test("P4: bodies that records of the mirror name stay; what they mention themselves counts for nothing", async () => {
  const stores = await openStores(await temporaryHome());
  const kept = await stores.content.put(Buffer.from("mirrored by somebody"));
  const mentioned = await stores.content.put(Buffer.from("mentioned by a registry"));
  const index = await stores.content.put(Buffer.from(JSON.stringify({ digest: mentioned.digest })));
  const reached = await stores.content.put(Buffer.from("mentioned by a bundle"));
  const bundle = await stores.content.put(bundleAbout(kept.digest, { mentions: [reached.digest] }));
  for (const [name, { digest }] of Object.entries({ kept, index, bundle })) recordOf(stores, digest, name);
  const dry = await prune(stores, { clock: later(), dryRun: true });
  expect(dry.blobs).toEqual([mentioned.digest]);
  expect((await prune(stores, { clock: later(), only: new Set([kept.digest]) })).blobs).toEqual([]);
  expect((await prune(stores, { clock: later() })).blobs).toEqual([mentioned.digest]);
  expect(await stores.content.has(reached.digest)).toBe(true);
});

test("P4: what the evidence of runs reaches is known", async () => {
  const stores = await openStores(await temporaryHome());
  const run = await sampleRun(stores, "one");
  const other = await stores.content.put(Buffer.from("other"));
  const reached = await referencedByRuns(stores, [run.id]);
  expect([reached.has(run.artifacts[0]?.digest as Digest), reached.has(other.digest), reached.size]).toEqual([
    true,
    false,
    5,
  ]);
  expect((await referencedByRuns(stores, [])).size).toBe(0);
});

test("F1: a body that a record of the mirror names and the store lacks is named", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(Buffer.from("mirrored"));
  recordOf(stores, digest);
  expect((await fsck(stores.home, stores)).findings).toEqual([]);
  await stores.content.delete(digest);
  expect((await fsck(stores.home, stores)).findings).toEqual([
    expect.objectContaining({ code: "STORE_BLOB_MISSING", subject: digest }),
  ]);
});

test("B1, B2: a backup holds records of the mirror with their bodies, and nothing that is on its way", async () => {
  const stores = await openStores(await temporaryHome());
  const { digest } = await stores.content.put(Buffer.from("mirrored"));
  recordOf(stores, digest);
  for (const part of ["incoming", "locks", "quarantine"]) {
    mkdirSync(join(stores.home.paths.materials, part));
    writeFileSync(join(stores.home.paths.materials, part, "half"), "half");
  }
  const directory = temporaryDirectory();
  await backup(stores.home, join(directory, "backup.tar"));
  const { home } = await restore(join(directory, "backup.tar"), join(directory, "home"));
  expect(existsSync(join(home, "materials", "records", "aa", "aa.json"))).toBe(true);
  for (const part of ["incoming", "locks", "quarantine"]) expect(existsSync(join(home, "materials", part))).toBe(false);
});
