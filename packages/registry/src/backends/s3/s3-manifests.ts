import { type Clock, type Digest, sha256 } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";
import type { ManifestBackend, StoredManifest } from "../../backend.ts";
import { inParallel } from "../../client/parallel.ts";
import { byBytes } from "../pages.ts";
import { collectedMeanwhile, corruptContent, mismatch } from "../refusals.ts";
import type { CollectionSign } from "./collection-sign.ts";
import type { ObjectStorage } from "./object-storage.ts";
import type { S3Tags } from "./s3-tags.ts";
import { digestOf, type StorageKeys } from "./storage-keys.ts";
import { type ManifestRecord, manifestRecord, parseManifestRecord } from "./storage-records.ts";

/** Requests that a list makes at a time. */
export const AT_ONCE = 16;

/** Manifests as objects, whole: what can be seen of one is all of it. */
export class S3Manifests implements ManifestBackend {
  readonly #storage: ObjectStorage;
  readonly #keys: StorageKeys;
  readonly #sign: CollectionSign;
  readonly #tags: S3Tags;
  readonly #clock: Clock;

  constructor(storage: ObjectStorage, keys: StorageKeys, sign: CollectionSign, tags: S3Tags, clock: Clock) {
    this.#storage = storage;
    this.#keys = keys;
    this.#sign = sign;
    this.#tags = tags;
    this.#clock = clock;
  }

  async get(repository: string, digest: Digest): Promise<{ mediaType: string; bytes: Uint8Array } | undefined> {
    const record = await this.record(repository, digest);
    if (record === undefined) return undefined;
    if (sha256(record.bytes) !== digest) throw corruptContent(digest, "other bytes");
    return { mediaType: record.mediaType, bytes: record.bytes };
  }

  async put(
    repository: string,
    manifest: StoredManifest,
    tag?: { readonly name: string; readonly immutable: boolean },
  ): Promise<void> {
    const found = sha256(manifest.bytes);
    const { digest, subject } = manifest;
    if (found !== digest) throw mismatch(digest, found);
    const record = manifestRecord({ ...manifest, putAt: this.#clock.now().getTime() });
    if (tag !== undefined) await this.#tags.judge(repository, tag.name, digest, tag.immutable);
    // The sign of a referrer comes first: one that leads nowhere is passed over, a missing one would hide evidence.
    if (subject !== undefined) {
      await this.#storage.put(this.#keys.referrer(repository, subject, digest), Buffer.alloc(0));
    }
    await this.#storage.put(this.#keys.manifest(repository, digest), record);
    await this.#sign.check([digest]);
    for (const reference of await this.#sign.doomed(manifest.references)) {
      const key = this.#keys.blob(repository, reference);
      const other = this.#keys.manifest(repository, reference);
      const isThere = (await this.#storage.size(key)) ?? (await this.#storage.size(other));
      if (isThere === undefined) throw collectedMeanwhile(reference);
    }
    await this.#sign.check(manifest.references);
    if (tag !== undefined) await this.#tags.write(repository, tag.name, digest, tag.immutable);
  }

  async delete(repository: string, digest: Digest): Promise<boolean> {
    const record = await this.record(repository, digest).catch(() => undefined);
    const key = this.#keys.manifest(repository, digest);
    if ((await this.#storage.size(key)) === undefined) return false;
    await this.#storage.delete(key);
    await this.#tags.deleteAll(repository, digest);
    if (record?.subject !== undefined) {
      await this.#storage.delete(this.#keys.referrer(repository, record.subject, digest));
    }
    return true;
  }

  async referrers(
    repository: string,
    subject: Digest,
    options: { readonly artifactType?: string; readonly after?: Digest; readonly limit: number },
  ): Promise<readonly Descriptor[]> {
    const { artifactType, after = "", limit } = options;
    const found: Descriptor[] = [];
    let batch: Digest[] = [];
    const read = async () => {
      const part: Descriptor[] = [];
      await inParallel(batch, AT_ONCE, async (digest) => {
        const record = await this.record(repository, digest);
        if (record?.subject !== subject) return;
        if (artifactType === undefined || record.shown.artifactType === artifactType) part.push(record.shown);
      });
      found.push(...part.sort((a, b) => byBytes(a.digest, b.digest)));
      batch = [];
    };
    for await (const { key } of this.#storage.list(this.#keys.allReferrers(repository, subject))) {
      const digest = digestOf(key);
      if (digest === undefined || digest <= after) continue;
      batch.push(digest);
      if (batch.length < Math.min(limit, 4 * AT_ONCE)) continue;
      await read();
      if (found.length >= limit) break;
    }
    await read();
    return found.slice(0, limit);
  }

  /** All that is known of a manifest of a repository. Its bytes are not verified. */
  async record(repository: string, digest: Digest): Promise<ManifestRecord | undefined> {
    const key = this.#keys.manifest(repository, digest);
    const found = await this.#storage.get(key);
    return found === undefined ? undefined : parseManifestRecord(found.bytes, key, digest);
  }
}
