import { readFile } from "node:fs/promises";
import { rfc3339, sha256 } from "@touchmark/core";
import type { ProxyRequest } from "../door.ts";
import type { ExpectedDigest, MaterialRecord, RequestFacts } from "../material.ts";
import { recordedUrl, variantOf } from "../mirror/record-key.ts";
import { unlessDamaged } from "../mirror/unless-damaged.ts";
import { announce } from "./announce.ts";
import { isKept } from "./kept.ts";
import { type Asked, keyOf, type SessionContext, type SmallAnswer } from "./settings.ts";

/** Checksum files of a Maven repository, the strongest first. */
const checksumEndings = [".sha512", ".sha256", ".sha1"] as const;

/**
 * Asks for a small file on the session's own account: signatures, proofs, checksums. Recorded like everything else, and
 * answered by the mirror where that may be. Offline, what the mirror lacks is a 404.
 */
export async function fetchAside(
  context: SessionContext,
  url: URL,
  about: RequestFacts,
  headers: Readonly<Record<string, string>> = {},
): Promise<SmallAnswer> {
  const { settings, routes } = context;
  const { mirror, offline } = settings;
  const request: ProxyRequest = { method: "GET", url, headers };
  const upstream = routes.upstreamOf(url) ?? about.upstream;
  const facts: RequestFacts = settings.adapters[upstream.ecosystem]?.classify(request, upstream) ?? {
    ecosystem: about.ecosystem,
    kind: "signature",
    upstream,
    immutable: false,
  };
  const route = { facts, url, announced: [], expected: [], announcedHost: false };
  const asked: Asked = { request, route, locked: [], expected: [], ...keyOf(request, url) };
  const known = offline || facts.immutable ? await unlessDamaged(offline, mirror.find(asked.key)) : undefined;
  const path = known === undefined ? undefined : await unlessDamaged(offline, mirror.body(known));
  if (known !== undefined && path !== undefined) {
    if (known.status === 200) await announce(context, asked, path, []);
    return { status: known.status, headers: known.headers, bytes: await readFile(path) };
  }
  if (offline) return { status: 404, headers: {}, bytes: new Uint8Array() };
  const answer = await settings.get(url, { ...headers, ...(await settings.credentials(url, facts)) });
  if (isKept(answer.status, facts)) await keep(context, asked, answer);
  return answer;
}

async function keep(context: SessionContext, asked: Asked, answer: SmallAnswer): Promise<void> {
  const { settings, ledger } = context;
  const { upstream, ...facts } = asked.route.facts;
  const record: MaterialRecord = {
    key: asked.key,
    method: "GET",
    url: recordedUrl(asked.route.url),
    ...(Object.keys(asked.variant).length === 0 ? {} : { variant: asked.variant }),
    variant: variantOf(asked.request.headers),
    redirects: [],
    status: answer.status,
    headers: {},
    digest: sha256(answer.bytes),
    size: answer.bytes.length,
    facts: { ...facts, upstream: upstream.name },
    expected: [],
    fetchedAt: rfc3339(settings.clock.now()),
  };
  const incoming = await settings.mirror.incoming();
  try {
    await incoming.write(answer.bytes);
    await incoming.close();
    await settings.mirror.commit(incoming, record);
  } finally {
    await incoming.discard();
  }
  if (answer.status === 200) await announce(context, asked, await settings.mirror.body(record), []);
  ledger.admit({
    record,
    locked: false,
    announced: [],
    mirrored: false,
    decision: { verdict: "admitted", results: [] },
    evidence: [],
  });
}

/** A repository's own checksum file, which its clients ask for after the file; we want it before. */
export async function checksumsOf(context: SessionContext, asked: Asked): Promise<readonly ExpectedDigest[]> {
  const { facts, url } = asked.route;
  if (facts.kind !== "archive" && facts.kind !== "metadata") return [];
  const known = (): readonly ExpectedDigest[] => context.routes.announcedAt(url.href).flatMap((each) => each.digests);
  for (const ending of checksumEndings) {
    if (known().length > 0) break;
    await fetchAside(context, new URL(`${url.href}${ending}`), facts);
  }
  return known();
}
