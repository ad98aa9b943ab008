import { type Digest, sha256 } from "@touchmark/core";
import type { OciReader } from "@touchmark/formats/oci";
import { parseImageReference } from "@touchmark/formats/pipeline";
import { clientErrors, type EvidenceLimits, findEvidence, type RegistryClient } from "@touchmark/registry";
import { homeAdmissionErrors } from "./errors.ts";

/** Bundles beside an artifact, and what was listed there and gave none. Nothing of it is verified. */
export interface BundlesBeside {
  readonly bundles: ReadonlyMap<Digest, Uint8Array>;
  /** By digest of the referrer: why it gave no bundle. */
  readonly skipped: ReadonlyMap<Digest, string>;
}

/** Opens repositories by the references that workloads name. */
export interface RegistryPlaces {
  readonly client: Pick<RegistryClient, "repository">;
  /** A repository of the factory's own registry, for `factory:NAME`. */
  readonly own: (repository: string) => Promise<OciReader>;
}

/** Bounds of one search, well inside those of a lookup. */
const limits = { deadlineMs: 12_000, itemMs: 5000, maxReferrers: 1000, maxTotalBytes: 64 * 1024 * 1024 };

/** What a reference stands for now. @throws EVIDENCE_CACHE_NO_REFERENCE | OCI_* */
export async function resolveReference(places: RegistryPlaces, reference: string): Promise<Digest> {
  const { tag, digest } = parseImageReference(reference);
  if (digest !== undefined) return digest;
  if (tag === undefined) {
    throw homeAdmissionErrors.make("EVIDENCE_CACHE_NO_REFERENCE", `expected a tag or digest, found ${reference}`);
  }
  return (await (await readerOf(places, reference)).manifest(tag)).descriptor.digest;
}

/**
 * Bundles among the referrers of a digest.
 * @throws EVIDENCE_CACHE_INCOMPLETE when the registry did not show all of them in time and within the bounds | OCI_*
 */
export async function bundlesBeside(
  places: RegistryPlaces,
  reference: string,
  digest: Digest,
  bounds: Partial<EvidenceLimits> = {},
): Promise<BundlesBeside> {
  const search = findEvidence(await readerOf(places, reference), digest, { ...limits, ...bounds });
  const bundles = new Map<Digest, Uint8Array>();
  for await (const { bytes } of search) bundles.set(sha256(bytes), bytes);
  const unseen = [...search.skipped.values()].filter(isUnseen).length;
  const ended = search.ended();
  if (ended !== undefined || unseen > 0) {
    const end = ended === undefined ? "" : `, and an end by ${ended}`;
    throw homeAdmissionErrors.make(
      "EVIDENCE_CACHE_INCOMPLETE",
      `expected all that refers to ${digest}, found ${bundles.size} bundles, ${unseen} that did not come${end}`,
    );
  }
  return { bundles, skipped: search.skipped };
}

/** Reasons that say nothing of a referrer but that it was not seen. */
function isUnseen(reason: string): boolean {
  if (reason === "too-slow" || reason === "too-many-bytes") return true;
  const { rows } = clientErrors;
  return Object.hasOwn(rows, reason) && rows[reason as keyof typeof rows].nature === "unavailable";
}

async function readerOf({ client, own }: RegistryPlaces, reference: string): Promise<OciReader> {
  const { registry, repository } = parseImageReference(reference);
  return registry === undefined ? own(repository) : client.repository({ registry, repository });
}
