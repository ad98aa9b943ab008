import { type Clock, type Digest, sha256, systemClock } from "@touchmark/core";
import type {
  BlobBackend,
  CollectingBackend,
  CollectReport,
  ManifestBackend,
  Page,
  RegistryBackend,
  StoredManifest,
  TagBackend,
  UsageBackend,
} from "../backend.ts";
import { damagedFinding, danglingFinding, type Finding, missingFinding, neededBlobs } from "./findings.ts";
import { keptOf } from "./marking.ts";
import { MemoryUploads } from "./memory-uploads.ts";
import { byBytes, pageOf } from "./pages.ts";
import { checkRange, collectedMeanwhile, corruptContent, immutableTag, mismatch, missingTarget } from "./refusals.ts";

interface MemoryRepository {
  readonly blobs: Map<Digest, { linkedAt: number }>;
  readonly manifests: Map<Digest, StoredManifest & { readonly putAt: number }>;
  readonly tags: Map<string, Digest>;
  /** What a collection took away, and when. */
  readonly collected: Map<Digest, number>;
}

/** A registry in memory, with a way to damage it behind its back. */
export interface MemoryRegistryBackend extends RegistryBackend, CollectingBackend, UsageBackend {
  /** Replaces stored bytes, or loses them. For tests. */
  corrupt(digest: Digest, bytes: Uint8Array | undefined): void;
}

const CHUNK_BYTES = 64 * 1024;
// As in a home: whoever saw it there must not refer to it now.
const COLLECTED_LATELY_MS = 10 * 60_000;

/** A registry that forgets everything with its process. For tests (registry SPEC B). */
export function memoryRegistryBackend(options: { readonly clock?: Clock } = {}): MemoryRegistryBackend {
  return new MemoryRegistry(options.clock ?? systemClock);
}

class MemoryRegistry implements MemoryRegistryBackend {
  readonly kind = "memory";
  readonly uploads: MemoryUploads;
  readonly #clock: Clock;
  readonly #content = new Map<Digest, Uint8Array>();
  readonly #repositories = new Map<string, MemoryRepository>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.uploads = new MemoryUploads(
      (repository, digest, bytes) => {
        this.#content.set(digest, bytes);
        this.#link(repository, digest);
      },
      () => this.#now(),
    );
  }

  readonly blobs: BlobBackend = {
    open: async (repository, digest) => {
      if (this.#repositories.get(repository)?.blobs.has(digest) !== true) return undefined;
      const bytes = this.#content.get(digest);
      if (bytes === undefined) return undefined;
      return {
        size: bytes.length,
        async *stream(range) {
          const { start, end } = checkRange(range, bytes.length);
          const whole = start === 0 && end === bytes.length;
          if (whole && sha256(bytes) !== digest) throw corruptContent(digest, "other bytes");
          for (let at = start; at < end; at += CHUNK_BYTES) yield bytes.slice(at, Math.min(at + CHUNK_BYTES, end));
        },
      };
    },
    mount: async (digest, from, to) => {
      if (this.#repositories.get(from)?.blobs.has(digest) !== true) return false;
      this.#link(to, digest);
      return true;
    },
    delete: async (repository, digest) => this.#repositories.get(repository)?.blobs.delete(digest) === true,
  };

  readonly manifests: ManifestBackend = {
    get: async (repository, digest) => {
      const found = this.#repositories.get(repository)?.manifests.get(digest);
      if (found === undefined) return undefined;
      const bytes = this.#content.get(digest);
      if (bytes === undefined || sha256(bytes) !== digest) throw corruptContent(digest, "other bytes");
      return { mediaType: found.mediaType, bytes: bytes.slice() };
    },
    put: async (repository, manifest, tag) => {
      const found = sha256(manifest.bytes);
      if (found !== manifest.digest) throw mismatch(manifest.digest, found);
      if (tag !== undefined) this.#judgeTag(repository, tag.name, manifest.digest, tag.immutable);
      const { manifests, tags, collected } = this.#make(repository);
      for (const reference of manifest.references) {
        if ((collected.get(reference) ?? 0) > this.#now() - COLLECTED_LATELY_MS) throw collectedMeanwhile(reference);
      }
      const bytes = Uint8Array.from(manifest.bytes);
      this.#content.set(manifest.digest, bytes);
      manifests.set(manifest.digest, { ...manifest, bytes, putAt: this.#now() });
      collected.delete(manifest.digest);
      if (tag !== undefined) tags.set(tag.name, manifest.digest);
    },
    delete: async (repository, digest) => this.#deleteManifest(repository, digest),
    referrers: async (repository, subject, { artifactType, after, limit }) => {
      const all = [...(this.#repositories.get(repository)?.manifests.values() ?? [])];
      return all
        .filter((one) => one.subject === subject && (after === undefined || one.digest > after))
        .filter((one) => artifactType === undefined || one.shown.artifactType === artifactType)
        .map((one) => one.shown)
        .sort((a, b) => byBytes(a.digest, b.digest))
        .slice(0, limit);
    },
  };

  readonly tags: TagBackend = {
    resolve: async (repository, tag) => this.#repositories.get(repository)?.tags.get(tag),
    set: async (repository, tag, digest, immutable) => {
      const found = this.#repositories.get(repository);
      if (found?.manifests.has(digest) !== true) throw missingTarget(tag, digest);
      this.#judgeTag(repository, tag, digest, immutable);
      found.tags.set(tag, digest);
    },
    delete: async (repository, tag) => this.#repositories.get(repository)?.tags.delete(tag) === true,
    list: async (repository, page) => {
      const found = this.#repositories.get(repository);
      return found === undefined || isEmpty(found) ? undefined : pageOf(found.tags.keys(), page);
    },
  };

  async repositories(page: Page): Promise<readonly string[]> {
    const names = [...this.#repositories].filter(([, one]) => !isEmpty(one)).map(([name]) => name);
    return pageOf(names, page);
  }

  async usage(repository: string): Promise<{ bytes: number; manifests: number; tags: number }> {
    const found = this.#make(repository);
    const digests = new Set([...found.blobs.keys(), ...found.manifests.keys()]);
    let bytes = 0;
    for (const digest of digests) bytes += this.#content.get(digest)?.length ?? 0;
    return { bytes, manifests: found.manifests.size, tags: found.tags.size };
  }

  async collect(options: { untagged: boolean; graceSeconds: number; dryRun: boolean }): Promise<CollectReport> {
    const before = this.#now() - options.graceSeconds * 1000;
    const deletedManifests: { repository: string; digest: Digest }[] = [];
    const needed = new Set<Digest>();
    for (const [repository, { blobs, manifests, tags, collected }] of this.#repositories) {
      const tagged = new Set(tags.values());
      const isRoot = (one: { digest: Digest; putAt: number }) =>
        !options.untagged || one.putAt > before || tagged.has(one.digest);
      const kept = keptOf([...manifests.values()].map((one) => ({ ...one, isRoot: isRoot(one) })));
      for (const digest of manifests.keys()) {
        if (kept.has(digest)) needed.add(digest);
        else {
          deletedManifests.push({ repository, digest });
          if (!options.dryRun) collected.set(digest, this.#now());
        }
      }
      for (const [digest, { linkedAt }] of blobs) {
        if (kept.has(digest) || linkedAt > before) needed.add(digest);
        else if (!options.dryRun) {
          blobs.delete(digest);
          collected.set(digest, this.#now());
        }
      }
    }
    if (!options.dryRun)
      for (const { repository, digest } of deletedManifests) this.#deleteManifest(repository, digest);
    const deletedBlobs = [...this.#content.keys()].filter((digest) => !needed.has(digest)).sort(byBytes);
    const freedBytes = deletedBlobs.reduce((sum, digest) => sum + (this.#content.get(digest)?.length ?? 0), 0);
    const abandoned = this.uploads.abandoned(before);
    if (!options.dryRun) {
      for (const digest of deletedBlobs) this.#content.delete(digest);
      this.uploads.drop(abandoned);
    }
    const keptBlobs = needed.size;
    return { deletedManifests, deletedBlobs, freedBytes, keptBlobs, abandonedUploads: abandoned.length };
  }

  async fsck(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const check = (repository: string, digest: Digest) => {
      const bytes = this.#content.get(digest);
      if (bytes === undefined) findings.push(missingFinding(repository, digest));
      else if (sha256(bytes) !== digest) findings.push(damagedFinding(repository, digest, "other bytes"));
    };
    for (const [repository, { blobs, manifests }] of this.#repositories) {
      for (const digest of new Set([...blobs.keys(), ...manifests.keys()])) check(repository, digest);
      for (const manifest of manifests.values()) {
        for (const digest of neededBlobs(manifest)) {
          if (!blobs.has(digest)) findings.push(danglingFinding(repository, `manifest ${manifest.digest}`, digest));
        }
      }
    }
    return findings;
  }

  corrupt(digest: Digest, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#content.delete(digest);
    else this.#content.set(digest, bytes);
  }

  async close(): Promise<void> {}

  #judgeTag(repository: string, tag: string, digest: Digest, immutable: boolean): void {
    const there = this.#repositories.get(repository)?.tags.get(tag);
    if (immutable && there !== undefined && there !== digest) throw immutableTag(tag, there, digest);
  }

  #link(repository: string, digest: Digest): void {
    const { blobs, collected } = this.#make(repository);
    blobs.set(digest, { linkedAt: this.#now() });
    collected.delete(digest);
  }

  #deleteManifest(repository: string, digest: Digest): boolean {
    const found = this.#repositories.get(repository);
    if (found?.manifests.delete(digest) !== true) return false;
    for (const [tag, target] of found.tags) if (target === digest) found.tags.delete(tag);
    return true;
  }

  #make(repository: string): MemoryRepository {
    let found = this.#repositories.get(repository);
    if (found === undefined) {
      found = { blobs: new Map(), manifests: new Map(), tags: new Map(), collected: new Map() };
      this.#repositories.set(repository, found);
    }
    return found;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function isEmpty(repository: MemoryRepository): boolean {
  return repository.blobs.size === 0 && repository.manifests.size === 0;
}
