import { type Clock, systemClock } from "@touchmark/core";
import type { CollectingBackend, CollectReport, Page, RegistryBackend, UsageBackend } from "../../backend.ts";
import { inParallel } from "../../client/parallel.ts";
import type { Finding } from "../findings.ts";
import { pageOf } from "../pages.ts";
import { CollectionSign } from "./collection-sign.ts";
import { ObjectStorage } from "./object-storage.ts";
import { S3Blobs } from "./s3-blobs.ts";
import { checkObjects } from "./s3-check.ts";
import { collectObjects, type S3Parts } from "./s3-collection.ts";
import { AT_ONCE, S3Manifests } from "./s3-manifests.ts";
import { S3Tags } from "./s3-tags.ts";
import { S3Uploads } from "./s3-uploads.ts";
import { digestOf, repositoryOf, StorageKeys } from "./storage-keys.ts";
import type { ObjectStorageOptions } from "./storage-requests.ts";

/** Where a registry lies in an object storage. */
export interface S3RegistryOptions extends ObjectStorageOptions {
  /** What all keys begin with. Default nothing. */
  readonly prefix?: string;
  readonly clock?: Clock;
}

/** A registry in an object storage. */
export interface S3RegistryBackend extends RegistryBackend, CollectingBackend, UsageBackend {
  readonly kind: "s3";
}

/**
 * Opens a registry in an S3-compatible object storage that reads what was written at once and knows conditional writes
 * (If-None-Match, If-Match). Several processes may use one. Differences from a registry in a home (registry SPEC B17):
 * an upload ends with its process; manifest and tag are two objects, the tag last; of two that set an immutable tag at
 * once both manifests are stored, one under the tag; usage and deletion of a manifest cost a request a blob or tag.
 * @throws REGISTRY_BACKEND_STORAGE_REFUSED | REGISTRY_BACKEND_STORAGE_UNAVAILABLE
 */
export async function s3RegistryBackend(options: S3RegistryOptions): Promise<S3RegistryBackend> {
  const storage = new ObjectStorage(options);
  const keys = new StorageKeys(options.prefix ?? "");
  // A bucket that is not there, or credentials that are wrong, are said now.
  await storage.some(keys.everything());
  return new S3Registry(storage, keys, options.clock ?? systemClock);
}

class S3Registry implements S3RegistryBackend {
  readonly kind = "s3";
  readonly blobs: S3Blobs;
  readonly uploads: S3Uploads;
  readonly manifests: S3Manifests;
  readonly tags: S3Tags;
  readonly #parts: S3Parts;
  readonly #clock: Clock;

  constructor(storage: ObjectStorage, keys: StorageKeys, clock: Clock) {
    const sign = new CollectionSign(storage, keys);
    this.#clock = clock;
    this.blobs = new S3Blobs(storage, keys, sign, clock);
    this.uploads = new S3Uploads(storage, keys, this.blobs, clock);
    this.tags = new S3Tags(storage, keys, sign);
    this.manifests = new S3Manifests(storage, keys, sign, this.tags, clock);
    this.#parts = { storage, keys, blobs: this.blobs, manifests: this.manifests, sign };
  }

  async repositories(page: Page): Promise<readonly string[]> {
    const { storage, keys } = this.#parts;
    const names: string[] = [];
    for await (const directory of storage.directories(keys.allRepositories())) names.push(repositoryOf(directory));
    const found: string[] = [];
    for (const name of pageOf(names, { ...page, limit: names.length })) {
      if (found.length >= page.limit) break;
      if ((await storage.some(keys.allManifests(name))) || (await storage.some(keys.allBlobs(name)))) found.push(name);
    }
    return found;
  }

  async usage(repository: string): Promise<{ bytes: number; manifests: number; tags: number }> {
    const { storage, keys } = this.#parts;
    const usage = { bytes: 0, manifests: 0, tags: 0 };
    const keysOf = async (prefix: string) => {
      const found: string[] = [];
      for await (const { key } of storage.list(prefix)) found.push(key);
      return found;
    };
    await inParallel(await keysOf(keys.allBlobs(repository)), AT_ONCE, async (key) => {
      const digest = digestOf(key);
      const record = digest === undefined ? undefined : await this.blobs.record(repository, digest);
      usage.bytes += record?.size ?? 0;
    });
    await inParallel(await keysOf(keys.allManifests(repository)), AT_ONCE, async (key) => {
      const digest = digestOf(key);
      const record = digest === undefined ? undefined : await this.manifests.record(repository, digest);
      if (record === undefined) return;
      usage.manifests++;
      usage.bytes += record.bytes.length;
    });
    usage.tags = (await keysOf(keys.allTags(repository))).length;
    return usage;
  }

  async collect(options: { untagged: boolean; graceSeconds: number; dryRun: boolean }): Promise<CollectReport> {
    const before = this.#clock.now().getTime() - options.graceSeconds * 1000;
    const abandonedUploads = await this.uploads.dropAbandoned(before, options.dryRun);
    return { ...(await collectObjects(this.#parts, options, before)), abandonedUploads };
  }

  fsck(): Promise<readonly Finding[]> {
    return checkObjects(this.#parts);
  }

  close(): Promise<void> {
    return this.uploads.close();
  }
}
