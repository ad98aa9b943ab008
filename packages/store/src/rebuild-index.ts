import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import { type BundleContent, readBundle } from "./bundle-subjects.ts";
import type { FileContentStore } from "./content-store.ts";
import type { Index } from "./index-database.ts";
import type { RunRecord } from "./run-record.ts";
import type { RunStore } from "./run-store.ts";

const LARGEST_BUNDLE = 64 * 1024 * 1024;
const HEAD_BYTES = 512;

/** What a rebuild found. */
export interface RebuiltIndex {
  readonly runs: number;
  readonly bundles: number;
  /** Runs and blobs that could not be read, with the reason. */
  readonly unreadable: readonly string[];
}

/**
 * Makes the index anew from run records and bundles. What a bundle says about itself outranks what a record says about
 * it. Readers see the old rows until the new ones are complete.
 */
export async function rebuildIndex(index: Index, runs: RunStore, content: FileContentStore): Promise<RebuiltIndex> {
  const unreadable: string[] = [];
  const records: RunRecord[] = [];
  for (const id of runs.ids()) {
    try {
      records.push(await runs.get(id));
    } catch (cause) {
      unreadable.push(`run ${id}: ${(cause as Error).message}`);
    }
  }
  const bundles: { digest: Digest; read: BundleContent }[] = [];
  for await (const { digest, size } of content.list()) {
    if (size > LARGEST_BUNDLE || !startsLikeJson(content.path(digest))) continue;
    try {
      const read = readBundle(await content.get(digest, { maxBytes: LARGEST_BUNDLE }));
      if (read !== undefined) bundles.push({ digest, read });
    } catch (cause) {
      unreadable.push(`blob ${digest}: ${(cause as Error).message}`);
    }
  }
  index.batch(() => {
    index.clear();
    for (const record of records) index.putRun(record);
    for (const { digest, read } of bundles) index.putBundle(digest, read);
  });
  return { runs: records.length, bundles: bundles.length, unreadable };
}

/** Spares reading large archives whole only to find that they are no JSON. */
function startsLikeJson(path: string): boolean {
  const head = Buffer.alloc(HEAD_BYTES);
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const count = readSync(descriptor, head, 0, HEAD_BYTES, 0);
    return /^\s*\{\s*"/.test(head.subarray(0, count).toString("latin1"));
  } finally {
    closeSync(descriptor);
  }
}
