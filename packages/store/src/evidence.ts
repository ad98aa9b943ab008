import type { Digest } from "@touchmark/core";
import { type BundleContent, readBundle } from "./bundle-subjects.ts";
import type { FileContentStore } from "./content-store.ts";
import type { Index } from "./index-database.ts";
import { rebuildIndex } from "./rebuild-index.ts";
import type { RunRecord } from "./run-record.ts";
import type { RunStore } from "./run-store.ts";

/** The stores that evidence is looked up in. */
export interface EvidenceStores {
  readonly content: FileContentStore;
  readonly runs: RunStore;
  readonly index: Index;
  /** Set by who asks about many digests that nobody here knows. Default: each empty answer has the index made anew. */
  readonly mending?: IndexMending;
}

/** Remembers that the index was made anew, from when on an empty answer is one: no question costs the whole store. */
export interface IndexMending {
  once?: Promise<unknown> | undefined;
}

/** A stored bundle, its bytes having the digest. Nothing about it is verified: that is `verify`'s part. */
export interface FoundBundle {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly content: BundleContent;
}

/**
 * The bundles that really name `subject`, in order of log index. The index only says where to look: what it says
 * falsely is dropped, and a false or empty answer has it made anew once.
 */
export async function findBundles(
  stores: EvidenceStores,
  subject: Digest,
  predicateType?: string,
): Promise<FoundBundle[]> {
  const first = await confirmedBundles(stores, subject, predicateType);
  if (first.trusted && first.found.length > 0) return first.found;
  await mend(stores, first.trusted);
  return (await confirmedBundles(stores, subject, predicateType)).found;
}

/** The runs whose records really list an artifact of that digest, newest first. */
export async function findRuns(stores: EvidenceStores, artifact: Digest): Promise<RunRecord[]> {
  const first = await confirmedRuns(stores, artifact);
  if (first.trusted && first.found.length > 0) return first.found;
  await mend(stores, first.trusted);
  return (await confirmedRuns(stores, artifact)).found;
}

async function mend({ index, runs, content, mending }: EvidenceStores, wasTrusted: boolean): Promise<void> {
  if (mending === undefined || !wasTrusted) {
    await rebuildIndex(index, runs, content);
    return;
  }
  mending.once ??= rebuildIndex(index, runs, content);
  try {
    await mending.once;
  } catch (error) {
    mending.once = undefined;
    throw error;
  }
}

async function confirmedBundles(
  stores: EvidenceStores,
  subject: Digest,
  predicateType: string | undefined,
): Promise<{ found: FoundBundle[]; trusted: boolean }> {
  const found: FoundBundle[] = [];
  let trusted = true;
  for (const { digest } of stores.index.bundlesAbout(subject, predicateType)) {
    const bytes = await stores.content.get(digest).catch(() => undefined);
    const content = bytes === undefined ? undefined : readBundle(bytes);
    const names =
      content?.subjects.some((one) => one.digest === subject) &&
      (predicateType === undefined || content.predicateType === predicateType);
    if (bytes === undefined || content === undefined || !names) trusted = false;
    else found.push({ digest, bytes, content });
  }
  return { found, trusted };
}

async function confirmedRuns(
  stores: EvidenceStores,
  artifact: Digest,
): Promise<{ found: RunRecord[]; trusted: boolean }> {
  const found: RunRecord[] = [];
  let trusted = true;
  for (const id of new Set(stores.index.artifacts(artifact).map(({ run }) => run))) {
    const record = await stores.runs.get(id).catch(() => undefined);
    if (record?.artifacts.some((one) => one.digest === artifact)) found.push(record);
    else trusted = false;
  }
  return { found, trusted };
}
