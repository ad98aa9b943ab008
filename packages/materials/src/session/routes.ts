import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { ProxyRequest } from "../door.ts";
import type { EcosystemAdapter } from "../ecosystem.ts";
import type { Announcement, ExpectedDigest, RequestFacts, Upstream } from "../material.ts";
import { isStrong } from "./digests.ts";
import { sessionErrors } from "./errors.ts";
import { type LockIndex, normalAddress, sameVersion } from "./lock-index.ts";

/** Ecosystems that a session understands. */
export type Adapters = Readonly<Partial<Record<Upstream["ecosystem"], EcosystemAdapter>>>;

/** Where a request goes and what it is. */
export interface RouteFacts {
  readonly facts: RequestFacts;
  /** Address to ask; another than the request's when a lockfile names a host that is not trusted. */
  readonly url: URL;
  readonly announced: readonly Announcement[];
  /** Digests from pipeline and index; those of lockfiles come on top. */
  readonly expected: readonly ExpectedDigest[];
  /** The host is only known because an index announced it: it may not lie in a private network. */
  readonly announcedHost: boolean;
}

/** Finds out what a request asks for, and from whom. */
export class Routes {
  readonly #upstreams: readonly Upstream[];
  readonly #adapters: Adapters;
  readonly #locks: LockIndex;
  readonly #announced = new Map<string, Announcement[]>();
  readonly #announcedVersions = new Set<string>();
  /** The same by package URL and file name: clients spell addresses in their own way. */
  readonly #announcedFiles = new Map<string, Announcement[]>();
  readonly #configurations = new Map<string, Uint8Array>();

  constructor(upstreams: readonly Upstream[], adapters: Adapters, locks: LockIndex) {
    // The longest prefix first: a repository below another's address is its own.
    this.#upstreams = [...upstreams].sort((a, b) => b.url.length - a.url.length || a.order - b.order);
    this.#adapters = adapters;
    this.#locks = locks;
  }

  /** Remembers what an admitted index announced. Where lockfiles speak, only what they name is worth memory. */
  announce(list: readonly Announcement[]): void {
    for (const each of list) {
      const { ecosystem, name, version } = each;
      if (name !== undefined && version !== undefined && !this.wants(ecosystem, name, version)) continue;
      if (name !== undefined && version !== undefined && each.kind === "archive")
        this.#announcedVersions.add(`${ecosystem} ${name} ${version}`);
      const key = normalAddress(each.url);
      const known = this.#announced.get(key) ?? [];
      if (!known.some((other) => JSON.stringify(other.digests) === JSON.stringify(each.digests))) known.push(each);
      this.#announced.set(key, known);
      if (each.kind === "archive" && each.purl !== undefined && each.fileName !== undefined) {
        this.#announcedFiles.set(`${each.purl} ${each.fileName}`, known);
      }
    }
  }

  /** True when an index of this session announces the very version that a lockfile names. */
  isAnnounced({ ecosystem, name, version }: LockedPackage): boolean {
    return this.#announcedVersions.has(`${ecosystem} ${name} ${version}`);
  }

  /** False for a version that no lockfile names, where lockfiles speak: nobody will ask for it. */
  wants(ecosystem: Upstream["ecosystem"], name: string, version: string): boolean {
    if (!this.#locks.covers(ecosystem)) return true;
    return this.#locks.named(ecosystem, name).some((entry) => sameVersion(ecosystem, entry.version, version));
  }

  /** Keeps a small index about no package (Cargo's `config.json`) for indexes that mean nothing without it. */
  keepConfiguration(url: URL, body: Uint8Array): void {
    if (body.length <= 64 << 10) this.#configurations.set(normalAddress(url.href), body);
  }

  configuration(url: URL): Uint8Array | undefined {
    return this.#configurations.get(normalAddress(url.href));
  }

  announcedAt(url: string): readonly Announcement[] {
    return this.#announced.get(normalAddress(url)) ?? [];
  }

  /** What is announced for an archive, whatever the spelling of its address. */
  announcedFor(facts: RequestFacts, url: string): readonly Announcement[] {
    const found = this.announcedAt(url);
    if (found.length > 0 || facts.kind !== "archive") return found;
    return this.#announcedFiles.get(`${facts.purl} ${facts.fileName}`) ?? [];
  }

  /** The trusted repository below whose address a URL lies. */
  upstreamOf(url: URL): Upstream | undefined {
    return this.#upstreams.find((each) => {
      const beside = this.#adapters[each.ecosystem]?.beside?.(each) ?? [];
      return [each.url, ...beside].some((base) => isBelow(url, base));
    });
  }

  /** @throws SESSION_ADDRESS_UNKNOWN | SESSION_REQUEST_UNKNOWN */
  route(request: ProxyRequest): RouteFacts {
    const { url } = request;
    const announced = this.announcedAt(url.href);
    const expected = announced.flatMap((each) => each.digests);
    const download = this.#locks.download(url.href);
    if (download !== undefined) {
      const digests = download.digests.map(
        (each) => ({ ...each, source: "pipeline", from: "touchmark.yaml" }) as const,
      );
      return { facts: pinned(url, "download"), url, announced, expected: digests, announcedHost: false };
    }
    const upstream = this.upstreamOf(url);
    if (upstream !== undefined) {
      const facts = this.#adapters[upstream.ecosystem]?.classify(request, upstream);
      if (facts !== undefined) {
        const all = this.announcedFor(facts, url.href);
        return { facts, url, announced: all, expected: all.flatMap((each) => each.digests), announcedHost: false };
      }
      const [announcement] = announced;
      if (announcement !== undefined)
        return { facts: announcedFacts(announcement, upstream), url, announced, expected, announcedHost: false };
      throw sessionErrors.make(
        "SESSION_REQUEST_UNKNOWN",
        `${request.method} ${plainAddress(url)}: nothing that ${upstream.ecosystem} clients ask of ${upstream.name}`,
      );
    }
    const [announcement] = announced;
    if (announcement !== undefined && expected.some(isStrong)) {
      const source = this.#upstreams.find((each) => each.ecosystem === announcement.ecosystem);
      if (source !== undefined)
        return { facts: announcedFacts(announcement, source), url, announced, expected, announcedHost: true };
    }
    return this.#lockedAddress(request) ?? unknownAddress(url);
  }

  /** An address that a lockfile names with a digest: the file is asked of the trusted repository instead, by path. */
  #lockedAddress(request: ProxyRequest): RouteFacts | undefined {
    const entries = this.#locks
      .at(request.url.href)
      .filter((entry) => entry.digests.concat(entry.files?.flatMap((file) => file.digests) ?? []).some(isStrong));
    const [entry] = entries;
    if (entry === undefined) return undefined;
    if (entry.from.kind === "url") {
      const purl = entry.purl === undefined ? {} : { purl: entry.purl };
      const facts: RequestFacts = { ...pinned(request.url, "archive"), ...purl };
      return { facts, url: request.url, announced: [], expected: [], announcedHost: true };
    }
    for (const upstream of this.#upstreams.filter((each) => each.ecosystem === entry.ecosystem)) {
      const moved = new URL(request.url.pathname.slice(1) + request.url.search, upstream.url);
      if (!isBelow(moved, upstream.url)) continue;
      const facts = this.#adapters[upstream.ecosystem]?.classify({ ...request, url: moved }, upstream);
      if (facts?.name === entry.name) {
        return { facts, url: moved, announced: this.announcedAt(moved.href), expected: [], announcedHost: false };
      }
    }
    return undefined;
  }
}

/** A file that is known by its address and digest alone. */
function pinned(url: URL, kind: "download" | "archive"): RequestFacts {
  const upstream: Upstream = { name: "pinned", ecosystem: "generic", url: `${url.origin}/`, exclusive: [], order: 0 };
  const fileName = url.pathname.split("/").at(-1) ?? "";
  return { ecosystem: "generic", kind, upstream, fileName, immutable: true };
}

function announcedFacts(announcement: Announcement, upstream: Upstream): RequestFacts {
  const { ecosystem, kind, name, version, purl, fileName } = announcement;
  return {
    ecosystem,
    kind,
    upstream,
    immutable: kind === "archive",
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    ...(fileName === undefined ? {} : { fileName }),
  };
}

function isBelow(url: URL, base: string): boolean {
  const root = new URL(base);
  return url.origin === root.origin && url.pathname.startsWith(root.pathname);
}

function unknownAddress(url: URL): never {
  throw sessionErrors.make(
    "SESSION_ADDRESS_UNKNOWN",
    `expected an address of a trusted repository, of an announced file or of the pipeline, found ${plainAddress(url)}`,
  );
}

/** An address as messages and records show it: a query may hold a secret, and never more than 200 characters. */
export function plainAddress(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 200);
}
