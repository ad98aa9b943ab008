import { isFactoryError, type Nature } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { GateDecision, InspectedArchive, UpstreamEvidence } from "../gate/decision.ts";
import type { Announcement, MaterialRecord, RequestFacts } from "../material.ts";
import { plainAddress } from "./routes.ts";

/** One admitted answer, with everything that speaks for it. */
export interface AdmittedMaterial {
  readonly record: MaterialRecord;
  /** What indexes say of the file: publisher, date, withdrawn or not. Empty when none was asked. */
  readonly announced: readonly Announcement[];
  /** A lockfile or the pipeline names it. */
  readonly locked: boolean;
  /** It came out of the mirror, not from upstream. */
  readonly mirrored: boolean;
  readonly decision: GateDecision;
  readonly evidence: readonly UpstreamEvidence[];
  readonly archive?: InspectedArchive;
}

/** One kind of request that was not let in. */
export interface RefusedRequest {
  readonly url: string;
  readonly code: string;
  readonly message: string;
  readonly nature: Nature;
  readonly hint?: string;
  readonly purl?: string;
  readonly count: number;
  /** Nothing rests on it: an audit, a ping, an answer that the mirror lacks in an offline run is none of these. */
  readonly harmless: boolean;
}

/** Everything that one step's session saw. */
export interface SessionReport {
  readonly admitted: readonly AdmittedMaterial[];
  readonly refused: readonly RefusedRequest[];
  readonly requests: number;
  /** Bytes of admitted bodies. */
  readonly bytes: number;
}

/** Bound on kinds of refusals that are told apart; a flood beyond it is counted in the last one. */
const MAX_REFUSALS = 5000;

const harmlessCodes: ReadonlySet<string> = new Set(["SESSION_CHATTER"]);

/** The session's own record. */
export class SessionLedger {
  readonly #admitted = new Map<string, AdmittedMaterial>();
  readonly #refused = new Map<string, RefusedRequest>();
  #requests = 0;
  #bytes = 0;

  readonly #absent = new Map<string, Set<string>>();

  /** A repository said that it does not have a package. */
  absent({ ecosystem, name, upstream }: RequestFacts): void {
    if (name === undefined) return;
    const key = `${ecosystem} ${name}`;
    this.#absent.set(key, (this.#absent.get(key) ?? new Set()).add(upstream.name));
  }

  /** Repositories that said so. */
  absentFrom(ecosystem: Ecosystem, name: string): readonly string[] {
    return [...(this.#absent.get(`${ecosystem} ${name}`) ?? [])];
  }

  request(): void {
    this.#requests += 1;
  }

  admit(material: AdmittedMaterial): void {
    const { key, digest, size } = material.record;
    const name = `${key} ${digest}`;
    // What came from upstream once stays so, also when the mirror answers the next request.
    if (this.#admitted.has(name)) return;
    this.#admitted.set(name, material);
    this.#bytes += size;
  }

  refuse(url: URL, error: unknown, purl: string | undefined): void {
    const known = isFactoryError(error);
    const code = known ? error.code : "PROXY_DOOR_FAILED";
    const address = plainAddress(url);
    const name = `${code} ${address}`;
    const row = this.#refused.get(name);
    if (row === undefined && this.#refused.size >= MAX_REFUSALS) return;
    this.#refused.set(name, {
      url: address,
      code,
      message: (known ? error.message : "an error of ours").slice(0, 4096),
      nature: known ? error.nature : "bug",
      ...(known && error.hint !== undefined ? { hint: error.hint } : {}),
      ...(purl === undefined ? {} : { purl }),
      count: (row?.count ?? 0) + 1,
      harmless: harmlessCodes.has(code),
    });
  }

  /** Packages and bytes so far, for a progress line. */
  progress(): { readonly packages: number; readonly bytes: number; readonly requests: number } {
    let packages = 0;
    for (const { record } of this.#admitted.values()) if (record.facts.kind === "archive") packages += 1;
    return { packages, bytes: this.#bytes, requests: this.#requests };
  }

  report(): SessionReport {
    const byUrl = (a: { url: string }, b: { url: string }): number => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0);
    return {
      admitted: [...this.#admitted.values()].sort((a, b) => byUrl(a.record, b.record)),
      refused: [...this.#refused.values()].sort(byUrl),
      requests: this.#requests,
      bytes: this.#bytes,
    };
  }
}
