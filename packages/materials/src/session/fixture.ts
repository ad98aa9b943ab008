import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fixedClock } from "@touchmark/core";
import type { AnnouncedDigest, Lockfile } from "@touchmark/formats/lockfiles";
import type { ProxyRequest, StoredAnswer, UpstreamPassage } from "../door.ts";
import { gitWants } from "../ecosystems/git-request.ts";
import { ecosystemAdapters } from "../ecosystems/index.ts";
import { decide, gateRefusal } from "../gate/decide.ts";
import type { InspectedArchive } from "../gate/decision.ts";
import { defaultRules, type GateRules } from "../gate/rules.ts";
import type { Upstream } from "../material.ts";
import { type MemoryMirror, memoryMirror } from "../mirror/memory-mirror.ts";
import { LockIndex, type PinnedCommit, type PinnedDownload } from "./lock-index.ts";
import { packageOf } from "./package-memory.ts";
import { type MaterialsSession, openSession } from "./session.ts";
import type { SessionSettings } from "./settings.ts";

/** A repository of tests: answers by address. */
export type Served = Readonly<
  Record<string, { readonly status?: number; readonly body: string | Uint8Array; readonly location?: string }>
>;

/** What a session of tests is made of. */
export interface SceneOptions {
  readonly served: Served;
  readonly lockfiles?: readonly Lockfile[];
  readonly downloads?: readonly PinnedDownload[];
  readonly commits?: readonly PinnedCommit[];
  readonly upstreams?: readonly Upstream[];
  readonly rules?: Partial<GateRules>;
  readonly mirror?: MemoryMirror;
  readonly offline?: boolean;
  readonly settings?: Partial<SessionSettings>;
}

/** A session with a client and a repository, without sockets. */
export interface SessionScene {
  readonly session: MaterialsSession;
  readonly mirror: MemoryMirror;
  /** Addresses that were asked of upstreams, with the names of the headers sent. */
  readonly asked: { readonly url: string; readonly headers: Readonly<Record<string, string>> }[];
  /** Asks as a client would; answers the body. */
  ask(url: string, request?: Partial<ProxyRequest>): Promise<Answered>;
}

/** What a client got. */
interface Answered {
  readonly status: number;
  readonly body: string;
}

export const npmUpstream: Upstream = {
  ...{ name: "own", ecosystem: "npm", url: "https://registry.example/", exclusive: [], order: 0 },
};

export const clock = fixedClock("2026-11-21T12:00:00Z");
export const hex = (algorithm: string, bytes: string): string => createHash(algorithm).update(bytes).digest("hex");

const inspected: InspectedArchive = {
  ...{ format: "tar.gz", files: 1, unpackedBytes: 1, installScripts: [], digests: new Map(), faults: [] },
};

/** Opens a scene. */
export function sessionScene(options: SceneOptions): SessionScene {
  const { served, upstreams = [npmUpstream], mirror = memoryMirror(clock) } = options;
  const asked: SessionScene["asked"] = [];
  const byEcosystem = Object.groupBy(upstreams, (each) => each.ecosystem);
  const rules: GateRules = { ...defaultRules, upstreams: byEcosystem, ...options.rules };
  const session = openSession({
    ...{ step: "fetch", clock, offline: options.offline ?? false, upstreams, mirror, maxBytes: 1 << 20 },
    locks: new LockIndex(options.lockfiles ?? [], options.downloads, options.commits),
    adapters: ecosystemAdapters,
    decide: (candidate) => decide(rules, candidate),
    refusal: (decision) => gateRefusal(decision) ?? new TypeError("nothing was refused"),
    inspect: async () => inspected,
    context: async ({ purl }) => (purl === undefined ? {} : { history: { package: packageOf(purl), versions: [] } }),
    admitted: async () => undefined,
    credentials: async () => ({}),
    mayAsk: async () => undefined,
    wants: gitWants,
    redact: (text) => text,
    get: async (url) => {
      asked.push({ url: url.href, headers: {} });
      const answer = served[url.href];
      return { status: answer?.status ?? (answer ? 200 : 404), headers: {}, bytes: Buffer.from(answer?.body ?? "") };
    },
    ...options.settings,
  });
  const ask: SessionScene["ask"] = async (url, request = {}) => {
    const passage = await session.open({ method: "GET", url: new URL(url), headers: {}, ...request });
    const answer = passage.kind === "stored" ? stored(passage) : await carry(passage, served, asked);
    await session.kept();
    return answer;
  };
  return { session, mirror, asked, ask };
}

function stored({ status, body }: StoredAnswer): Answered {
  return { status, body: readFileSync(body.path, "utf8") };
}

/** What the proxy does with a passage, without a network: of a body that arrived it keeps its own descriptor. */
async function carry(passage: UpstreamPassage, served: Served, asked: SessionScene["asked"]): Promise<Answered> {
  let url = passage.url;
  let headers = passage.headers;
  const redirects: string[] = [];
  for (;;) {
    asked.push({ url: url.href, headers });
    const answer = served[url.href] ?? { status: 404, body: "" };
    if (answer.location !== undefined) {
      url = new URL(answer.location);
      try {
        headers = await passage.redirect(url);
      } catch (error) {
        await passage.abandon();
        throw error;
      }
      redirects.push(url.href);
      continue;
    }
    const body = Buffer.from(answer.body);
    const sink = await passage.quarantine();
    await sink.write(body);
    await sink.close();
    const hashes = Object.fromEntries(
      ["sha256", ...passage.algorithms].map((algorithm) => [
        algorithm,
        createHash(algorithm).update(body).digest("hex"),
      ]),
    );
    const { path } = sink;
    const settled = await passage.settle({
      status: answer.status ?? 200,
      headers: {},
      url,
      redirects,
      path,
      size: body.length,
      hashes,
    });
    return { status: settled.status, body: body.toString() };
  }
}

/** A lockfile of one npm package. */
export function npmLock(name: string, version: string, digests: readonly AnnouncedDigest[]): Lockfile {
  return {
    ...{ format: "npm-package-lock-3", ecosystem: "npm", path: "package-lock.json", limits: [] },
    packages: [
      {
        ...{ key: `node_modules/${name}`, ecosystem: "npm", name, version, purl: `pkg:npm/${name}@${version}` },
        ...{ from: { kind: "registry" }, digests, scope: "runtime", dependencies: [], direct: true },
      },
    ],
  };
}
