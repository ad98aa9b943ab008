import type { Clock } from "@touchmark/core";
import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer, ProxyRequest } from "../door.ts";
import type { Candidate, GateDecision, InspectedArchive, UpstreamEvidence } from "../gate/decision.ts";
import type { Announcement, ExpectedDigest, MaterialRecord, RequestFacts, Upstream } from "../material.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { recordKey, variantOf } from "../mirror/record-key.ts";
import type { AdmittedMaterial, SessionLedger } from "./ledger.ts";
import type { DigestSet, LockIndex } from "./lock-index.ts";
import type { Adapters, RouteFacts, Routes } from "./routes.ts";

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
  readonly adapters: Adapters;
  readonly mirror: Mirror;
  /** Commits that a git client asks for in the body of a POST. @throws MATERIAL_GIT_* */
  readonly wants: (body: Uint8Array) => readonly string[];
  /** About what wants in; or, for messages alone, about another version that did not come and might pass. */
  readonly decide: (candidate: Candidate, purpose?: "alternative") => GateDecision;
  /** What was seen of a package before, other than by this run. */
  readonly context: (
    facts: RequestFacts,
  ) => Promise<Pick<Candidate, "known" | "history" | "reviews" | "vulnerabilities">>;
  /** Told of every package that was admitted, for the history of later runs. */
  readonly admitted: (material: AdmittedMaterial) => Promise<void>;
  /** The refusal of a decision, as an error with the code of its rule. */
  readonly refusal: (decision: GateDecision, candidate: Candidate) => Error;
  readonly inspect: (record: MaterialRecord, path: string) => Promise<InspectedArchive>;
  /** Evidence of others; absent when no rule and no trust is configured for it. */
  readonly gather?: (asked: EvidenceRequest) => Promise<readonly UpstreamEvidence[]>;
  /** Credentials for an address, bound to this step. */
  /**
   * Refuses an address that asks for a secret which this run may not have: also what the mirror holds from there is for
   * those alone who may ask. @throws CREDENTIAL_TRIGGER_UNTRUSTED
   */
  readonly mayAsk: (url: URL, facts: RequestFacts) => Promise<void>;
  readonly credentials: (
    url: URL,
    facts: RequestFacts,
    redirectedFrom?: URL,
  ) => Promise<Readonly<Record<string, string>>>;
  readonly get: (url: URL, headers: Readonly<Record<string, string>>) => Promise<SmallAnswer>;
  /** True when a rule needs what only the index says of a version (date, publisher, withdrawn): it is asked for first. */
  readonly needsIndex?: boolean;
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

/** What the parts of one session share. */
export interface SessionContext {
  readonly settings: SessionSettings;
  readonly routes: Routes;
  readonly ledger: SessionLedger;
  /** What is being written to the mirror; none of it fails. */
  readonly pending: Set<Promise<void>>;
}

/** One request on its way. */
export interface Asked {
  readonly request: ProxyRequest;
  readonly route: RouteFacts;
  readonly locked: readonly LockedPackage[];
  readonly expected: readonly ExpectedDigest[];
  /** Digests of a lockfile without names of files: of each set one must hold. */
  readonly alternatives?: readonly DigestSet[];
  /** Key of its record in the mirror. */
  readonly key: string;
  readonly variant: Readonly<Record<string, string>>;
}

/** Key of what a request asks for, and what selects among the answers. A HEAD is answered from the record of the GET. */
export function keyOf(request: ProxyRequest, url: URL): Pick<Asked, "key" | "variant"> {
  const { method, headers, body } = request;
  return {
    key: recordKey(method === "HEAD" ? "GET" : method, url, headers, body),
    variant: variantOf(headers, body),
  };
}
