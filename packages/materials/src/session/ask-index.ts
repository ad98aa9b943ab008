import { lookup } from "node:dns/promises";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { ProxyRequest } from "../door.ts";
import { coversName } from "../gate/package-pattern.ts";
import type { Upstream } from "../material.ts";
import { isPrivateAddress } from "../proxy/addresses.ts";
import { fetchAside } from "./aside.ts";
import { candidateOf, judge } from "./intake.ts";
import { type Asked, keyOf, type SessionContext } from "./settings.ts";

const asking = new WeakMap<SessionContext, Map<string, Promise<void>>>();

/**
 * Asks the trusted repositories, in their order, for the index of a package, and learns what it announces: a client
 * that installs from its lockfile asks for archives alone, and some lockfiles have no digest of them, or only the
 * address of another host. Once for each package; the gate is asked as if the client had asked.
 */
export function askIndex(context: SessionContext, ecosystem: Ecosystem, name: string): Promise<void> {
  const known = asking.get(context) ?? new Map<string, Promise<void>>();
  asking.set(context, known);
  const key = `${ecosystem} ${name}`;
  const running = known.get(key) ?? learn(context, ecosystem, name);
  known.set(key, running);
  return running;
}

async function learn(context: SessionContext, ecosystem: Ecosystem, name: string): Promise<void> {
  const { settings } = context;
  const adapter = settings.adapters[ecosystem];
  for (const upstream of settings.upstreams.filter((each) => each.ecosystem === ecosystem)) {
    const index = adapter?.indexOf?.(name, upstream);
    if (index === undefined) continue;
    const request: ProxyRequest = { method: "GET", url: index.url, headers: index.headers };
    const facts = adapter?.classify(request, upstream);
    if (facts === undefined) continue;
    const route = { facts, url: index.url, announced: [], expected: [], announcedHost: false };
    const locked = settings.locks.about(facts);
    const asked: Asked = { request, route, locked, expected: [], ...keyOf(request, index.url) };
    // A name that is exclusive to a later repository is not this one's to answer.
    if (isExclusiveElsewhere(settings.upstreams, upstream, name)) continue;
    await settings.mayAsk(index.url, facts);
    await judge(context, await candidateOf(context, asked, "contact"));
    const answer = await fetchAside(context, index.url, facts, index.headers);
    if (answer.status === 200) return;
  }
}

function isExclusiveElsewhere(upstreams: readonly Upstream[], upstream: Upstream, name: string): boolean {
  const covers = (each: Upstream): boolean =>
    each.ecosystem === upstream.ecosystem &&
    each.exclusive.some((pattern) => coversName(pattern, name, each.ecosystem));
  return !covers(upstream) && upstreams.some(covers);
}

const places = new WeakMap<Upstream, Promise<boolean>>();

/**
 * Whether a repository that the user trusts lies in a private network itself. Then so may the hosts of the files that
 * it announces, with their digests: a public one must not lead the factory to private addresses.
 */
export function liesInPrivateNetwork(upstream: Upstream): Promise<boolean> {
  const host = new URL(upstream.url).hostname.replace(/^\[|\]$/g, "");
  const known =
    places.get(upstream) ??
    lookup(host, { all: true }).then(
      (found) => found.length > 0 && found.every(({ address }) => isPrivateAddress(address)),
      () => false,
    );
  places.set(upstream, known);
  return known;
}
