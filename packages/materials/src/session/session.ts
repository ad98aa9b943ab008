import { isFactoryError } from "@touchmark/core";
import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer, Door, Passage, ProxyRequest, StoredAnswer } from "../door.ts";
import type { MaterialRecord, RequestFacts } from "../material.ts";
import { unlessDamaged } from "../mirror/unless-damaged.ts";
import { announce } from "./announce.ts";
import { checksumsOf } from "./aside.ts";
import { askIndex } from "./ask-index.ts";
import {
  algorithmsOf,
  assertAgreement,
  assertAlternatives,
  assertDigests,
  hashFile,
  isPinned,
  isStrong,
} from "./digests.ts";
import { sessionErrors } from "./errors.ts";
import { admitBody, candidateOf, judge, ownDigests } from "./intake.ts";
import { SessionLedger, type SessionReport } from "./ledger.ts";
import { plainAddress, type RouteFacts, Routes } from "./routes.ts";
import { type Asked, keyOf, type SessionContext, type SessionSettings } from "./settings.ts";
import { upstreamPassage } from "./upstream-passage.ts";

/** The door of one fetch step, and its record. */
export interface MaterialsSession extends Door {
  /** So far, for people. */
  progress(): { readonly packages: number; readonly bytes: number; readonly requests: number };
  /** Waits until everything that was let in is kept, or refused. The report is complete from then on. */
  kept(): Promise<void>;
  report(): SessionReport;
}

/** Opens the session of one step. SPEC S1-S9. */
export function openSession(settings: SessionSettings): MaterialsSession {
  const routes = new Routes(settings.upstreams, settings.adapters, settings.locks);
  const ledger = new SessionLedger();
  const context: SessionContext = { settings, routes, ledger, pending: new Set() };
  return {
    progress: () => ledger.progress(),
    kept: async () => void (await Promise.all(context.pending)),
    report: () => ledger.report(),
    open: async (request) => {
      ledger.request();
      let facts: RequestFacts | undefined;
      try {
        const route = await routeOf(context, request);
        facts = route.facts;
        return await passageFor(context, await prepare(context, request, route));
      } catch (error) {
        ledger.refuse(request.url, error, facts?.purl);
        throw error;
      }
    },
  };
}

/** Where a request goes. A lockfile may name a host that only the index of the package can vouch for. */
async function routeOf(context: SessionContext, request: ProxyRequest): Promise<RouteFacts> {
  const { routes, settings } = context;
  try {
    return routes.route(request);
  } catch (error) {
    const [entry] = settings.locks.at(request.url.href);
    if (entry === undefined || !isFactoryError(error) || error.code !== "SESSION_ADDRESS_UNKNOWN") throw error;
    await askIndex(context, entry.ecosystem, entry.name);
    return routes.route(request);
  }
}

/** Everything that speaks for or against a request before anybody is asked: a name alone can carry a secret out. */
async function prepare(context: SessionContext, request: ProxyRequest, route: RouteFacts): Promise<Asked> {
  const { locks } = context.settings;
  const { facts, url } = route;
  if (facts.kind === "chatter") {
    throw sessionErrors.make("SESSION_CHATTER", `${request.method} ${plainAddress(url)} is nothing to build from`);
  }
  if (!route.announcedHost) await context.settings.mayAsk(url, facts);
  const locked = lockedFor(context, request, route);
  const fromLocks = locks.expected(facts, request.url.href, locked);
  const alternatives = locks.alternatives(facts, request.url.href, locked);
  const isSilent = context.settings.needsIndex === true && route.announced.length === 0;
  // What no lockfile names is never asked for.
  if (
    locked.length > 0 &&
    facts.kind === "archive" &&
    facts.name !== undefined &&
    (isSilent || !isPinned({ expected: [...fromLocks, ...route.expected], alternatives }))
  ) {
    await askIndex(context, facts.ecosystem, facts.name);
    const announced = context.routes.announcedFor(facts, url.href);
    if (announced.length > 0) {
      return prepared(
        context,
        request,
        { ...route, announced, expected: announced.flatMap((each) => each.digests) },
        locked,
      );
    }
  }
  return prepared(context, request, route, locked);
}

/** The same, with all that can be learned before contact. */
async function prepared(
  context: SessionContext,
  request: ProxyRequest,
  route: RouteFacts,
  locked: readonly LockedPackage[],
): Promise<Asked> {
  const { facts, url } = route;
  const { locks } = context.settings;
  const expected = [...locks.expected(facts, request.url.href, locked), ...route.expected];
  const alternatives = locks.alternatives(facts, request.url.href, locked);
  assertAgreement(facts.purl ?? plainAddress(url), expected, alternatives);
  const asked: Asked = { request, route, locked, expected, alternatives, ...keyOf(request, url) };
  await judge(context, await candidateOf(context, asked, "contact"));
  if (facts.ecosystem !== "maven" || expected.some(isStrong)) return asked;
  const checksums = await checksumsOf(context, asked);
  // The checksum file is an announcement like an index's, for the gate too.
  const announced = context.routes.announcedAt(url.href);
  return { ...asked, route: { ...route, announced }, expected: [...expected, ...checksums] };
}

/** Lock entries and pins that speak for a request. @throws SESSION_COMMIT_UNPINNED */
function lockedFor(
  { settings }: SessionContext,
  request: ProxyRequest,
  { facts }: RouteFacts,
): readonly LockedPackage[] {
  const { locks } = settings;
  if (facts.kind === "git" && request.body !== undefined) {
    const wants = settings.wants(request.body);
    const loose = wants.find((commit) => !locks.commits.has(commit));
    if (loose !== undefined) {
      throw sessionErrors.make(
        "SESSION_COMMIT_UNPINNED",
        `expected commits that a lockfile or the pipeline pins, found ${loose} asked of ${plainAddress(request.url)}`,
      );
    }
    return locks.pinning(wants);
  }
  const about = locks.about(facts);
  if (about.length > 0) return about;
  const download = locks.download(request.url.href);
  return download === undefined ? locks.at(request.url.href) : [download];
}

async function passageFor(context: SessionContext, asked: Asked): Promise<Passage> {
  const { mirror, offline } = context.settings;
  const stored = (await storedAnswer(context, asked)) ?? (await storedIndex(context, asked));
  if (stored !== undefined) return stored;
  if (offline) {
    throw sessionErrors.make(
      "SESSION_OFFLINE_MISSING",
      `the mirror holds no answer to ${asked.request.method} ${plainAddress(asked.route.url)}`,
    );
  }
  if (!asked.route.facts.immutable) return upstreamPassage(context, asked, undefined);
  // Another run may be fetching the very same file.
  const lease = await mirror.lease(asked.key);
  try {
    const filled = await storedAnswer(context, asked);
    if (filled === undefined) return await upstreamPassage(context, asked, lease);
    await lease.release();
    return filled;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** What the mirror has, when it may answer: the very file by its digest, what never changes, and anything offline. */
async function storedAnswer(context: SessionContext, asked: Asked): Promise<StoredAnswer | undefined> {
  const { mirror, offline } = context.settings;
  const { facts } = asked.route;
  let record: MaterialRecord | undefined;
  for (const digest of asked.expected) {
    if (record === undefined && isStrong(digest) && facts.kind !== "index") {
      record = await unlessDamaged(offline, mirror.findByDigest(digest));
    }
  }
  for (const digest of asked.alternatives?.flat() ?? []) {
    if (record !== undefined || !isStrong(digest)) continue;
    const found = await unlessDamaged(offline, mirror.findByDigest(digest));
    // Another file of the version has one of the digests too, and is not what was asked for.
    if (found?.facts.fileName === facts.fileName) record = found;
  }
  if (record === undefined && (facts.immutable || offline)) {
    record = await unlessDamaged(offline, mirror.find(asked.key));
  }
  if (record === undefined || (record.status !== 200 && !offline)) return undefined;
  const path = await unlessDamaged(offline, mirror.body(record));
  if (path === undefined) return undefined;
  let hashes: ArrivedAnswer["hashes"] = {};
  if (record.status === 200) {
    // What it held when it came in holds still: SHA-256 ties the bytes of today to that moment. Others are taken now.
    const held = Object.fromEntries(record.expected.map((each) => [each.algorithm, each.value]));
    const known = { ...held, sha256: record.digest.slice(7) };
    const wanted = algorithmsOf([...asked.expected, ...(asked.alternatives?.flat() ?? [])]);
    hashes = {
      ...known,
      ...(await hashFile(
        path,
        wanted.filter((algorithm) => !(algorithm in known)),
      )),
    };
    const what = facts.purl ?? record.url;
    assertDigests(what, asked.expected, hashes, await ownDigests(context, asked, path));
    assertAlternatives(what, asked.alternatives ?? [], hashes);
  }
  // The same bytes may have come under another name: what counts is what is asked for now.
  const { upstream, ...rest } = facts;
  const asNow = { ...record, key: asked.key, facts: { ...rest, upstream: upstream.name } };
  return admitBody(context, asked, asNow, path, { mirrored: true, hashes });
}

/**
 * An index of the mirror, when nothing newer could change the build: it announces every version that the lockfiles name,
 * and they have a strong digest of each. Rules about what an index says today need today's.
 */
async function storedIndex(context: SessionContext, asked: Asked): Promise<StoredAnswer | undefined> {
  const { settings, routes } = context;
  const { facts } = asked.route;
  const isDecided =
    facts.kind === "index" && facts.name !== undefined && asked.locked.length > 0 && asked.locked.every(hasOwnDigests);
  if (!isDecided || settings.needsIndex === true) return undefined;
  const record = await unlessDamaged(false, settings.mirror.find(asked.key));
  if (record?.status !== 200) return undefined;
  const path = await unlessDamaged(false, settings.mirror.body(record));
  if (path === undefined) return undefined;
  await announce(context, asked, path, []);
  if (!asked.locked.every((entry) => routes.isAnnounced(entry))) return undefined;
  return admitBody(context, asked, record, path, { mirrored: true, announced: true });
}

/** True when the lockfile itself says which bytes a package has. */
function hasOwnDigests({ digests, files }: LockedPackage): boolean {
  return files === undefined ? digests.some(isStrong) : files.every((file) => file.digests.some(isStrong));
}
