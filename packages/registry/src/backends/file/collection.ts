import type { Digest } from "@touchmark/core";
import { type FileContentStore, type Home, openRunStore, openTreeStore, prune } from "@touchmark/store";
import type { CollectReport } from "../../backend.ts";
import { keptOf } from "../marking.ts";
import { byBytes } from "../pages.ts";
import { deleteManifest } from "./file-manifests.ts";
import type { RegistryDatabase } from "./registry-database.ts";

/** What to collect. */
export interface CollectOptions {
  readonly untagged: boolean;
  readonly graceSeconds: number;
  readonly dryRun: boolean;
}

/** What a repository can do without. */
interface Garbage {
  readonly id: number;
  readonly repository: string;
  readonly manifests: readonly { readonly digest: Digest; readonly size: number }[];
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
}

// Whoever was told that something is there may still refer to it: FileManifests refuses that for ten minutes.
const REMEMBER_MS = 60 * 60_000;

/**
 * Collects what nothing refers to. What a repository can do without is found and taken out in one transaction, so that
 * no writer comes between; bytes go afterwards, by the home's own prune, which keeps what runs refer to and asks for
 * each digest once more whether somebody has put it since.
 */
export async function collectFiles(
  stores: { readonly home: Home; readonly content: FileContentStore; readonly database: RegistryDatabase },
  options: CollectOptions,
  now: number,
): Promise<Omit<CollectReport, "abandonedUploads">> {
  const { home, content, database } = stores;
  const lock = await home.lock("registry-collect");
  try {
    const before = now - options.graceSeconds * 1000;
    const found: Garbage[] = [];
    for (const { id, name } of database.all("SELECT id, name FROM repositories ORDER BY name")) {
      const look = () => garbageOf(database, Number(id), String(name), options.untagged, before);
      const garbage = look();
      if (garbage.manifests.length + garbage.blobs.length === 0) continue;
      found.push(options.dryRun ? garbage : await database.write(() => takeOut(database, look(), now)));
    }
    const documents = lastOf(found, "manifests", (digest) => countOf(database, "manifests", digest), options.dryRun);
    const released = options.dryRun
      ? lastOf(found, "blobs", (digest) => countOf(database, "blobs", digest), true)
      : leftOver(database);
    const pruned = await prune(
      { home, content, trees: await openTreeStore(home), runs: openRunStore(home) },
      {
        only: new Set(released.keys()),
        released: new Set(released.keys()),
        graceSeconds: options.graceSeconds,
        dryRun: options.dryRun,
        clock: { now: () => new Date(now) },
      },
    );
    const gone: Digest[] = [];
    for (const digest of pruned.blobs) if (options.dryRun || !(await content.has(digest))) gone.push(digest);
    if (!options.dryRun) await forget(database, gone, now);
    const bytesOf = (digest: Digest) => documents.get(digest) ?? released.get(digest) ?? 0;
    const deletedBlobs = [...gone, ...documents.keys()].sort(byBytes);
    const rows = database.get(
      "SELECT (SELECT count(DISTINCT digest) FROM blobs) + (SELECT count(*) FROM documents) AS count",
    );
    return {
      deletedManifests: found.flatMap(({ repository, manifests }) =>
        manifests.map(({ digest }) => ({ repository, digest })),
      ),
      deletedBlobs,
      freedBytes: deletedBlobs.reduce((sum, digest) => sum + bytesOf(digest), 0),
      keptBlobs: Number(rows?.["count"]) - (options.dryRun ? documents.size + released.size : 0),
    };
  } finally {
    lock.release();
  }
}

function garbageOf(
  database: RegistryDatabase,
  id: number,
  repository: string,
  untagged: boolean,
  before: number,
): Garbage {
  const tagged = new Set(
    database.all("SELECT DISTINCT digest FROM tags WHERE repository = ?", id).map((row) => row["digest"]),
  );
  const manifests = database
    .all("SELECT digest, size, refs, subject, put_at FROM manifests WHERE repository = ?", id)
    .map((row) => ({
      digest: row["digest"] as Digest,
      size: Number(row["size"]),
      references: JSON.parse(String(row["refs"])) as Digest[],
      subject: (row["subject"] ?? undefined) as Digest | undefined,
      isRoot: !untagged || Number(row["put_at"]) > before || tagged.has(row["digest"] as string),
    }));
  const kept = keptOf(manifests);
  const blobs = database
    .all("SELECT digest, size FROM blobs WHERE repository = ? AND linked_at <= ?", id, before)
    .map((row) => ({ digest: row["digest"] as Digest, size: Number(row["size"]) }));
  return {
    id,
    repository,
    manifests: manifests.filter(({ digest }) => !kept.has(digest)).map(({ digest, size }) => ({ digest, size })),
    blobs: blobs.filter(({ digest }) => !kept.has(digest)),
  };
}

/** Takes garbage out of its repository; inside a write. */
function takeOut(database: RegistryDatabase, garbage: Garbage, now: number): Garbage {
  const { id, manifests, blobs } = garbage;
  const remember = (digest: Digest, size: number) =>
    database.run(
      "INSERT INTO collected VALUES (?, ?, ?, ?) ON CONFLICT (repository, digest) DO UPDATE SET at = excluded.at",
      id,
      digest,
      size,
      now,
    );
  for (const { digest } of manifests) {
    deleteManifest(database, id, digest);
    remember(digest, 0);
  }
  for (const { digest, size } of blobs) {
    database.run("DELETE FROM blobs WHERE repository = ? AND digest = ?", id, digest);
    remember(digest, size);
  }
  return garbage;
}

/** Of what goes from repositories: what no other repository has, with sizes. */
function lastOf(
  found: readonly Garbage[],
  kind: "manifests" | "blobs",
  count: (digest: Digest) => number,
  dryRun: boolean,
): Map<Digest, number> {
  const leaving = new Map<Digest, { size: number; times: number }>();
  for (const garbage of found) {
    for (const { digest, size } of garbage[kind]) {
      leaving.set(digest, { size, times: (leaving.get(digest)?.times ?? 0) + 1 });
    }
  }
  const last = new Map<Digest, number>();
  for (const [digest, { size, times }] of leaving) {
    if (count(digest) === (dryRun ? times : 0)) last.set(digest, size);
  }
  return last;
}

function countOf(database: RegistryDatabase, table: "manifests" | "blobs", digest: Digest): number {
  return Number(database.get(`SELECT count(*) AS count FROM ${table} WHERE digest = ?`, digest)?.["count"]);
}

/** What was taken out, now or by a collection that was killed, and no repository has again. */
function leftOver(database: RegistryDatabase): Map<Digest, number> {
  const rows = database.all(
    "SELECT DISTINCT digest, size FROM collected c WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.digest = c.digest)",
  );
  return new Map(rows.map((row) => [row["digest"] as Digest, Number(row["size"])]));
}

/** Forgets what is gone, once nobody can be about to refer to it. */
async function forget(database: RegistryDatabase, gone: readonly Digest[], now: number): Promise<void> {
  await database.write(() => {
    // What is gone counts for nothing any more but for those who saw it lately.
    for (const digest of gone) database.run("UPDATE collected SET size = 0 WHERE digest = ?", digest);
    database.run("DELETE FROM collected WHERE size = 0 AND at <= ?", now - REMEMBER_MS);
  });
}
