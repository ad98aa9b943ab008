import type { Digest } from "@touchmark/core";
import type { Page, TagBackend } from "../../backend.ts";
import { inParallel } from "../../client/parallel.ts";
import { pageOf } from "../pages.ts";
import { immutableTag, missingTarget } from "../refusals.ts";
import type { CollectionSign } from "./collection-sign.ts";
import type { ObjectStorage } from "./object-storage.ts";
import type { StorageKeys } from "./storage-keys.ts";
import { parseTagRecord, tagRecord } from "./storage-records.ts";

/** Tags as small objects. An immutable one is written on the condition that none is there. */
export class S3Tags implements TagBackend {
  readonly #storage: ObjectStorage;
  readonly #keys: StorageKeys;
  readonly #sign: CollectionSign;

  constructor(storage: ObjectStorage, keys: StorageKeys, sign: CollectionSign) {
    this.#storage = storage;
    this.#keys = keys;
    this.#sign = sign;
  }

  async resolve(repository: string, tag: string): Promise<Digest | undefined> {
    const digest = await this.#read(repository, tag);
    if (digest === undefined) return undefined;
    // A manifest that was deleted takes its tags along, though these are objects of their own.
    return (await this.#storage.size(this.#keys.manifest(repository, digest))) === undefined ? undefined : digest;
  }

  async set(repository: string, tag: string, digest: Digest, immutable: boolean): Promise<void> {
    if ((await this.#storage.size(this.#keys.manifest(repository, digest))) === undefined) {
      throw missingTarget(tag, digest);
    }
    await this.judge(repository, tag, digest, immutable);
    await this.write(repository, tag, digest, immutable);
  }

  async delete(repository: string, tag: string): Promise<boolean> {
    const key = this.#keys.tag(repository, tag);
    if ((await this.#storage.size(key)) === undefined) return false;
    await this.#storage.delete(key);
    return true;
  }

  async list(repository: string, page: Page): Promise<readonly string[] | undefined> {
    const names: string[] = [];
    const prefix = this.#keys.allTags(repository);
    for await (const { key } of this.#storage.list(prefix)) names.push(key.slice(prefix.length));
    if (names.length > 0) return pageOf(names, page);
    const isKnown =
      (await this.#storage.some(this.#keys.allManifests(repository))) ||
      (await this.#storage.some(this.#keys.allBlobs(repository)));
    return isKnown ? [] : undefined;
  }

  /** @throws REGISTRY_TAG_IMMUTABLE */
  async judge(repository: string, tag: string, digest: Digest, immutable: boolean): Promise<void> {
    if (!immutable) return;
    const there = await this.resolve(repository, tag);
    if (there !== undefined && there !== digest) throw immutableTag(tag, there, digest);
  }

  /** Sets a tag to a manifest that is there. @throws REGISTRY_TAG_IMMUTABLE when somebody else was first */
  async write(repository: string, tag: string, digest: Digest, immutable: boolean): Promise<void> {
    const key = this.#keys.tag(repository, tag);
    if (!immutable) await this.#storage.put(key, tagRecord(digest));
    else await this.#writeOnce(repository, tag, digest);
    await this.#sign.check([digest]);
  }

  /** Deletes the tags that point to a manifest. */
  async deleteAll(repository: string, digest: Digest): Promise<void> {
    const prefix = this.#keys.allTags(repository);
    const names: string[] = [];
    for await (const { key } of this.#storage.list(prefix)) names.push(key.slice(prefix.length));
    await inParallel(names, 16, async (tag) => {
      if ((await this.#read(repository, tag)) === digest) await this.#storage.delete(prefix + tag);
    });
  }

  async #writeOnce(repository: string, tag: string, digest: Digest): Promise<void> {
    const key = this.#keys.tag(repository, tag);
    for (let attempt = 0; attempt < 20; attempt++) {
      if (await this.#storage.put(key, tagRecord(digest), { ifAbsent: true })) return;
      const there = await this.#storage.get(key);
      // It was deleted meanwhile, or two asked at the same moment.
      if (there === undefined) continue;
      const found = parseTagRecord(there.bytes, key);
      if (found === digest) return;
      if ((await this.resolve(repository, tag)) === found) throw immutableTag(tag, found, digest);
      // It points to a manifest that is gone: exactly this version of it may be replaced.
      if (await this.#storage.put(key, tagRecord(digest), { ifVersion: there.etag })) return;
    }
    const there = await this.#read(repository, tag);
    throw immutableTag(tag, there ?? digest, digest);
  }

  async #read(repository: string, tag: string): Promise<Digest | undefined> {
    const key = this.#keys.tag(repository, tag);
    const found = await this.#storage.get(key);
    return found === undefined ? undefined : parseTagRecord(found.bytes, key);
  }
}
