import { type Clock, type Digest, isFactoryError } from "@touchmark/core";
import type { EvidenceSource, VerifiedEvidence } from "../evidence-source.ts";
import { evidenceCacheErrors } from "./errors.ts";
import { flights, unlessAborted } from "./flights.ts";
import { slots } from "./slots.ts";

/** How evidence is looked up and kept. */
export interface EvidenceCacheOptions {
  readonly source: EvidenceSource;
  /** Digest of the trust root that counts now; what another one verified is never used. */
  readonly trustRoot: () => Digest | Promise<Digest>;
  readonly clock: Clock;
  /** Most digests whose evidence is kept. Default 1,000. */
  readonly entries?: number;
  /** Most bytes of bundles that are kept. Default 256 MiB. */
  readonly bytes?: number;
  /** Milliseconds after which evidence is gathered anew. Default 10 minutes. */
  readonly maxAgeMs?: number;
  /** Milliseconds for which evidence that is too old still counts while its source is unreachable. Default 0: not at all. */
  readonly keepMs?: number;
  /** Lookups at once. Default 8. */
  readonly parallel?: number;
  /** Lookups that may wait for one of those. Default 10,000. */
  readonly waiting?: number;
  /** Milliseconds for one lookup. Default 15,000. */
  readonly lookupMs?: number;
}

/** Evidence as it is known now. */
export interface HeldEvidence {
  readonly evidence: VerifiedEvidence;
  /** False: it was kept from an earlier question. */
  readonly isNew: boolean;
  /** Why evidence that is too old counts still: the code of what keeps its source from being asked. */
  readonly staleBecause?: string;
}

/** Keeps evidence, and never a verdict. */
export interface EvidenceCache {
  /** What a reference stands for now. Never kept: a tag moves. */
  resolve(reference: string, signal: AbortSignal): Promise<Digest>;
  /** Evidence about a digest; `youngerThan` demands what was gathered after that time. @throws EVIDENCE_CACHE_* | what the source throws */
  evidence(
    digest: Digest,
    reference: string | undefined,
    options: { readonly signal: AbortSignal; readonly youngerThan?: Date },
  ): Promise<HeldEvidence>;
  state(): EvidenceCacheState;
}

/** Figures of a cache, for status and tests. */
export interface EvidenceCacheState {
  readonly entries: number;
  readonly bytes: number;
  readonly underWay: number;
  readonly waiting: number;
  /** Since the start: lookups that went to the source, and questions answered by what was kept. */
  readonly gathered: number;
  readonly kept: number;
}

interface Entry {
  readonly evidence: VerifiedEvidence;
  readonly bytes: number;
}

/** What an entry costs beside its bundles. */
const ENTRY_BYTES = 4096;

/** Evidence by digest, place and trust root: bounded, shared while it is gathered, and gathered anew when it is old. */
export function evidenceCache(options: EvidenceCacheOptions): EvidenceCache {
  const { source, clock, trustRoot, entries = 1000, bytes = 256 * 1024 * 1024 } = options;
  const { maxAgeMs = 600_000, keepMs = 0, lookupMs = 15_000 } = options;
  const bound = slots({ atOnce: options.parallel ?? 8, waiting: options.waiting ?? 10_000 });
  const gathering = flights<VerifiedEvidence>();
  const resolving = flights<Digest>();
  const held = new Map<string, Entry>();
  let heldBytes = 0;
  let gathered = 0;
  let kept = 0;

  const drop = (key: string): void => {
    const entry = held.get(key);
    if (entry === undefined) return;
    held.delete(key);
    heldBytes -= entry.bytes;
  };
  const keep = (key: string, evidence: VerifiedEvidence): void => {
    drop(key);
    const size = (evidence.bytes ?? 0) + ENTRY_BYTES;
    if (size > bytes) return;
    held.set(key, { evidence, bytes: size });
    heldBytes += size;
    for (const oldest of held.keys()) {
      if (held.size <= entries && heldBytes <= bytes) break;
      drop(oldest);
    }
  };
  /** Within its own time; a source that does not heed the signal frees its slot all the same. */
  const lookUp = <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    bound.take(signal, async () => {
      const slow = evidenceCacheErrors.make(
        "EVIDENCE_CACHE_SLOW",
        `expected an answer within ${lookupMs} ms, found none`,
      );
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(slow), lookupMs);
      try {
        const both = AbortSignal.any([signal, limit.signal]);
        return await unlessAborted(work(both), both);
      } finally {
        clearTimeout(timer);
      }
    });
  const gather = async (
    key: string,
    digest: Digest,
    root: Digest,
    reference: string | undefined,
    signal: AbortSignal,
  ): Promise<VerifiedEvidence> => {
    gathered++;
    const evidence = await lookUp(signal, (each) => source.gather(digest, reference, each));
    if (evidence.digest !== digest || evidence.trustRoot !== root) {
      throw evidenceCacheErrors.make(
        "EVIDENCE_CACHE_FOREIGN",
        `expected evidence about ${digest} by the trust root ${root}, found ${evidence.digest} by ${evidence.trustRoot}`,
      );
    }
    keep(key, evidence);
    return evidence;
  };

  return {
    resolve: (reference, signal) =>
      resolving.join(reference, signal, (each) => lookUp(each, (both) => source.resolve(reference, both))),
    async evidence(digest, reference, { signal, youngerThan }) {
      const root = await trustRoot();
      const place = placeOf(reference);
      const key = `${digest} ${root} ${place}`;
      const entry = held.get(key);
      const age = entry === undefined ? Number.NaN : clock.now().getTime() - entry.evidence.at.getTime();
      // A clock that was set back makes everything old.
      const isYoung = age >= 0 && age <= maxAgeMs;
      if (entry !== undefined && isYoung && !(youngerThan !== undefined && entry.evidence.at <= youngerThan)) {
        held.delete(key);
        held.set(key, entry);
        kept++;
        return { evidence: entry.evidence, isNew: false };
      }
      try {
        const evidence = await gathering.join(key, signal, (each) => gather(key, digest, root, reference, each));
        return { evidence, isNew: true };
      } catch (error) {
        const mayStay = entry !== undefined && age >= 0 && age <= maxAgeMs + keepMs && (isYoung || keepMs > 0);
        if (!mayStay || !isFactoryError(error) || error.nature !== "unavailable") throw error;
        return { evidence: entry.evidence, isNew: false, staleBecause: error.code };
      }
    },
    state: () => ({
      entries: held.size,
      bytes: heldBytes,
      underWay: bound.taken,
      waiting: bound.waiting,
      gathered,
      kept,
    }),
  };
}

/** `HOST/NAME` of a reference: what lies beside a digest in one repository is not what lies beside it in another. */
export function placeOf(reference: string | undefined): string {
  if (reference === undefined) return "";
  const [name = ""] = reference.split("@");
  return name.replace(/:[^:/]*$/, "");
}
