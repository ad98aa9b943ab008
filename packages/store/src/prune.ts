import { lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Digest, digestHex, systemClock } from "@touchmark/core";
import type { FileContentStore } from "./content-store.ts";
import type { Home } from "./home.ts";
import type { Index } from "./index-database.ts";
import { digestsBelow, filesBelow, mirrorBodies, References } from "./references.ts";
import { RegistryReferences } from "./registry-references.ts";
import { digestsIn, type RunRecord } from "./run-record.ts";
import type { RunStore } from "./run-store.ts";
import { guarded, isAbsent } from "./system-failure.ts";
import type { TreeStore } from "./tree-store.ts";

/** What to prune. Without age and size only what nothing refers to goes. */
export interface PruneOptions {
  /** Runs begun longer ago than this may go. */
  readonly olderThanSeconds?: number;
  /** Oldest runs go until blobs, trees and runs take at most this many bytes. */
  readonly maxBytes?: number;
  /** Newest runs of each project and pipeline that always stay. Default 1. */
  readonly keepRuns?: number;
  /** Content put or used within this time stays, for whoever is about to refer to it. Default 600 seconds. */
  readonly graceSeconds?: number;
  /** Of content, only this may go. Default whatever nothing refers to. */
  readonly only?: ReadonlySet<Digest>;
  /** Content that the registry is about to need no more; only a dry run takes its word for it. */
  readonly released?: ReadonlySet<Digest>;
  /** Only report. */
  readonly dryRun?: boolean;
  readonly clock?: Clock;
}

/** The stores to prune. */
export interface PruneStores {
  readonly home: Home;
  readonly content: FileContentStore;
  readonly trees: TreeStore;
  readonly runs: RunStore;
  /** Told what went; may be absent, since it can be made again. */
  readonly index?: Index;
}

/** What a prune did, or would do. */
export interface PruneReport {
  readonly dryRun: boolean;
  /** Bytes of blobs, trees and runs before. */
  readonly bytesBefore: number;
  readonly freedBytes: number;
  /** Runs deleted, oldest first. */
  readonly runs: readonly string[];
  readonly blobs: readonly Digest[];
  readonly trees: readonly Digest[];
  /** Entries of the step cache deleted, because what they point to is gone. */
  readonly cacheEntries: number;
  /** Runs that stay, and why. */
  readonly kept: readonly { readonly run: string; readonly reason: string }[];
  /** True when `maxBytes` was given and could not be reached. */
  readonly aboveMaxBytes: boolean;
}

interface Subject {
  readonly id: string;
  readonly record: RunRecord | undefined;
  readonly mentions: ReadonlySet<Digest>;
  readonly bytes: number;
  reason: string | undefined;
}

interface Item {
  readonly kind: "blob" | "tree";
  readonly digest: Digest;
  readonly bytes: number;
  readonly usedAt: number;
}

/**
 * Deletes old runs with whatever no remaining run, project or trust root refers to, directly or through bundles. The
 * transparency log is never touched. Writers may go on meanwhile; a crash leaves nothing half deleted.
 * @throws STORE_LOCK_BUSY
 */
export function prune(stores: PruneStores, options: PruneOptions = {}): Promise<PruneReport> {
  return guarded("pruning", async () => {
    const lock = await stores.home.lock("prune");
    const registry = new RegistryReferences(stores.home);
    try {
      return await pruneLocked(stores, registry, options);
    } finally {
      registry.close();
      lock.release();
    }
  });
}

async function pruneLocked(
  stores: PruneStores,
  registry: RegistryReferences,
  options: PruneOptions,
): Promise<PruneReport> {
  const now = (options.clock ?? systemClock).now().getTime();
  const references = new References(stores.content, mirrorBodies(stores.home));
  const subjects = await runsWithReasons(stores, references, options, now);
  const live = subjects
    .filter((one) => one.reason === "it is going on")
    .map((one) => Date.parse(one.record?.startedAt ?? ""));
  // A live run may refer to anything it put or used since it began.
  const since = Math.min(now - (options.graceSeconds ?? 600) * 1000, ...live);
  const items = [...(await blobItems(stores.content)), ...(await treeItems(stores.trees))];
  const usedLately = new Set(items.filter((item) => item.usedAt > since).map((item) => item.digest));
  for (const one of subjects) {
    if (one.reason === undefined && live.length > 0 && [...one.mentions].some((digest) => usedLately.has(digest))) {
      one.reason = "a run that is going on uses its content";
    }
  }
  const roots = await standingRoots(stores, references, subjects, items, options, now);
  // As with the mirror: clients' bytes, which keep nothing but themselves.
  for (const digest of registry.all()) if (options.dryRun !== true || !options.released?.has(digest)) roots.add(digest);
  const bytesBefore = sum(items) + subjects.reduce((total, one) => total + one.bytes, 0);
  const { leaving, remaining } = choose(subjects, items, roots, usedLately, bytesBefore, options, now);
  const needed = new Set(roots);
  for (const one of subjects) if (!leaving.includes(one)) for (const digest of one.mentions) needed.add(digest);
  const mayGo = (digest: Digest) => options.only === undefined || options.only.has(digest);
  const garbage = items.filter(({ digest }) => mayGo(digest) && !needed.has(digest) && !usedLately.has(digest));
  const kept = subjects
    .filter((one) => !leaving.includes(one))
    .map((one) => ({ run: one.id, reason: one.reason ?? "it is neither old enough nor in the way" }));
  const done = options.dryRun === true ? undefined : await deleteAll(stores, registry, leaving, garbage, since);
  return {
    dryRun: options.dryRun === true,
    bytesBefore,
    freedBytes: done?.freed ?? sum(garbage) + leaving.reduce((total, one) => total + one.bytes, 0),
    runs: leaving.map((one) => one.id),
    blobs: garbage.filter((item) => item.kind === "blob").map((item) => item.digest),
    trees: garbage.filter((item) => item.kind === "tree").map((item) => item.digest),
    cacheEntries: done?.cacheEntries ?? 0,
    kept,
    aboveMaxBytes: options.maxBytes !== undefined && remaining > options.maxBytes,
  };
}

/** Every run, newest first, with the reason for which it has to stay, if there is one. */
async function runsWithReasons(
  stores: PruneStores,
  references: References,
  options: PruneOptions,
  now: number,
): Promise<Subject[]> {
  const subjects: Subject[] = [];
  const kept = new Map<string, number>();
  for (const id of stores.runs.ids()) {
    const directory = stores.runs.directory(id);
    const record = await stores.runs.get(id).catch(() => undefined);
    // The text, not the parsed record: also what this version does not understand keeps its content.
    const mentions = await references.closure(digestsIn(textOf(join(directory, "run.json"))));
    const bytes = filesBelow(directory).reduce((total, path) => total + sizeOf(path), 0);
    const group = `${record?.project}\0${record?.pipeline}`;
    const rank = kept.get(group) ?? 0;
    kept.set(group, rank + 1);
    let reason: string | undefined;
    if (await stores.runs.isLive(id)) reason = "it is going on";
    else if (record === undefined) reason = "its record cannot be read";
    else if (rank < (options.keepRuns ?? 1)) reason = "it is among the newest of its pipeline";
    else if (options.olderThanSeconds === undefined && options.maxBytes === undefined)
      reason = "no age or size was given";
    else if (Date.parse(record.startedAt) > now) reason = "it began in the future";
    subjects.push({ id, record, mentions, bytes, reason });
  }
  return subjects;
}

/** What stays whatever runs go: content that projects, trust roots and bundles without a run refer to. */
async function standingRoots(
  stores: PruneStores,
  references: References,
  subjects: readonly Subject[],
  items: readonly Item[],
  options: PruneOptions,
  now: number,
): Promise<Set<Digest>> {
  const { paths } = stores.home;
  const roots = new Set<Digest>([
    ...digestsBelow(paths.projects),
    ...digestsBelow(paths.trust),
    ...digestsIn(textOf(join(stores.content.directory, "index.json"))),
  ]);
  const mentioned = new Set<Digest>();
  for (const one of subjects) for (const digest of one.mentions) mentioned.add(digest);
  const oldest =
    options.olderThanSeconds === undefined ? Number.NEGATIVE_INFINITY : now - options.olderThanSeconds * 1000;
  for (const item of items) {
    if (item.kind !== "blob" || mentioned.has(item.digest)) continue;
    await references.mentions(item.digest);
    // Evidence that no run made, `touchmark attest`'s for example, has an age of its own.
    if (references.subjects.has(item.digest) && item.usedAt > oldest) roots.add(item.digest);
  }
  const reached = await references.closure(roots);
  // Bodies of the mirror stay as long as their records. They are others' bytes: what they mention counts for nothing.
  for (const digest of mirrorBodies(stores.home)) reached.add(digest);
  return reached;
}

/** Picks the runs to delete: the old ones, then the oldest until the rest is small enough. */
function choose(
  subjects: readonly Subject[],
  items: readonly Item[],
  roots: ReadonlySet<Digest>,
  usedLately: ReadonlySet<Digest>,
  bytesBefore: number,
  options: PruneOptions,
  now: number,
): { leaving: Subject[]; remaining: number } {
  const users = new Map<Digest, number>();
  for (const one of subjects) for (const digest of one.mentions) users.set(digest, (users.get(digest) ?? 0) + 1);
  const bytesOf = new Map<Digest, number>();
  for (const item of items) bytesOf.set(item.digest, (bytesOf.get(item.digest) ?? 0) + item.bytes);
  const stays = (digest: Digest) => roots.has(digest) || usedLately.has(digest);
  let remaining = bytesBefore;
  for (const [digest, bytes] of bytesOf) if (!users.has(digest) && !stays(digest)) remaining -= bytes;
  const leaving: Subject[] = [];
  for (const one of [...subjects].reverse()) {
    if (one.reason !== undefined || one.record === undefined) continue;
    const age = (now - Date.parse(one.record.startedAt)) / 1000;
    const old = options.olderThanSeconds !== undefined && age > options.olderThanSeconds;
    if (!old && !(options.maxBytes !== undefined && remaining > options.maxBytes)) continue;
    leaving.push(one);
    remaining -= one.bytes;
    for (const digest of one.mentions) {
      const left = (users.get(digest) ?? 0) - 1;
      users.set(digest, left);
      if (left === 0 && !stays(digest)) remaining -= bytesOf.get(digest) ?? 0;
    }
  }
  return { leaving, remaining };
}

async function deleteAll(
  stores: PruneStores,
  registry: RegistryReferences,
  leaving: readonly Subject[],
  garbage: readonly Item[],
  since: number,
): Promise<{ freed: number; cacheEntries: number }> {
  let freed = 0;
  // Records go first: a crash then leaves content without a record, which the next prune finds, and never a record
  // without its content.
  for (const { id } of leaving) {
    freed += await stores.runs.delete(id);
    stores.index?.deleteRun(id);
  }
  const gone = new Set<Digest>();
  for (const { kind, digest } of garbage) {
    const bytes = await (kind === "blob"
      ? // Somebody may have pushed it since: the registry is asked again, at the last moment.
        stores.content.deleteUnused(digest, since, () => registry.needs(digest))
      : stores.trees.deleteUnused(digest, since));
    freed += bytes;
    const left = await (kind === "blob" ? stores.content : stores.trees).has(digest);
    if (!left) gone.add(digest);
    if (!left && kind === "blob") stores.index?.deleteBundle(digest);
  }
  return { freed, cacheEntries: forgetCached(stores.home.paths.cache, gone) };
}

/** Deletes cache entries that point to what is gone. They would be refused anyway; this saves asking. */
function forgetCached(cache: string, gone: ReadonlySet<Digest>): number {
  if (gone.size === 0) return 0;
  const hex = new Set([...gone].map(digestHex));
  let count = 0;
  for (const path of filesBelow(cache)) {
    const words = textOf(path).match(/[0-9a-f]{64}/g) ?? [];
    if (!words.some((word) => hex.has(word))) continue;
    rmSync(path, { force: true });
    count++;
  }
  return count;
}

async function blobItems(content: FileContentStore): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { digest, size } of content.list()) {
    items.push({ kind: "blob", digest, bytes: size, usedAt: content.usedAt(digest) ?? Number.POSITIVE_INFINITY });
  }
  return items;
}

async function treeItems(trees: TreeStore): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { digest, usedAt } of trees.list()) {
    // A tree whose list is damaged has no known size, and still goes when nobody needs it.
    items.push({ kind: "tree", digest, bytes: await trees.size(digest).catch(() => 0), usedAt });
  }
  return items;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (isAbsent(cause)) return "";
    throw cause;
  }
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function sum(items: readonly Item[]): number {
  return items.reduce((total, item) => total + item.bytes, 0);
}
