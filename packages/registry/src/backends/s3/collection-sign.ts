import { randomBytes } from "node:crypto";
import type { Digest } from "@touchmark/core";
import { registryBackendErrors } from "../errors.ts";
import { collectedMeanwhile } from "../refusals.ts";
import type { ObjectStorage } from "./object-storage.ts";
import type { StorageKeys } from "./storage-keys.ts";
import { type CollectingRecord, collectingRecord, parseCollectingRecord } from "./storage-records.ts";

// A collection renews its sign every minute; one that is older was left by a process that is no more. Clocks of
// processes that share a storage must agree within the difference.
const FRESH_MS = 10 * 60_000;

/**
 * The sign that a collection puts up before it deletes, for want of transactions: the digests that it is about to
 * take. A writer writes first and looks for the sign then; the collection puts up its sign first and looks for new
 * writing then. Whoever comes second sees the other: the collection keeps, or the writer is told to begin again.
 */
export class CollectionSign {
  readonly #storage: ObjectStorage;
  readonly #key: string;

  constructor(storage: ObjectStorage, keys: StorageKeys) {
    this.#storage = storage;
    this.#key = keys.collecting();
  }

  /** After writing: refuses what a collection is about to delete. @throws REGISTRY_BACKEND_COLLECTED */
  async check(digests: readonly Digest[]): Promise<void> {
    const sign = await this.#read();
    if (sign === undefined || sign.record.isDone || !isFresh(sign.record)) return;
    const doomed = new Set(sign.record.digests);
    for (const digest of digests) if (doomed.has(digest)) throw collectedMeanwhile(digest);
  }

  /** Of the given digests those that a collection deletes, or deleted within the last minutes. */
  async doomed(digests: readonly Digest[]): Promise<Digest[]> {
    const sign = await this.#read();
    if (sign === undefined || !isFresh(sign.record)) return [];
    const taken = new Set(sign.record.digests);
    return digests.filter((digest) => taken.has(digest));
  }

  /** Puts up the sign. @throws REGISTRY_BACKEND_COLLECTION_BUSY while another one stands */
  async raise(digests: readonly Digest[]): Promise<RaisedSign> {
    const there = await this.#read();
    if (there !== undefined && !there.record.isDone && isFresh(there.record)) throw busy();
    const record = { id: randomBytes(8).toString("hex"), at: Date.now(), digests, isDone: false };
    const condition = there === undefined ? { ifAbsent: true } : { ifVersion: there.etag };
    if (!(await this.#storage.put(this.#key, collectingRecord(record), condition))) throw busy();
    return new RaisedSign(this.#storage, this.#key, record);
  }

  async #read(): Promise<{ readonly record: CollectingRecord; readonly etag: string } | undefined> {
    const found = await this.#storage.get(this.#key);
    if (found === undefined) return undefined;
    return { record: parseCollectingRecord(found.bytes, this.#key), etag: found.etag };
  }
}

/** A sign that is up. */
export class RaisedSign {
  readonly #storage: ObjectStorage;
  readonly #key: string;
  #record: CollectingRecord;

  constructor(storage: ObjectStorage, key: string, record: CollectingRecord) {
    this.#storage = storage;
    this.#key = key;
    this.#record = record;
  }

  /** Before each deletion: renews the sign in time. @throws REGISTRY_BACKEND_COLLECTION_BUSY when it was away for too long */
  async hold(): Promise<void> {
    const age = Date.now() - this.#record.at;
    if (age > FRESH_MS / 2) throw busy();
    if (age > FRESH_MS / 10) await this.#put({ ...this.#record, at: Date.now() });
  }

  /** Says that nothing more is deleted. The digests stay for a while, for whoever saw them and is about to refer to them. */
  async lower(): Promise<void> {
    await this.#put({ ...this.#record, at: Date.now(), isDone: true });
  }

  async #put(record: CollectingRecord): Promise<void> {
    await this.#storage.put(this.#key, collectingRecord(record));
    this.#record = record;
  }
}

function isFresh(record: CollectingRecord): boolean {
  return record.at > Date.now() - FRESH_MS;
}

function busy(): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_COLLECTION_BUSY",
    "expected no other collection of this registry, found one that is going on",
  );
}
