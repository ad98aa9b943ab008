import { setTimeout as sleep } from "node:timers/promises";
import { type Digest, isFactoryError } from "@touchmark/core";
import { type Descriptor, mediaTypes, type OciReader, parseManifest } from "@touchmark/formats/oci";

/** Bounds of a search. */
export interface EvidenceLimits {
  /** Referrers of the kind that are looked at. */
  readonly maxReferrers: number;
  /** Bytes of one bundle. */
  readonly maxBytes: number;
  /** Bytes of all bundles together. */
  readonly maxTotalBytes: number;
  /** Milliseconds for one referrer, and for the whole search. */
  readonly itemMs: number;
  readonly deadlineMs: number;
  /** Referrers looked at at once. */
  readonly atOnce: number;
}

const defaultLimits: EvidenceLimits = {
  maxReferrers: 1000,
  maxBytes: 16 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
  itemMs: 15_000,
  deadlineMs: 120_000,
  atOnce: 8,
};

/** A bundle that was found; nothing of it is verified but its digest. */
export interface FoundEvidence {
  /** Of the referrer's manifest. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Why a referrer gave no bundle. Codes of errors as they are. */
export type SkipReason = "another-subject" | "no-bundle" | "too-large" | "too-many-bytes" | "too-slow" | (string & {});

/** A search under way. Bundles come in the order in which they arrive, so that no slow one holds up the others. */
export interface EvidenceSearch extends AsyncIterable<FoundEvidence> {
  /** What was looked at and gave nothing, by digest. */
  readonly skipped: ReadonlyMap<Digest, SkipReason>;
  /** Why the search ended before the list did; undefined when all of it was looked at. */
  ended(): "too-many-referrers" | "deadline" | undefined;
}

const MAX_MANIFEST = 64 * 1024;

/**
 * Sigstore bundles among the referrers of a manifest. Whoever may push can list a thousand others beside the good one:
 * each has bounds of its own, one that is wrong or slow is passed over and named, and none ends the search.
 * @throws what listing referrers throws; SPEC C16
 */
export function findEvidence(reader: OciReader, subject: Digest, limits: Partial<EvidenceLimits> = {}): EvidenceSearch {
  const bounds = { ...defaultLimits, ...limits };
  const skipped = new Map<Digest, SkipReason>();
  let ended: ReturnType<EvidenceSearch["ended"]>;
  return {
    skipped,
    ended: () => ended,
    [Symbol.asyncIterator]: () => search(reader, subject, bounds, skipped, (why) => (ended = why)),
  };
}

type Taken = FoundEvidence | { readonly digest: Digest; readonly reason: SkipReason };

async function* search(
  reader: OciReader,
  subject: Digest,
  bounds: EvidenceLimits,
  skipped: Map<Digest, SkipReason>,
  end: (why: ReturnType<EvidenceSearch["ended"]>) => void,
): AsyncGenerator<FoundEvidence> {
  const listed = reader.referrers(subject, { artifactType: mediaTypes.sigstoreBundle })[Symbol.asyncIterator]();
  const deadline = performance.now() + bounds.deadlineMs;
  const left = (): number => Math.max(deadline - performance.now(), 1);
  const under = new Map<Digest, Promise<Taken>>();
  const seen = new Set<Digest>();
  let total = 0;
  let more = true;
  while (more || under.size > 0) {
    while (more && under.size < bounds.atOnce) {
      const next = await within(listed.next(), left());
      if (next === "too-slow") return end("deadline");
      if (next.done === true) {
        more = false;
        break;
      }
      const descriptor = next.value;
      if (seen.has(descriptor.digest)) continue;
      if (seen.size === bounds.maxReferrers) {
        end("too-many-referrers");
        more = false;
        void listed.return?.();
        break;
      }
      seen.add(descriptor.digest);
      under.set(descriptor.digest, take(reader, subject, descriptor, bounds));
    }
    if (under.size === 0) break;
    const taken = await within(Promise.race(under.values()), left());
    if (taken === "too-slow") {
      for (const digest of under.keys()) skipped.set(digest, "too-slow");
      return end("deadline");
    }
    under.delete("bytes" in taken ? taken.descriptor.digest : taken.digest);
    if (!("bytes" in taken)) skipped.set(taken.digest, taken.reason);
    else if (total + taken.bytes.length > bounds.maxTotalBytes) skipped.set(taken.descriptor.digest, "too-many-bytes");
    else {
      total += taken.bytes.length;
      yield taken;
    }
  }
}

/** One referrer within its bounds. Never rejects. */
async function take(
  reader: OciReader,
  subject: Digest,
  descriptor: Descriptor,
  bounds: EvidenceLimits,
): Promise<Taken> {
  const skip = (reason: SkipReason): Taken => ({ digest: descriptor.digest, reason });
  if (descriptor.size > MAX_MANIFEST) return skip("too-large");
  try {
    const taken = await within(read(reader, subject, descriptor, bounds.maxBytes), bounds.itemMs);
    return typeof taken === "string" ? skip(taken) : { descriptor, bytes: taken };
  } catch (error) {
    return skip(isFactoryError(error) ? error.code : "no-bundle");
  }
}

async function read(
  reader: OciReader,
  subject: Digest,
  { digest, mediaType }: Descriptor,
  maxBytes: number,
): Promise<Uint8Array | SkipReason> {
  const found = await reader.manifest(digest);
  const manifest = parseManifest(found.bytes, { mediaType });
  if (manifest.subject?.digest !== subject) return "another-subject";
  const [layer, ...others] = manifest.kind === "manifest" ? manifest.layers : [];
  if (layer === undefined || others.length > 0 || layer.mediaType !== mediaTypes.sigstoreBundle) return "no-bundle";
  if (layer.size > maxBytes) return "too-large";
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.blob(layer)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What comes within a time, or the word that it did not. What was begun goes on unheard. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | "too-slow"> {
  const abort = new AbortController();
  try {
    return await Promise.race([work, sleep(ms, "too-slow" as const, { signal: abort.signal, ref: true })]);
  } finally {
    abort.abort();
    work.catch(() => {});
  }
}
