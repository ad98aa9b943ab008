import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError, parseDigest } from "@touchmark/core";
import type {
  Announcement,
  ArrivedAnswer,
  Door,
  EcosystemAdapter,
  ExpectedDigest,
  Passage,
  ProxyRequest,
  RequestFacts,
  StoredAnswer,
  Upstream,
} from "@touchmark/materials";

/** What became of one archive. */
export interface CarriedArchive {
  readonly url: string;
  /** Digests that somebody announced, by algorithm. */
  readonly announced: readonly string[];
  /** Every announced digest is that of the bytes, and one of them is strong. */
  readonly held: boolean;
}

/** Digests that an archive must have besides what indexes announce. */
export type ExpectedOf = (facts: RequestFacts, url: URL) => Promise<readonly ExpectedDigest[]>;

/** Headers that select an answer among those of an address. */
const selecting = ["accept", "git-protocol"] as const;
const strong: ReadonlySet<string> = new Set(["sha256", "sha384", "sha512", "h1"]);

/**
 * A door for live tests: lets in what the adapters know, notes what they do not, records every answer in a directory,
 * compares each archive with what an index announces for it, and answers from the records alone when `offline`. It
 * asks no gate and no lockfile: whether the ecosystem is understood is all that it measures.
 */
export class RecordingDoor implements Door {
  /** Addresses that no adapter knew. */
  readonly unknown: string[] = [];
  readonly archives: CarriedArchive[] = [];
  /** `kind METHOD URL` of what was asked, in order. */
  readonly asked: string[] = [];
  /** Asked while offline, and not recorded. */
  readonly missing: string[] = [];
  offline = false;
  readonly #directory: string;
  readonly #upstreams: readonly Upstream[];
  readonly #adapter: EcosystemAdapter;
  readonly #more: ExpectedOf | undefined;
  readonly #answers = new Map<string, StoredAnswer>();
  readonly #announced = new Map<string, Announcement>();
  readonly #bodies = new Map<string, Uint8Array>();

  constructor(directory: string, adapter: EcosystemAdapter, upstreams: readonly Upstream[], more?: ExpectedOf) {
    this.#more = more;
    this.#directory = directory;
    this.#adapter = adapter;
    this.#upstreams = upstreams;
  }

  open(request: ProxyRequest): Promise<Passage> {
    return Promise.resolve().then(() => this.#open(request));
  }

  #open(request: ProxyRequest): Passage {
    const known = this.#factsOf(request);
    this.asked.push(`${known?.kind ?? "unknown"} ${request.method} ${request.url.href}`);
    if (known === undefined) {
      this.unknown.push(`${request.method} ${request.url.href}`);
      throw refusal(`${request.url.href}: no adapter knows it`);
    }
    if (known.kind === "chatter") throw refusal(`${request.url.href}: nothing rests on it`);
    const key = recordKey(request);
    const stored = this.#answers.get(key) ?? (request.method === "HEAD" ? this.#anyOf(request) : undefined);
    if (stored !== undefined && this.offline) return stored;
    if (this.offline) {
      this.missing.push(key);
      throw refusal(`${request.url.href}: not recorded`);
    }
    const path = join(this.#directory, randomUUID());
    const headers = forwarded(request.headers);
    return {
      kind: "upstream",
      url: request.url,
      headers,
      maxBytes: 256 * 1024 * 1024,
      allowPrivate: true,
      algorithms: ["sha1", "sha512", "md5"],
      redirect: () => Promise.resolve(headers),
      quarantine: async () => {
        const file = await open(path, "wx");
        return {
          path,
          write: async (chunk) => void (await file.write(chunk)),
          close: () => file.close(),
        };
      },
      settle: async (arrived) => {
        await this.#judge(request, known, arrived);
        const answer = await storedAnswer(arrived);
        this.#answers.set(key, answer);
        return answer;
      },
      abandon: () => rm(path, { force: true }),
    };
  }

  /** What is known of an address by GET says what HEAD would. */
  #anyOf(request: ProxyRequest): StoredAnswer | undefined {
    const start = `GET ${request.url.href} `;
    for (const [key, answer] of this.#answers) if (key.startsWith(start)) return answer;
    return undefined;
  }

  #factsOf(request: ProxyRequest): RequestFacts | undefined {
    for (const upstream of this.#upstreams) {
      const facts = this.#adapter.classify(request, upstream);
      if (facts !== undefined) return facts;
    }
    const announced = this.#announced.get(request.url.href);
    const [upstream] = this.#upstreams;
    if (announced === undefined || upstream === undefined) return undefined;
    return { ...announced, upstream, immutable: announced.kind === "archive" };
  }

  /** Takes in what an index announces; compares what an archive is with what was announced. */
  async #judge(request: ProxyRequest, facts: RequestFacts, arrived: ArrivedAnswer): Promise<void> {
    if (arrived.status !== 200 || request.method !== "GET") return;
    if (facts.kind === "index" || facts.kind === "metadata") {
      const body = await whole(arrived.path);
      this.#bodies.set(request.url.href, body);
      this.#learn(facts, body, arrived.url);
    }
    if (facts.kind !== "archive") return;
    const digests =
      this.#more === undefined
        ? await this.#expected(request, facts)
        : [...(await this.#more(facts, request.url)), ...(this.#find(request, facts)?.digests ?? [])];
    const own = (await this.#adapter.digestsOf?.(facts, arrived.path)) ?? [];
    const actual = new Map(Object.entries(await hashesOf(arrived.path)));
    for (const { algorithm, value } of own) actual.set(algorithm, value);
    const holds = digests.every(({ algorithm, value }) => actual.get(algorithm) === value);
    this.archives.push({
      url: request.url.href,
      announced: digests.map(({ algorithm }) => algorithm),
      held: holds && digests.some(({ algorithm }) => strong.has(algorithm)),
    });
  }

  #learn(facts: RequestFacts, body: Uint8Array, url: URL): void {
    for (const each of this.#adapter.announced(facts, body, url, (address) => this.#bodies.get(address.href))) {
      this.#announced.set(each.url, each);
    }
  }

  /** A client with a lockfile asks for no index: then it is asked for here, as it would be by the factory. */
  async #expected(request: ProxyRequest, facts: RequestFacts): Promise<readonly ExpectedDigest[]> {
    if (!this.#find(request, facts) && facts.name !== undefined) {
      const path = facts.ecosystem === "npm" ? facts.name.replace("/", "%2f") : `${facts.name}/`;
      const url = new URL(path, facts.upstream.url);
      const index = this.#adapter.classify({ method: "GET", url, headers: {} }, facts.upstream);
      const answer = await fetch(url);
      if (index !== undefined && answer.ok) this.#learn(index, new Uint8Array(await answer.arrayBuffer()), url);
    }
    return this.#find(request, facts)?.digests ?? [];
  }

  #find(request: ProxyRequest, facts: RequestFacts): Announcement | undefined {
    const byAddress = this.#announced.get(request.url.href);
    if (byAddress !== undefined) return byAddress;
    // Clients put the host of their registry in the place of the one that the index names.
    return [...this.#announced.values()].find(
      (each) => each.kind === "archive" && each.purl === facts.purl && each.fileName === facts.fileName,
    );
  }
}

function refusal(message: string): FactoryError {
  return new FactoryError("LIVE_REFUSED", { nature: "refused", meaning: "A live test lets nothing else in." }, message);
}

function recordKey(request: ProxyRequest): string {
  const body = request.body === undefined ? [] : [createHash("sha256").update(request.body).digest("hex")];
  return [request.method, request.url.href, ...selecting.map((name) => request.headers[name] ?? ""), ...body].join(" ");
}

function forwarded(headers: ProxyRequest["headers"]): Record<string, string> {
  const names = [
    "accept",
    "user-agent",
    "content-type",
    "git-protocol",
    "content-encoding",
    "npm-command",
    "pacote-version",
  ];
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

async function storedAnswer(arrived: ArrivedAnswer): Promise<StoredAnswer> {
  const kept = ["content-type", "etag", "last-modified", "location", "link"];
  const headers = kept.flatMap((name) => (arrived.headers[name] === undefined ? [] : [[name, arrived.headers[name]]]));
  const { sha256 } = await hashesOf(arrived.path);
  const { size } = await stat(arrived.path);
  return {
    kind: "stored",
    status: arrived.status,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: { path: arrived.path, size, digest: parseDigest(`sha256:${sha256}`) },
  };
}

async function hashesOf(path: string): Promise<Record<"md5" | "sha1" | "sha256" | "sha384" | "sha512", string>> {
  const algorithms = ["md5", "sha1", "sha256", "sha384", "sha512"] as const;
  const hashes = algorithms.map((algorithm) => createHash(algorithm));
  for await (const chunk of createReadStream(path)) for (const hash of hashes) hash.update(chunk as Buffer);
  const values = hashes.map((hash, at) => [algorithms[at], hash.digest("hex")] as const);
  return Object.fromEntries(values) as Record<(typeof algorithms)[number], string>;
}

async function whole(path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
