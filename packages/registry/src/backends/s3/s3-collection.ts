import type { Digest } from "@touchmark/core";
import type { CollectReport } from "../../backend.ts";
import { inParallel } from "../../client/parallel.ts";
import { keptOf, type MarkedManifest } from "../marking.ts";
import { byBytes } from "../pages.ts";
import type { CollectionSign } from "./collection-sign.ts";
import type { ObjectStorage } from "./object-storage.ts";
import type { S3Blobs } from "./s3-blobs.ts";
import { AT_ONCE, type S3Manifests } from "./s3-manifests.ts";
import { digestOf, repositoryOf, type StorageKeys } from "./storage-keys.ts";
import { parseTagRecord } from "./storage-records.ts";

/** The parts of a registry in an object storage. */
export interface S3Parts {
  readonly storage: ObjectStorage;
  readonly keys: StorageKeys;
  readonly blobs: S3Blobs;
  readonly manifests: S3Manifests;
  readonly sign: CollectionSign;
}

/** One object that can go. */
interface Garbage {
  readonly kind: "manifest" | "blob" | "content";
  readonly repository: string;
  readonly digest: Digest;
  readonly subject: Digest | undefined;
  readonly bytes: number;
}

interface Plan {
  readonly garbage: ReadonlyMap<string, Garbage>;
  /** Digests of manifests and blobs that stay, in some repository. */
  readonly kept: ReadonlySet<Digest>;
}

// What one collection takes: its sign has to hold the digests. The next one takes the rest.
const MOST = 100_000;

/** Collects what nothing refers to; how it goes along with writers is told at CollectionSign. */
export async function collectObjects(
  parts: S3Parts,
  options: { readonly untagged: boolean; readonly dryRun: boolean },
  before: number,
): Promise<Omit<CollectReport, "abandonedUploads">> {
  const first = await planOf(parts, options.untagged, before);
  if (options.dryRun || first.garbage.size === 0) return reportOf([...first.garbage.values()], first.kept);
  const wanted = new Map([...first.garbage].slice(0, MOST));
  const sign = await parts.sign.raise([...new Set([...wanted.values()].map(({ digest }) => digest))]);
  try {
    // Whoever wrote before the sign was up is seen now; whoever writes from now on sees the sign.
    const second = await planOf(parts, options.untagged, before);
    const going = [...wanted].filter(([key]) => second.garbage.has(key));
    for (const [key, garbage] of going) {
      await sign.hold();
      await parts.storage.delete(key);
      if (garbage.subject === undefined) continue;
      await parts.storage.delete(parts.keys.referrer(garbage.repository, garbage.subject, garbage.digest));
    }
    return reportOf(
      going.map(([, garbage]) => garbage),
      second.kept,
    );
  } finally {
    await sign.lower();
  }
}

/** Everything that can go, by key: manifests first, then what they referred to, then content. */
async function planOf(parts: S3Parts, untagged: boolean, before: number): Promise<Plan> {
  const { storage, keys } = parts;
  const manifests = new Map<string, Garbage>();
  const links = new Map<string, Garbage>();
  const needed = new Set<Digest>();
  const kept = new Set<Digest>();
  for await (const directory of storage.directories(keys.allRepositories())) {
    const repository = repositoryOf(directory);
    const found = await manifestsOf(parts, repository, untagged, before);
    const keptHere = keptOf(found);
    for (const { digest, subject, bytes } of found) {
      if (keptHere.has(digest)) kept.add(digest);
      else manifests.set(keys.manifest(repository, digest), { kind: "manifest", repository, digest, subject, bytes });
    }
    const candidates: Digest[] = [];
    for await (const { key } of storage.list(keys.allBlobs(repository))) {
      const digest = digestOf(key);
      if (digest === undefined) continue;
      if (keptHere.has(digest)) needed.add(digest);
      else candidates.push(digest);
    }
    await inParallel(candidates, AT_ONCE, async (digest) => {
      const record = await parts.blobs.record(repository, digest);
      if (record === undefined) return;
      if (record.linkedAt > before) needed.add(digest);
      else {
        const garbage: Garbage = { kind: "blob", repository, digest, subject: undefined, bytes: 0 };
        links.set(keys.blob(repository, digest), garbage);
      }
    });
  }
  const content = new Map<string, Garbage>();
  for await (const { key, size, modifiedAt } of storage.list(keys.allContent())) {
    const digest = digestOf(key);
    if (digest === undefined) continue;
    if (needed.has(digest) || modifiedAt > before) kept.add(digest);
    else content.set(key, { kind: "content", repository: "", digest, subject: undefined, bytes: size });
  }
  return { garbage: new Map([...manifests, ...links, ...content]), kept };
}

async function manifestsOf(
  parts: S3Parts,
  repository: string,
  untagged: boolean,
  before: number,
): Promise<(MarkedManifest & { readonly bytes: number })[]> {
  const { storage, keys } = parts;
  const tagged = new Set<Digest>();
  const names: string[] = [];
  for await (const { key } of storage.list(keys.allTags(repository))) names.push(key);
  await inParallel(names, AT_ONCE, async (key) => {
    const found = await storage.get(key);
    if (found !== undefined) tagged.add(parseTagRecord(found.bytes, key));
  });
  const digests: Digest[] = [];
  for await (const { key } of storage.list(keys.allManifests(repository))) {
    const digest = digestOf(key);
    if (digest !== undefined) digests.push(digest);
  }
  const found: (MarkedManifest & { readonly bytes: number })[] = [];
  await inParallel(digests, AT_ONCE, async (digest) => {
    // A record that cannot be read stops the collection: nobody knows what its manifest needs.
    const record = await parts.manifests.record(repository, digest);
    if (record === undefined) return;
    const isRoot = !untagged || record.putAt > before || tagged.has(digest);
    const { references, subject, bytes } = record;
    found.push({ digest, references, subject, isRoot, bytes: bytes.length });
  });
  return found;
}

function reportOf(going: readonly Garbage[], kept: ReadonlySet<Digest>): Omit<CollectReport, "abandonedUploads"> {
  // A manifest that another repository has is deleted in one only.
  const bytes = going.filter(({ kind, digest }) => kind === "content" || (kind === "manifest" && !kept.has(digest)));
  return {
    deletedManifests: going
      .filter(({ kind }) => kind === "manifest")
      .map(({ repository, digest }) => ({ repository, digest }))
      .sort((a, b) => byBytes(a.repository, b.repository) || byBytes(a.digest, b.digest)),
    deletedBlobs: [...new Set(bytes.map(({ digest }) => digest))].sort(byBytes),
    freedBytes: bytes.reduce((sum, one) => sum + one.bytes, 0),
    keptBlobs: kept.size,
  };
}
