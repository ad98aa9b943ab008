import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Digest } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import { guarded, type PruneStores, prune, referencedByRuns, takeLock } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { DocumentBatch } from "./document-batch.ts";
import { historyText, holdersText, indexedDigestsOf, parseHistory, parseHolders } from "./documents.ts";
import { MirrorLayout } from "./mirror-layout.ts";
import type { MirrorOptions } from "./open-mirror.ts";

/** What to prune. Without age, size and `unused` nothing goes. */
export interface MirrorPruneOptions {
  /** Bodies that came longer ago than this may go. */
  readonly olderThanSeconds?: number;
  /** Oldest bodies go until the mirror's take at most this many bytes. */
  readonly maxBytes?: number;
  /** Whatever no kept run refers to goes, however new. */
  readonly unused?: boolean;
  /** What was put or used within this time stays, for runs that are going on. Default 600 seconds. */
  readonly graceSeconds?: number;
  /** Only report. */
  readonly dryRun?: boolean;
}

/** What a prune did, or would do. */
export interface MirrorPruneReport {
  readonly dryRun: boolean;
  /** Bytes of all bodies before. */
  readonly bytesBefore: number;
  readonly freedBytes: number;
  /** Bodies that went, with the address that each came from. */
  readonly bodies: readonly { readonly digest: Digest; readonly url: string; readonly size: number }[];
  /** Bodies that stay, by reason. */
  readonly kept: Readonly<Record<KeepReason, number>>;
  /** True when `maxBytes` was given and could not be reached. */
  readonly aboveMaxBytes: boolean;
}

/** Why a body stays. */
export type KeepReason = "a kept run refers to it" | "it was used lately" | "it is neither old nor in the way";

interface Body {
  readonly digest: Digest;
  readonly records: MaterialRecord[];
  readonly size: number;
  newest: number;
}

/**
 * Deletes records of the mirror, then the bodies that nothing else refers to. What a kept run refers to always stays,
 * and the ledger of files ever seen is never pruned.
 * @throws STORE_LOCK_BUSY | MIRROR_LEDGER_CORRUPT
 */
export function pruneMirror(
  stores: PruneStores,
  options: MirrorOptions,
  what: MirrorPruneOptions = {},
): Promise<MirrorPruneReport> {
  return guarded("pruning the mirror", async () => {
    const layout = new MirrorLayout(options.directory);
    layout.prepare();
    const now = options.clock.now().getTime();
    const ids = stores.runs.ids();
    const used = await referencedByRuns(stores, ids);
    const since = await sinceWhen(stores, ids, now - (what.graceSeconds ?? 600) * 1000);
    const bodies = bodiesOf(layout);
    const bytesBefore = bodies.reduce((total, body) => total + body.size, 0);
    const kept: Record<KeepReason, number> = {
      "a kept run refers to it": 0,
      "it was used lately": 0,
      "it is neither old nor in the way": 0,
    };
    const leaving: Body[] = [];
    let remaining = bytesBefore;
    for (const body of bodies) {
      const old = what.olderThanSeconds !== undefined && (now - body.newest) / 1000 > what.olderThanSeconds;
      const inTheWay = what.maxBytes !== undefined && remaining > what.maxBytes;
      if (used.has(body.digest)) kept["a kept run refers to it"]++;
      else if (!old && !inTheWay && what.unused !== true) kept["it is neither old nor in the way"]++;
      else if ((options.content.usedAt(body.digest) ?? 0) > since) kept["it was used lately"]++;
      else {
        leaving.push(body);
        remaining -= body.size;
      }
    }
    let freedBytes = leaving.reduce((total, body) => total + body.size, 0);
    if (what.dryRun !== true && leaving.length > 0) freedBytes = await remove(stores, layout, leaving, options, what);
    return {
      dryRun: what.dryRun === true,
      bytesBefore,
      freedBytes,
      bodies: leaving.map(({ digest, records, size }) => ({ digest, url: records[0]?.url ?? "", size })),
      kept,
      aboveMaxBytes: what.maxBytes !== undefined && remaining > what.maxBytes,
    };
  });
}

/** A run that is going on may use whatever it put or used since it began. */
async function sinceWhen(stores: PruneStores, ids: readonly string[], grace: number): Promise<number> {
  let since = grace;
  for (const id of ids) {
    if (!(await stores.runs.isLive(id))) continue;
    const record = await stores.runs.get(id).catch(() => undefined);
    since = record === undefined ? Number.NEGATIVE_INFINITY : Math.min(since, Date.parse(record.startedAt));
  }
  return since;
}

/** Every body that a readable record names, the one that came longest ago first. */
function bodiesOf(layout: MirrorLayout): Body[] {
  const bodies = new Map<Digest, Body>();
  for (const path of layout.documents("records")) {
    for (const record of historyAt(layout, path)) {
      const body = bodies.get(record.digest) ?? { digest: record.digest, records: [], size: record.size, newest: 0 };
      body.records.push(record);
      body.newest = Math.max(body.newest, Date.parse(record.fetchedAt));
      bodies.set(record.digest, body);
    }
  }
  return [...bodies.values()].sort((a, b) => a.newest - b.newest || (a.digest < b.digest ? -1 : 1));
}

function historyAt(layout: MirrorLayout, path: string): readonly MaterialRecord[] {
  try {
    return parseHistory(layout.read(path) ?? Buffer.alloc(0), basename(path, ".json"));
  } catch {
    // Damaged: for `verify` to name. Nothing is deleted on its word.
    return [];
  }
}

async function remove(
  stores: PruneStores,
  layout: MirrorLayout,
  leaving: readonly Body[],
  options: MirrorOptions,
  what: MirrorPruneOptions,
): Promise<number> {
  const digests = new Set(leaving.map(({ digest }) => digest));
  const lock = await takeLock(join(layout.locks, "write.lock"), { timeoutMs: 120_000 });
  try {
    layout.removeTemporaries();
    // Records go first: a crash then leaves bodies that nothing names, and never a record without its body.
    const batch = new DocumentBatch(layout);
    const emptied: string[] = [];
    const records = leaving.flatMap((body) => body.records);
    for (const key of new Set(records.map((record) => record.key))) {
      const path = layout.record(key);
      // What came since it was listed stays.
      const left = historyAt(layout, path).filter(
        (record) =>
          !records.some((one) => one.key === key && one.digest === record.digest && one.fetchedAt === record.fetchedAt),
      );
      if (left.length === 0) emptied.push(path);
      else batch.write(path, historyText(left));
    }
    for (const path of emptied) rmSync(path, { force: true });
    await batch.flush(() => 0);
    await forget(layout, leaving);
  } finally {
    lock.release();
  }
  const { clock } = options;
  const grace = what.graceSeconds === undefined ? {} : { graceSeconds: what.graceSeconds };
  return (await prune(stores, { only: digests, clock, ...grace })).freedBytes;
}

/** Takes bodies out of the index of digests. */
async function forget(layout: MirrorLayout, leaving: readonly Body[]): Promise<void> {
  const batch = new DocumentBatch(layout);
  const emptied = new Set<string>();
  const named = new Map<string, AnnouncedDigest>();
  for (const record of leaving.flatMap((body) => body.records)) {
    for (const digest of indexedDigestsOf(record)) named.set(layout.digest(digest), digest);
  }
  const gone = new Set(leaving.flatMap(({ records, digest }) => records.map((record) => `${record.key} ${digest}`)));
  for (const [path, digest] of named) {
    const bytes = batch.read(path);
    if (bytes === undefined) continue;
    try {
      const left = parseHolders(bytes, digest).filter((holder) => !gone.has(`${holder.key} ${holder.digest}`));
      if (left.length === 0) emptied.add(path);
      else batch.write(path, holdersText(digest, left));
    } catch {
      emptied.add(path);
    }
  }
  for (const path of emptied) rmSync(path, { force: true });
  await batch.flush(() => 0);
}
