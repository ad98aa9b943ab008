import { type Clock, type Digest, isFactoryError, systemClock } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";
import type {
  BlobBackend,
  CollectingBackend,
  ManifestBackend,
  Page,
  RegistryBackend,
  TagBackend,
  UploadBackend,
  UsageBackend,
} from "../../backend.ts";
import { registryBackendErrors } from "../errors.ts";
import { byBytes, pageOf } from "../pages.ts";
import { BoundedMap } from "./bounded-map.ts";
import { Upstream, type UpstreamOf } from "./upstream.ts";

/** A tag whose last known digest was given because the registry above is away. */
export interface StaleTag {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
}

/** A mirror of another registry. */
export interface PullThroughOptions {
  /** Where is kept what came; only the mirror writes to it. */
  readonly local: RegistryBackend & CollectingBackend & UsageBackend;
  readonly upstream: UpstreamOf;
  /** How long an answer about a tag holds, in seconds. Default 60. */
  readonly tagSeconds?: number;
  /** Largest blob that is fetched, in bytes. Default 16 GiB. */
  readonly maxBlobBytes?: number;
  /** Told of each stale answer, for a header or an audit line. */
  readonly onStale?: (stale: StaleTag) => void;
  readonly clock?: Clock;
}

/** A mirror of another registry by digest. */
export interface PullThroughBackend extends RegistryBackend, CollectingBackend, UsageBackend {
  readonly kind: "pull-through";
}

const MOST_TAGS = 10_000;
const MOST_REFERRERS = 1_000;

/**
 * Mirrors another registry: content is fetched once, verified and kept; tags are asked for again after a short time.
 * Blobs are fetched when a manifest that was read here names them. Nothing is written by clients (registry SPEC B19, B20).
 */
export function pullThroughBackend(options: PullThroughOptions): PullThroughBackend {
  return new PullThrough(options);
}

class PullThrough implements PullThroughBackend {
  readonly kind = "pull-through";
  readonly #local: RegistryBackend & CollectingBackend & UsageBackend;
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #tagMs: number;
  readonly #onStale: (stale: StaleTag) => void;
  /** When the registry above was last asked for a tag, in milliseconds. */
  readonly #askedAt = new BoundedMap<number>(MOST_TAGS);

  constructor(options: PullThroughOptions) {
    this.#local = options.local;
    this.#upstream = new Upstream(options.local, options.upstream, options.maxBlobBytes ?? 16 * 1024 ** 3);
    this.#clock = options.clock ?? systemClock;
    this.#tagMs = (options.tagSeconds ?? 60) * 1000;
    this.#onStale = options.onStale ?? (() => {});
  }

  readonly blobs: BlobBackend = {
    open: async (repository, digest) => {
      const there = await this.#local.blobs.open(repository, digest);
      if (there !== undefined || !(await this.#upstream.blob(repository, digest))) return there;
      return this.#local.blobs.open(repository, digest);
    },
    mount: refuseWrite,
    delete: refuseWrite,
  };

  readonly manifests: ManifestBackend = {
    get: async (repository, digest) => {
      const there = await this.#local.manifests.get(repository, digest).catch(unlessCorrupt);
      if (there !== undefined) {
        this.#upstream.learn(repository, there.bytes, there.mediaType);
        return there;
      }
      const found = await this.#upstream.manifest(repository, digest);
      return found === undefined ? undefined : { mediaType: found.descriptor.mediaType, bytes: found.bytes };
    },
    put: refuseWrite,
    delete: refuseWrite,
    referrers: (repository, subject, options) => this.#referrers(repository, subject, options),
  };

  readonly tags: TagBackend = {
    resolve: (repository, tag) => this.#resolve(repository, tag),
    set: refuseWrite,
    delete: refuseWrite,
    list: (repository, page) => this.#tags(repository, page),
  };

  readonly uploads: UploadBackend = {
    begin: refuseWrite,
    received: async () => undefined,
    append: refuseWrite,
    finish: refuseWrite,
    put: refuseWrite,
    cancel: async () => false,
  };

  repositories(page: Page): Promise<readonly string[]> {
    return this.#local.repositories(page);
  }

  usage(repository: string): ReturnType<UsageBackend["usage"]> {
    return this.#local.usage(repository);
  }

  collect(options: Parameters<CollectingBackend["collect"]>[0]): ReturnType<CollectingBackend["collect"]> {
    return this.#local.collect(options);
  }

  async fsck(): ReturnType<CollectingBackend["fsck"]> {
    // What nobody has asked for yet is not missing.
    return (await this.#local.fsck()).filter(({ code }) => code !== "REGISTRY_FSCK_DANGLING");
  }

  close(): Promise<void> {
    return this.#local.close();
  }

  async #resolve(repository: string, tag: string): Promise<Digest | undefined> {
    const key = `${repository}:${tag}`;
    const now = this.#clock.now().getTime();
    const askedAt = this.#askedAt.get(key);
    if (askedAt !== undefined && now - askedAt < this.#tagMs) return this.#local.tags.resolve(repository, tag);
    try {
      const found = await this.#upstream.manifest(repository, tag);
      if (found === undefined) await this.#local.tags.delete(repository, tag);
      this.#askedAt.set(key, now);
      return found?.descriptor.digest;
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      const digest = await this.#local.tags.resolve(repository, tag);
      if (digest === undefined) throw cause;
      this.#onStale({ repository, tag, digest });
      return digest;
    }
  }

  async #tags(repository: string, page: Page): Promise<readonly string[] | undefined> {
    try {
      const names = await this.#upstream.ask(repository, async (reader) => firstOf(reader.tags?.() ?? [], MOST_TAGS));
      return names === undefined ? undefined : pageOf(new Set(names), page);
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      return this.#local.tags.list(repository, page);
    }
  }

  async #referrers(
    repository: string,
    subject: Digest,
    options: { readonly artifactType?: string; readonly after?: Digest; readonly limit: number },
  ): Promise<readonly Descriptor[]> {
    const { artifactType, after, limit } = options;
    try {
      const found = await this.#upstream.ask(repository, async (reader) =>
        firstOf(reader.referrers(subject, artifactType === undefined ? {} : { artifactType }), MOST_REFERRERS),
      );
      const byDigest = new Map((found ?? []).map((one) => [one.digest, one]));
      return [...byDigest.values()]
        .filter((one) => artifactType === undefined || one.artifactType === artifactType)
        .filter((one) => after === undefined || one.digest > after)
        .sort((a, b) => byBytes(a.digest, b.digest))
        .slice(0, limit);
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      return this.#local.manifests.referrers(repository, subject, options);
    }
  }
}

async function firstOf<T>(items: AsyncIterable<T> | Iterable<T>, most: number): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) {
    found.push(item);
    if (found.length >= most) break;
  }
  return found;
}

function isAway(cause: unknown): boolean {
  return isFactoryError(cause) && cause.code === "REGISTRY_BACKEND_UPSTREAM_AWAY";
}

/** Damaged content is fetched again. */
function unlessCorrupt(cause: unknown): undefined {
  if (!isFactoryError(cause) || cause.code !== "REGISTRY_CONTENT_CORRUPT") throw cause;
  return undefined;
}

async function refuseWrite(): Promise<never> {
  throw registryBackendErrors.make(
    "REGISTRY_BACKEND_READ_ONLY",
    "expected a registry that takes content, found a mirror of another one",
  );
}
