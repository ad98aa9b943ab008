import { readFile } from "node:fs/promises";
import { type Clock, rfc3339, sha256 } from "@touchmark/core";
import type { Ecosystem, LockedPackage } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer, Door, Passage, ProxyRequest, StoredAnswer, UpstreamPassage } from "../door.ts";
import type { EcosystemAdapter } from "../ecosystem.ts";
import type { Candidate, GateDecision, InspectedArchive, UpstreamEvidence } from "../gate/decision.ts";
import type { Announcement, ExpectedDigest, MaterialRecord, RequestFacts, Upstream } from "../material.ts";
import type { Incoming, Mirror } from "../mirror/mirror.ts";
import { algorithmsOf, assertAgreement, assertDigests, isStrong } from "./digests.ts";
import { sessionErrors } from "./errors.ts";
import { SessionLedger, type SessionReport } from "./ledger.ts";
import type { LockIndex } from "./lock-index.ts";
import { plainAddress, type RouteFacts, Routes } from "./routes.ts";

/** A small file that a part of the session needs beside what the step asked. */
export interface SmallAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** What a session is made of; the parts are handed in, so that each can be replaced in tests. */
export interface SessionSettings {
  readonly step: string;
  readonly clock: Clock;
  /** Answer from the mirror alone. */
  readonly offline: boolean;
  readonly upstreams: readonly Upstream[];
  readonly locks: LockIndex;
  readonly adapters: Readonly<Record<Ecosystem, EcosystemAdapter>>;
  readonly mirror: Mirror;
  /** Key of a request in the mirror. */
  readonly recordKey: (request: Pick<ProxyRequest, "method" | "url" | "headers" | "body">) => string;
  readonly decide: (candidate: Candidate) => GateDecision;
  /** The refusal of a decision, as an error with the code of its rule. */
  readonly refusal: (decision: GateDecision, candidate: Candidate) => Error;
  readonly inspect: (record: MaterialRecord, path: string) => Promise<InspectedArchive>;
  /** Evidence of others; absent when no rule and no trust is configured for it. */
  readonly gather?: (asked: EvidenceRequest) => Promise<readonly UpstreamEvidence[]>;
  /** Credentials for an address, bound to this step. */
  readonly credentials: (url: URL) => Promise<Readonly<Record<string, string>>>;
  readonly get: (url: URL, headers: Readonly<Record<string, string>>) => Promise<SmallAnswer>;
  /** Most bytes of one body. */
  readonly maxBytes: number;
  /** User information and secrets of credentials replaced. */
  readonly redact: (text: string) => string;
}

/** What evidence is asked about. */
export interface EvidenceRequest {
  readonly facts: RequestFacts;
  readonly url: URL;
  readonly announced: readonly Announcement[];
  readonly path: string;
  readonly hashes: ArrivedAnswer["hashes"];
  readonly size: number;
  /** Fetches a further small file, recorded like everything else. */
  readonly get: (url: URL) => Promise<SmallAnswer>;
}

/** The door of one fetch step, and its record. */
export interface MaterialsSession extends Door {
  progress(): { readonly packages: number; readonly bytes: number; readonly requests: number };
  report(): SessionReport;
}

/** Headers that a client needs again when the mirror answers. */
const keptHeaders = ["content-type", "etag", "last-modified", "link", "cache-control", "x-pypi-last-serial"] as const;
/** Headers of a client that decide what the answer is. */
const askedHeaders = ["accept", "git-protocol", "content-type", "user-agent"] as const;
const checksumEndings = [".sha512", ".sha256", ".sha1"] as const;

/** Opens the session of one step. SPEC S1-S9. */
export function openSession(settings: SessionSettings): MaterialsSession {
  return new Session(settings);
}

/** One request on its way. */
interface Asked {
  readonly request: ProxyRequest;
  readonly route: RouteFacts;
  readonly locked: readonly LockedPackage[];
  readonly expected: readonly ExpectedDigest[];
  readonly key: string;
}

class Session implements MaterialsSession {
  readonly #settings: SessionSettings;
  readonly #routes: Routes;
  readonly #ledger = new SessionLedger();
  readonly #signedIndexes = new Set<string>();

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#routes = new Routes(settings.upstreams, settings.adapters, settings.locks);
  }

  progress(): ReturnType<MaterialsSession["progress"]> {
    return this.#ledger.progress();
  }

  report(): SessionReport {
    return this.#ledger.report();
  }

  async open(request: ProxyRequest): Promise<Passage> {
    this.#ledger.request();
    let facts: RequestFacts | undefined;
    try {
      const route = this.#routes.route(request);
      facts = route.facts;
      return await this.#admit(request, route);
    } catch (error) {
      this.#ledger.refuse(request.url, error, facts?.purl);
      throw error;
    }
  }

  async #admit(request: ProxyRequest, route: RouteFacts): Promise<Passage> {
    const { facts, url } = route;
    if (facts.kind === "chatter") {
      throw sessionErrors.make("SESSION_CHATTER", `${request.method} ${plainAddress(url)} is nothing to build from`);
    }
    const { locks } = this.#settings;
    const about = locks.about(facts);
    const locked = about.length > 0 ? about : locks.at(request.url.href);
    const wanted = { ...route, url: request.url };
    const expected = [...locks.expected(facts, wanted.url.href, locked), ...route.expected];
    const name = facts.purl ?? plainAddress(url);
    assertAgreement(name, expected);
    const asked: Asked = { request, route, locked, expected, key: this.#keyOf(request, url) };
    // The gate speaks before anybody is asked: a name alone can be an attack, and can carry a secret out.
    this.#judge(await this.#candidate(asked));
    if (facts.ecosystem === "maven" && !expected.some(isStrong)) {
      return this.#passage({ ...asked, expected: [...expected, ...(await this.#checksums(asked))] });
    }
    return this.#passage(asked);
  }

  #keyOf(request: ProxyRequest, url: URL): string {
    const { method, headers, body } = request;
    // What a HEAD asks is answered from the record of the GET.
    const asked = method === "HEAD" ? "GET" : method;
    return this.#settings.recordKey({ method: asked, url, headers, ...(body === undefined ? {} : { body }) });
  }

  async #candidate(asked: Asked): Promise<Candidate> {
    const { facts, announced } = asked.route;
    const seen =
      facts.purl !== undefined && facts.fileName !== undefined && facts.kind === "archive"
        ? await this.#settings.mirror.seen(facts.purl, facts.fileName)
        : [];
    return {
      facts,
      step: this.#settings.step,
      now: this.#settings.clock.now(),
      locked: asked.locked,
      announced,
      seen,
      evidence: [],
    };
  }

  #judge(candidate: Candidate): GateDecision {
    const decision = this.#settings.decide(candidate);
    if (decision.verdict === "refused") throw this.#settings.refusal(decision, candidate);
    return decision;
  }

  async #passage(asked: Asked): Promise<Passage> {
    const { facts } = asked.route;
    const { mirror, offline } = this.#settings;
    const stored = await this.#stored(asked);
    if (stored !== undefined) return stored;
    if (offline) {
      throw sessionErrors.make(
        "SESSION_OFFLINE_MISSING",
        `the mirror holds no answer to ${asked.request.method} ${plainAddress(asked.route.url)}`,
      );
    }
    if (!facts.immutable) return this.#upstream(asked, undefined);
    const lease = await mirror.lease(asked.key);
    try {
      const filled = await this.#stored(asked);
      if (filled !== undefined) {
        await lease.release();
        return filled;
      }
      return await this.#upstream(asked, lease);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** What the mirror has, when it may answer: the very file by its digest, or what never changes, or anything offline. */
  async #stored(asked: Asked): Promise<StoredAnswer | undefined> {
    const { mirror, offline } = this.#settings;
    const { facts } = asked.route;
    let record: MaterialRecord | undefined;
    for (const digest of asked.expected.filter((each) => isStrong(each) && each.algorithm !== "h1")) {
      record ??= facts.kind === "index" ? undefined : await mirror.findByDigest(digest);
    }
    if (record === undefined && (facts.immutable || offline)) record = await mirror.find(asked.key);
    if (record === undefined) return undefined;
    if (record.status !== 200 && facts.immutable && !offline) return undefined;
    const path = await mirror.body(record);
    const hashes = Object.fromEntries(record.expected.map((each) => [each.algorithm, each.value]));
    const own = record.status === 200 ? await this.#ownDigests(asked, path) : [];
    const known = asked.expected.filter(
      (each) => each.algorithm === "sha256" || each.algorithm in hashes || each.algorithm === "h1",
    );
    if (record.status === 200)
      assertDigests(facts.purl ?? record.url, known, { ...hashes, sha256: record.digest.slice(7) }, own);
    return this.#let(asked, { ...record, key: asked.key }, path, { mirrored: true });
  }

  async #ownDigests(asked: Asked, path: string) {
    const { facts } = asked.route;
    const adapter = this.#settings.adapters[facts.ecosystem];
    const needed = asked.expected.some((each) => each.algorithm === "h1");
    return needed && adapter.digestsOf !== undefined ? adapter.digestsOf(facts, path) : [];
  }

  /** The last word on a body that is here and verified: inspection, evidence, gate; then it is announced and recorded. */
  async #let(
    asked: Asked,
    record: MaterialRecord,
    path: string,
    how: { readonly mirrored: boolean; readonly hashes?: ArrivedAnswer["hashes"] },
  ): Promise<StoredAnswer> {
    const { facts, announced, url } = asked.route;
    const settings = this.#settings;
    const isArchive = facts.kind === "archive" && record.status === 200;
    const archive = isArchive ? await settings.inspect(record, path) : undefined;
    const wantsEvidence = record.status === 200 && (isArchive || (facts.ecosystem === "deb" && facts.kind === "index"));
    const evidence =
      wantsEvidence && settings.gather !== undefined
        ? await settings.gather({
            facts,
            url,
            announced,
            path,
            hashes: how.hashes ?? { sha256: record.digest.slice(7) },
            size: record.size,
            get: (aside) => this.#aside(aside, facts),
          })
        : [];
    const candidate: Candidate = {
      ...(await this.#candidate(asked)),
      evidence,
      size: record.size,
      ...(archive === undefined ? {} : { archive }),
    };
    const decision = this.#judge(candidate);
    if (record.status === 200 && (facts.kind === "index" || facts.kind === "metadata" || facts.kind === "signature")) {
      await this.#announce(asked, record, path, evidence);
    }
    const locked = asked.locked.length > 0 || facts.kind === "download";
    this.#ledger.admit({ record, locked, mirrored: how.mirrored, decision, evidence, ...(archive && { archive }) });
    const { status, headers, size, digest } = record;
    return { kind: "stored", status, headers, body: { path, size, digest } };
  }

  async #announce(asked: Asked, record: MaterialRecord, path: string, evidence: readonly UpstreamEvidence[]) {
    const { facts, url } = asked.route;
    const adapter = this.#settings.adapters[facts.ecosystem];
    const announced = adapter.announced(facts, await readFile(path), url);
    const signed =
      evidence.some((each) => each.kind === "debian-chain" && each.outcome === "verified") ||
      asked.expected.some((each) => each.source === "signed-index");
    if (signed) this.#signedIndexes.add(record.digest);
    this.#routes.announce(
      signed
        ? announced.map((each) => ({
            ...each,
            digests: each.digests.map((digest) => ({ ...digest, source: "signed-index" as const })),
          }))
        : announced,
    );
  }

  async #upstream(asked: Asked, lease: { release(): Promise<void> } | undefined): Promise<UpstreamPassage> {
    const { mirror, maxBytes } = this.#settings;
    const { facts, url, announcedHost } = asked.route;
    const secret = announcedHost ? {} : await this.#settings.credentials(url);
    let incoming: Incoming | undefined;
    const end = async (): Promise<void> => {
      await incoming?.discard();
      await lease?.release();
    };
    return {
      kind: "upstream",
      url,
      headers: { ...clientHeaders(asked.request), ...secret },
      maxBytes: Math.min(maxBytes, sizeBound(asked.route.announced)),
      algorithms: [
        ...new Set([
          ...algorithmsOf(asked.expected),
          ...(facts.kind === "archive" ? (["sha512", "sha1"] as const) : []),
        ]),
      ],
      allowPrivate: !announcedHost,
      redirect: (to) => this.#redirect(asked, to),
      quarantine: async () => {
        incoming = await mirror.incoming();
        return incoming;
      },
      settle: async (arrived) => {
        try {
          if (incoming === undefined) throw new TypeError("an answer arrived without a place");
          return await this.#settle(asked, arrived, incoming);
        } catch (error) {
          this.#ledger.refuse(url, error, facts.purl);
          throw error;
        } finally {
          await end();
        }
      },
      abandon: end,
    };
  }

  async #settle(asked: Asked, arrived: ArrivedAnswer, incoming: Incoming): Promise<StoredAnswer> {
    const { facts, announced } = asked.route;
    const { clock, mirror, redact } = this.#settings;
    const name = facts.purl ?? plainAddress(asked.route.url);
    if (arrived.status >= 500 || arrived.status === 429) {
      throw sessionErrors.make("SESSION_UPSTREAM_FAILED", `${name}: ${facts.upstream.name} answered ${arrived.status}`);
    }
    const sha256 = arrived.hashes.sha256;
    if (sha256 === undefined) throw new TypeError("a body was not hashed");
    const found = arrived.status === 200;
    if (found) {
      assertDigests(name, asked.expected, arrived.hashes, await this.#ownDigests(asked, arrived.path));
      const size = announced.find((each) => each.size !== undefined)?.size;
      if (size !== undefined && facts.kind === "archive" && size !== arrived.size) {
        throw sessionErrors.make("SESSION_SIZE_MISMATCH", `${name}: expected ${size} bytes, found ${arrived.size}`);
      }
    }
    const { upstream, ...rest } = facts;
    const record: MaterialRecord = {
      key: asked.key,
      method: asked.request.method === "HEAD" ? "GET" : asked.request.method,
      url: redact(asked.route.url.href),
      redirects: arrived.redirects.map(redact),
      status: arrived.status,
      headers: Object.fromEntries(
        keptHeaders.flatMap((header) => {
          const value = arrived.headers[header];
          return value === undefined ? [] : [[header, value]];
        }),
      ),
      digest: `sha256:${sha256}`,
      size: arrived.size,
      facts: { ...rest, upstream: upstream.name },
      expected: found ? asked.expected : [],
      fetchedAt: rfc3339(clock.now()),
    };
    if (asked.request.method === "HEAD" || !isKept(arrived.status, facts)) {
      const headers = asked.request.method === "HEAD" ? arrived.headers : record.headers;
      return {
        kind: "stored",
        status: arrived.status,
        headers,
        body: { path: arrived.path, size: arrived.size, digest: record.digest },
      };
    }
    const answer = await this.#let(asked, record, arrived.path, { mirrored: false, hashes: arrived.hashes });
    await mirror.commit(incoming, record);
    return { ...answer, body: { ...answer.body, path: await mirror.body(record) } };
  }

  /** @throws SESSION_REDIRECT_REFUSED */
  async #redirect(asked: Asked, to: URL): Promise<Readonly<Record<string, string>>> {
    const { facts, url } = asked.route;
    const upstream = this.#routes.upstreamOf(to);
    const sameSide = upstream !== undefined && upstream.ecosystem === facts.ecosystem;
    const pinned = asked.expected.some(isStrong) || this.#routes.announcedAt(to.href).length > 0;
    const weaker = url.protocol === "https:" && to.protocol !== "https:";
    if ((!sameSide && !pinned) || weaker) {
      throw sessionErrors.make(
        "SESSION_REDIRECT_REFUSED",
        `${plainAddress(url)} redirects to ${plainAddress(to)}, which is no trusted repository, and no digest pins the file`,
      );
    }
    const headers = clientHeaders(asked.request);
    return to.host === url.host || sameSide ? { ...headers, ...(await this.#settings.credentials(to)) } : headers;
  }

  /** A repository's own checksum files, which its clients ask for after the file; we want them before. */
  async #checksums(asked: Asked): Promise<readonly ExpectedDigest[]> {
    const { facts, url } = asked.route;
    if (facts.kind !== "archive" && facts.kind !== "metadata") return [];
    for (const ending of checksumEndings) {
      const address = new URL(`${url.href}${ending}`);
      const known = this.#routes.announcedAt(url.href).flatMap((each) => each.digests);
      if (known.length > 0) return known;
      const answer = await this.#aside(address, facts);
      if (answer.status !== 200) continue;
      return this.#routes.announcedAt(url.href).flatMap((each) => each.digests);
    }
    return [];
  }

  /** Asks for a small file on the session's own account: recorded, and answered by the mirror where that may be. */
  async #aside(url: URL, about: RequestFacts): Promise<SmallAnswer> {
    const { mirror, offline, credentials, clock, redact, adapters } = this.#settings;
    const request: ProxyRequest = { method: "GET", url, headers: {} };
    const key = this.#keyOf(request, url);
    const upstream = this.#routes.upstreamOf(url) ?? about.upstream;
    const facts = adapters[upstream.ecosystem].classify(request, upstream) ?? {
      ecosystem: about.ecosystem,
      kind: "signature" as const,
      upstream,
      immutable: false,
    };
    const asked: Asked = {
      request,
      route: { facts, url, announced: [], expected: [], announcedHost: false },
      locked: [],
      expected: [],
      key,
    };
    const known = await mirror.find(key);
    if (known !== undefined && (offline || facts.immutable)) {
      const path = await mirror.body(known);
      if (known.status === 200) await this.#announce(asked, known, path, []);
      return { status: known.status, headers: known.headers, bytes: await readFile(path) };
    }
    if (offline) return { status: 404, headers: {}, bytes: new Uint8Array() };
    const answer = await this.#settings.get(url, await credentials(url));
    if (!isKept(answer.status, facts)) return answer;
    const incoming = await mirror.incoming();
    try {
      await incoming.write(answer.bytes);
      await incoming.close();
      const { upstream: _, ...rest } = facts;
      const record: MaterialRecord = {
        key,
        method: "GET",
        url: redact(url.href),
        redirects: [],
        status: answer.status,
        headers: {},
        digest: sha256(answer.bytes),
        size: answer.bytes.length,
        facts: { ...rest, upstream: upstream.name },
        expected: [],
        fetchedAt: rfc3339(clock.now()),
      };
      await mirror.commit(incoming, record);
      if (answer.status === 200) await this.#announce(asked, record, await mirror.body(record), []);
      this.#ledger.admit({
        record,
        locked: false,
        mirrored: false,
        decision: { verdict: "admitted", results: [] },
        evidence: [],
      });
    } finally {
      await incoming.discard();
    }
    return answer;
  }
}

/** The client's own headers, as far as they decide the answer; an encoding would make digests of encoded bytes. */
function clientHeaders(request: ProxyRequest): Record<string, string> {
  const chosen: Record<string, string> = { "accept-encoding": "identity" };
  for (const name of askedHeaders) {
    const value = request.headers[name];
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

/** A file can be no larger than its index says; one byte more tells that it lies. */
function sizeBound(announced: readonly Announcement[]): number {
  const sizes = announced.flatMap((each) => (each.size === undefined || each.kind !== "archive" ? [] : [each.size]));
  return sizes.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...sizes) + 1;
}

/** What is worth keeping: good answers, and that an index or a signature is not there. */
function isKept(status: number, facts: RequestFacts): boolean {
  return status === 200 || ((status === 404 || status === 410) && facts.kind !== "archive");
}
