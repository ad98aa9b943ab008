import type { Clock } from "@touchmark/core";
import type { RegistryBackend, UsageBackend } from "../backend.ts";
import type { RegistryConfiguration, RepositoryQuota } from "../configuration/configuration.ts";
import { fitsRepository } from "../configuration/pattern.ts";
import { registryAuthorityErrors } from "./errors.ts";
import { ports } from "./tag-rules.ts";

/** What one repository uses. */
type Usage = Awaited<ReturnType<UsageBackend["usage"]>>;

/** Bytes of an upload that is not finished: they lie on the disk, and count. */
interface Unfinished {
  readonly repository: string;
  bytes: number;
  /** Milliseconds of the clock. */
  touched: number;
}

/** How many more bytes there may be, and of which quota. */
interface Room {
  readonly left: number;
  readonly quota: string;
}

const unlimited = Number.POSITIVE_INFINITY;
/** After so many seconds an upload that nobody touched no longer counts: the backend has forgotten it. */
const FORGET_SECONDS = 86_400;
/** Milliseconds for which the sum over all repositories is taken as it was, plus what came in since. */
const TOTAL_MS = 10_000;
const REPOSITORIES_AT_ONCE = 1000;

/**
 * The same backend, which refuses what goes beyond a quota: bytes as they come in, manifests and tags before they are
 * stored (SPEC A13). Bytes that several uploads bring at once are counted together.
 */
export function withQuotas(
  backend: RegistryBackend & UsageBackend,
  configuration: () => RegistryConfiguration,
  clock: Clock,
): RegistryBackend {
  const unfinished = new Map<string, Unfinished>();
  let total: { readonly bytes: number; readonly at: number } | undefined;
  let cameIn = 0;
  let calls = 0;
  /** Bytes that ever came in: they only grow, so that what another upload finishes meanwhile is not lost. */
  const arrived = new Map<string, number>();
  let arrivedInAll = 0;

  const quotaOf = (repository: string): RepositoryQuota | undefined =>
    configuration().quotas.repositories.find((each) =>
      each.repositories.some((pattern) => fitsRepository(pattern, repository)),
    );

  const totalUsed = async (): Promise<number> => {
    const now = clock.now().getTime();
    if (total === undefined || now - total.at > TOTAL_MS) {
      cameIn = 0;
      total = { bytes: await sumOf(backend), at: now };
    }
    return total.bytes + cameIn;
  };

  const pending = (repository: string | undefined): number => {
    const now = clock.now().getTime();
    let sum = 0;
    for (const [id, each] of unfinished) {
      if (now - each.touched > FORGET_SECONDS * 1000) unfinished.delete(id);
      else if (repository === undefined || each.repository === repository) sum += each.bytes;
    }
    return sum;
  };

  /** How many more bytes may come in now: into the repository, and altogether. */
  const room = async (repository: string): Promise<readonly [own: Room, all: Room]> => {
    const most = quotaOf(repository)?.bytes;
    const { totalBytes } = configuration().quotas;
    return [
      {
        left: most === undefined ? unlimited : most - (await backend.usage(repository)).bytes - pending(repository),
        quota: `${most} bytes in ${repository}`,
      },
      {
        left: totalBytes === undefined ? unlimited : totalBytes - (await totalUsed()) - pending(undefined),
        quota: `${totalBytes} bytes in all`,
      },
    ];
  };

  /** Bytes of a repository that no quota is about pass uncounted, and as fast as without. */
  const isCounted = (repository: string): boolean =>
    quotaOf(repository)?.bytes !== undefined || configuration().quotas.totalBytes !== undefined;

  /** Refuses content that has no room, unless it is there already. */
  const checkRoom = async (repository: string, bytes: number, isNew = async () => true): Promise<void> => {
    const tight = (await room(repository)).find(({ left }) => bytes > left);
    if (tight !== undefined && (await isNew())) throw exceeded(tight.quota);
  };

  const exceeded = (quota: string): Error =>
    registryAuthorityErrors.make("REGISTRY_QUOTA_EXCEEDED", `expected at most ${quota}, found more`);

  /** Passes chunks on while there is room; whatever came in since the beginning counts, by this upload or by others. */
  async function* counted(repository: string, entry: Unfinished, chunks: AsyncIterable<Uint8Array>) {
    const [own, all] = await room(repository);
    const before = { own: arrived.get(repository) ?? 0, all: arrivedInAll };
    for await (const chunk of chunks) {
      entry.bytes += chunk.length;
      entry.touched = clock.now().getTime();
      arrivedInAll += chunk.length;
      arrived.set(repository, (arrived.get(repository) ?? 0) + chunk.length);
      if ((arrived.get(repository) ?? 0) - before.own > own.left) throw exceeded(own.quota);
      if (arrivedInAll - before.all > all.left) throw exceeded(all.quota);
      yield chunk;
    }
  }

  const open = (repository: string, id: string): Unfinished => {
    const known = unfinished.get(id) ?? { repository, bytes: 0, touched: clock.now().getTime() };
    unfinished.set(id, known);
    return known;
  };

  /** Refuses a manifest or a tag more than there may be. */
  const countLeft = async (repository: string, kind: "manifests" | "tags", isNew: () => Promise<boolean>) => {
    const most = quotaOf(repository)?.[kind];
    if (most === undefined) return;
    const usage: Usage = await backend.usage(repository);
    if (usage[kind] >= most && (await isNew())) throw exceeded(`${most} ${kind} in ${repository}`);
  };
  const isNewTag = (repository: string, tag: string) => async () =>
    (await backend.tags.resolve(repository, tag)) === undefined;

  return {
    ...ports(backend),
    blobs: {
      open: (repository, digest) => backend.blobs.open(repository, digest),
      delete: (repository, digest) => backend.blobs.delete(repository, digest),
      mount: async (digest, from, to) => {
        // Content that is shown in two repositories counts in both.
        const found = await backend.blobs.open(from, digest);
        if (found !== undefined && (await backend.blobs.open(to, digest)) === undefined) {
          await checkRoom(to, found.size);
          cameIn += found.size;
        }
        return backend.blobs.mount(digest, from, to);
      },
    },
    uploads: {
      begin: (repository) => backend.uploads.begin(repository),
      received: (repository, id) => backend.uploads.received(repository, id),
      append: (repository, id, options, chunks) => {
        const passed = isCounted(repository) ? counted(repository, open(repository, id), chunks) : chunks;
        return backend.uploads.append(repository, id, options, passed);
      },
      finish: async (repository, id, digest) => {
        const done = await backend.uploads.finish(repository, id, digest);
        unfinished.delete(id);
        cameIn += done.size;
        return done;
      },
      put: async (repository, digest, maxBytes, chunks) => {
        if (!isCounted(repository)) return backend.uploads.put(repository, digest, maxBytes, chunks);
        // Unique among uploads of clients, whose ids are no numbers of ours.
        const id = `put ${++calls}`;
        try {
          const done = await backend.uploads.put(
            repository,
            digest,
            maxBytes,
            counted(repository, open(repository, id), chunks),
          );
          cameIn += done.size;
          return done;
        } finally {
          unfinished.delete(id);
        }
      },
      cancel: (repository, id) => {
        unfinished.delete(id);
        return backend.uploads.cancel(repository, id);
      },
    },
    manifests: {
      get: (repository, digest) => backend.manifests.get(repository, digest),
      delete: (repository, digest) => backend.manifests.delete(repository, digest),
      referrers: (repository, subject, options) => backend.manifests.referrers(repository, subject, options),
      put: async (repository, manifest, tag) => {
        const isNew = async () => (await backend.manifests.get(repository, manifest.digest)) === undefined;
        await countLeft(repository, "manifests", isNew);
        if (tag !== undefined) await countLeft(repository, "tags", isNewTag(repository, tag.name));
        await checkRoom(repository, manifest.bytes.length, isNew);
        await backend.manifests.put(repository, manifest, tag);
        cameIn += manifest.bytes.length;
      },
    },
    tags: {
      resolve: (repository, tag) => backend.tags.resolve(repository, tag),
      delete: (repository, tag) => backend.tags.delete(repository, tag),
      list: (repository, page) => backend.tags.list(repository, page),
      set: async (repository, tag, digest, immutable) => {
        await countLeft(repository, "tags", isNewTag(repository, tag));
        await backend.tags.set(repository, tag, digest, immutable);
      },
    },
  };
}

async function sumOf(backend: RegistryBackend & UsageBackend): Promise<number> {
  let sum = 0;
  for (let after: string | undefined; ; ) {
    const page = { ...(after === undefined ? {} : { after }), limit: REPOSITORIES_AT_ONCE };
    const names = await backend.repositories(page);
    for (const name of names) sum += (await backend.usage(name)).bytes;
    if (names.length < REPOSITORIES_AT_ONCE) return sum;
    after = names.at(-1);
  }
}
