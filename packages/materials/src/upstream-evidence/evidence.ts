import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import type { ArrivedAnswer } from "../door.ts";
import type { UpstreamEvidence } from "../gate/decision.ts";
import type { Announcement, RequestFacts } from "../material.ts";
import { upstreamErrors } from "./errors.ts";

/** What evidence is asked about: one file that is here, whole. */
export interface EvidenceQuestion {
  readonly facts: RequestFacts;
  readonly url: URL;
  readonly announced: readonly Announcement[];
  /** Where its bytes lie. */
  readonly path: string;
  /** At least SHA-256. */
  readonly hashes: ArrivedAnswer["hashes"];
  readonly size: number;
  /** Fetches a further small file. Whoever hands it in records what comes, so that evidence stays beside the package. */
  readonly get: EvidenceGet;
}

/** A small file of an upstream. Throws an error of the nature `unavailable` when nothing answers. */
export type EvidenceGet = (url: URL) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}>;

/** Evidence with what it rests on. */
export interface GatheredEvidence extends UpstreamEvidence {
  /** Code of a refusal, or `UPSTREAM_UNREACHABLE`. */
  readonly code?: string;
  /** Addresses of the files that were looked at, as they were asked for. */
  readonly from: readonly string[];
  /** Source repository, builder and whatever else the evidence says and the signer answers for; sorted by name. */
  readonly says?: Readonly<Record<string, string>>;
}

/** What a check found. */
export interface Found {
  readonly signer?: string;
  readonly message: string;
  readonly says?: Readonly<Record<string, string>>;
}

/** What a check needs: files by address, each noted. */
export class Asking {
  readonly #get: EvidenceGet;
  readonly from: string[] = [];

  constructor(get: EvidenceGet) {
    this.#get = get;
  }

  /**
   * The file, or undefined when the upstream says that there is none (404, 410).
   * @throws UPSTREAM_UNREACHABLE on any other status and on silence
   */
  async file(url: URL): Promise<Uint8Array | undefined> {
    this.from.push(url.href);
    let answer: Awaited<ReturnType<EvidenceGet>>;
    try {
      answer = await this.#get(url);
    } catch (cause) {
      if (isFactoryError(cause) && cause.nature !== "unavailable") throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw upstreamErrors.make("UPSTREAM_UNREACHABLE", `${url.pathname} cannot be fetched: ${why}`, { cause });
    }
    if (answer.status === 404 || answer.status === 410) return undefined;
    if (answer.status !== 200) {
      throw upstreamErrors.make("UPSTREAM_UNREACHABLE", `${url.pathname} was answered with status ${answer.status}`);
    }
    return answer.bytes;
  }
}

/**
 * Runs one check and says what became of it. Only a check that returns is `verified`; undefined is `absent`; whatever
 * cannot be asked is `unreachable`; every other error is a refusal with its code.
 */
export async function evidenceOf(
  kind: UpstreamEvidence["kind"],
  get: EvidenceGet,
  check: (asking: Asking) => Promise<Found | string>,
): Promise<GatheredEvidence> {
  const asking = new Asking(get);
  try {
    const found = await check(asking);
    if (typeof found === "string") return { kind, outcome: "absent", message: found, from: asking.from };
    return { kind, outcome: "verified", ...found, from: asking.from };
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    const outcome = error.nature === "unavailable" ? "unreachable" : "refused";
    return { kind, outcome, code: error.code, message: `${error.code}: ${error.message}`, from: asking.from };
  }
}

/** Parses an answer as JSON, bounded. @throws UPSTREAM_ANSWER_MALFORMED */
export function jsonAnswer(bytes: Uint8Array, what: string): Json {
  try {
    return parseJson(bytes, { maxBytes: 16 << 20, maxDepth: 32 });
  } catch (cause) {
    throw upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", `expected ${what}: ${(cause as Error).message}`, { cause });
  }
}

/** A member of a JSON object, or undefined. */
export function member(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { readonly [key: string]: Json })[name] : undefined;
}

/** A member that is text. */
export function textMember(value: Json | undefined, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === "string" ? found : undefined;
}

/** A member that is a list of at most `limit`. @throws UPSTREAM_ANSWER_MALFORMED */
export function listMember(value: Json | undefined, name: string, limit: number): readonly Json[] {
  const found = member(value, name);
  if (!Array.isArray(found) || found.length > limit) {
    throw upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", `expected a list of at most ${limit} at ${name}`);
  }
  return found;
}
