import { rfc3339 } from "@touchmark/core";
import type { ArrivedAnswer, ProxyRequest, StoredAnswer, UpstreamPassage } from "../door.ts";
import type { Announcement, ExpectedDigest, MaterialRecord } from "../material.ts";
import type { Incoming } from "../mirror/mirror.ts";
import { recordedUrl } from "../mirror/record-key.ts";
import { liesInPrivateNetwork } from "./ask-index.ts";
import { algorithmsOf, assertAlternatives, assertDigests, isPinned, isStrong } from "./digests.ts";
import { sessionErrors } from "./errors.ts";
import { admitBody, ownDigests } from "./intake.ts";
import { isKept, keptHeadersOf } from "./kept.ts";
import { plainAddress } from "./routes.ts";
import type { Asked, SessionContext } from "./settings.ts";

/** Headers of a client that decide what the answer is. */
const askedHeaders = ["accept", "git-protocol", "content-type", "content-encoding", "user-agent"] as const;

/** Something that is held until a passage has ended. */
export interface Lease {
  release(): Promise<void>;
}

/** A way to ask upstream; what arrives is let in by `settle` alone. */
export async function upstreamPassage(
  context: SessionContext,
  asked: Asked,
  lease: Lease | undefined,
): Promise<UpstreamPassage> {
  const { settings, ledger } = context;
  const { facts, url, announcedHost, announced } = asked.route;
  const secret = announcedHost ? {} : await settings.credentials(url, facts);
  const demanded = [...asked.expected, ...(asked.alternatives?.flat() ?? [])];
  let incoming: Incoming | undefined;
  const end = async (): Promise<void> => {
    await incoming?.discard();
    await lease?.release();
  };
  const refuse = (error: unknown): void => ledger.refuse(url, error, facts.purl);
  const keep = async (body: Incoming, record: MaterialRecord): Promise<void> => {
    await settings.mirror.commit(body, record).catch(refuse);
    await end();
  };
  return {
    kind: "upstream",
    url,
    headers: { ...clientHeaders(asked.request), ...secret },
    maxBytes: Math.min(settings.maxBytes, sizeBound(announced)),
    allowPrivate: !announcedHost || (await liesInPrivateNetwork(facts.upstream)),
    // Evidence of others names archives by these, whatever the lockfile used.
    algorithms: [...new Set([...algorithmsOf(demanded), ...(facts.kind === "archive" ? archiveHashes : [])])],
    redirect: (to) => redirectHeaders(context, asked, to),
    quarantine: async () => {
      incoming = await settings.mirror.incoming();
      return incoming;
    },
    settle: async (arrived) => {
      try {
        if (incoming === undefined) throw new TypeError("an answer arrived without a place");
        const { answer, record } = await settle(context, asked, arrived);
        if (record === undefined) await end();
        // The client need not wait for the disk: what cannot be kept refuses the step all the same.
        else context.pending.add(keep(incoming, record));
        return answer;
      } catch (error) {
        refuse(error);
        await end();
        throw error;
      }
    },
    abandon: end,
  };
}

const archiveHashes = ["sha512", "sha1"] as const;

/** An answer that may go to the client, and the record that the mirror keeps of it, if any. */
interface Settled {
  readonly answer: StoredAnswer;
  readonly record?: MaterialRecord;
}

async function settle(context: SessionContext, asked: Asked, arrived: ArrivedAnswer): Promise<Settled> {
  const { facts, announced, url } = asked.route;
  const { status, size, path } = arrived;
  const name = facts.purl ?? plainAddress(url);
  if (status >= 500 || status === 429) {
    throw sessionErrors.make("SESSION_UPSTREAM_FAILED", `${name}: ${facts.upstream.name} answered ${status}`);
  }
  let chosen: readonly ExpectedDigest[] = [];
  if (status === 200) {
    assertDigests(name, asked.expected, arrived.hashes, await ownDigests(context, asked, path));
    chosen = assertAlternatives(name, asked.alternatives ?? [], arrived.hashes);
    const promised = facts.kind === "archive" ? announced.find((each) => each.size !== undefined)?.size : undefined;
    if (promised !== undefined && promised !== size) {
      throw sessionErrors.make("SESSION_SIZE_MISMATCH", `${name}: expected ${promised} bytes, found ${size}`);
    }
  }
  const record = recordOf(context, asked, arrived, chosen);
  const isHead = asked.request.method === "HEAD";
  if (isHead || !isKept(status, facts)) {
    const headers = isHead ? arrived.headers : record.headers;
    return { answer: { kind: "stored", status, headers, body: { path, size, digest: record.digest } } };
  }
  return { answer: await admitBody(context, asked, record, path, { mirrored: false, hashes: arrived.hashes }), record };
}

function recordOf(
  { settings }: SessionContext,
  asked: Asked,
  arrived: ArrivedAnswer,
  chosen: readonly ExpectedDigest[],
): MaterialRecord {
  const { upstream, ...facts } = asked.route.facts;
  const { sha256 } = arrived.hashes;
  if (sha256 === undefined) throw new TypeError("a body was not hashed");
  const { method } = asked.request;
  return {
    key: asked.key,
    method: method === "HEAD" ? "GET" : method,
    url: recordedUrl(asked.route.url),
    ...(Object.keys(asked.variant).length === 0 ? {} : { variant: asked.variant }),
    redirects: arrived.redirects.map((each) => settings.redact(recordedUrl(each))),
    status: arrived.status,
    headers: keptHeadersOf(arrived.headers),
    digest: `sha256:${sha256}`,
    size: arrived.size,
    facts: { ...facts, upstream: upstream.name },
    expected: arrived.status === 200 ? [...asked.expected, ...chosen] : [],
    fetchedAt: rfc3339(settings.clock.now()),
  };
}

/** Headers for the address of a redirect, when it may be followed. @throws SESSION_REDIRECT_REFUSED */
async function redirectHeaders(
  { settings, routes }: SessionContext,
  asked: Asked,
  to: URL,
): Promise<Readonly<Record<string, string>>> {
  const { facts, url } = asked.route;
  const upstream = routes.upstreamOf(to);
  const isTrusted = upstream !== undefined && upstream.ecosystem === facts.ecosystem;
  const isNamed = isPinned(asked) || routes.announcedAt(to.href).some((each) => each.digests.some(isStrong));
  const isWeaker = url.protocol === "https:" && to.protocol !== "https:";
  if ((!isTrusted && !isNamed) || isWeaker) {
    throw sessionErrors.make(
      "SESSION_REDIRECT_REFUSED",
      `${plainAddress(url)} redirects to ${plainAddress(to)}, which is no trusted repository, and no digest pins the file`,
    );
  }
  const headers = clientHeaders(asked.request);
  // Credentials are looked up anew: they are bound to a host.
  return isTrusted ? { ...headers, ...(await settings.credentials(to, facts, url)) } : headers;
}

/** The client's own headers, as far as they decide the answer; an encoding would make digests those of encoded bytes. */
function clientHeaders(request: ProxyRequest): Record<string, string> {
  const chosen: Record<string, string> = { "accept-encoding": "identity" };
  for (const name of askedHeaders) {
    const value = request.headers[name];
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

/** A file can be no larger than its index says; one byte more tells that the index lies. */
function sizeBound(announced: readonly Announcement[]): number {
  const sizes = announced.flatMap((each) => (each.size === undefined || each.kind !== "archive" ? [] : [each.size]));
  return sizes.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...sizes) + 1;
}
