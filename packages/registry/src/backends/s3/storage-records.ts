import { type Digest, isDigest, parseJson } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";
import type { StoredManifest } from "../../backend.ts";
import { registryBackendErrors } from "../errors.ts";

// The small documents that a registry keeps in an object storage. Whoever can write there can write anything: each is
// read strictly, and content is verified by its digest as ever.

/** That a repository has a blob. */
export interface BlobRecord {
  readonly size: number;
  /** Milliseconds. */
  readonly linkedAt: number;
}

/** A manifest of a repository, whole. */
export interface ManifestRecord extends StoredManifest {
  readonly putAt: number;
}

export function blobRecord(record: BlobRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** @throws REGISTRY_BACKEND_RECORD_INVALID */
export function parseBlobRecord(bytes: Uint8Array, key: string): BlobRecord {
  const { size, linkedAt } = parsed(bytes, key);
  if (!isCount(size) || !isCount(linkedAt)) throw invalid(key);
  return { size, linkedAt };
}

export function manifestRecord(record: ManifestRecord): Buffer {
  return Buffer.from(JSON.stringify({ ...record, bytes: Buffer.from(record.bytes).toString("base64") }));
}

/** What a record says; its bytes are not verified. @throws REGISTRY_BACKEND_RECORD_INVALID */
export function parseManifestRecord(text: Uint8Array, key: string, digest: Digest): ManifestRecord {
  const { mediaType, bytes, references, subject, shown, putAt } = parsed(text, key);
  const sound =
    typeof mediaType === "string" &&
    typeof bytes === "string" &&
    Array.isArray(references) &&
    references.every((one: unknown) => typeof one === "string" && isDigest(one)) &&
    (subject === undefined || (typeof subject === "string" && isDigest(subject))) &&
    typeof shown === "object" &&
    shown !== null &&
    isCount(putAt);
  if (!sound) throw invalid(key);
  return {
    digest,
    mediaType,
    bytes: Buffer.from(bytes, "base64"),
    references,
    ...(subject === undefined ? {} : { subject }),
    shown: shown as Descriptor,
    putAt,
  };
}

export function tagRecord(digest: Digest): Buffer {
  return Buffer.from(JSON.stringify({ digest }));
}

/** @throws REGISTRY_BACKEND_RECORD_INVALID */
export function parseTagRecord(bytes: Uint8Array, key: string): Digest {
  const { digest } = parsed(bytes, key);
  if (typeof digest !== "string" || !isDigest(digest)) throw invalid(key);
  return digest;
}

/** What a collection is about to delete. */
export interface CollectingRecord {
  /** Which collection. */
  readonly id: string;
  /** Milliseconds; one that is older than its time counts for nothing. */
  readonly at: number;
  readonly digests: readonly Digest[];
  /** It deletes nothing any more. */
  readonly isDone: boolean;
}

export function collectingRecord(record: CollectingRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** @throws REGISTRY_BACKEND_RECORD_INVALID */
export function parseCollectingRecord(bytes: Uint8Array, key: string): CollectingRecord {
  const { id, at, digests, isDone } = parsed(bytes, key);
  const sound = typeof id === "string" && isCount(at) && Array.isArray(digests) && typeof isDone === "boolean";
  if (!sound) throw invalid(key);
  return { id, at, digests: digests as Digest[], isDone };
}

function parsed(bytes: Uint8Array, key: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = parseJson(bytes, { maxBytes: 16 * 1024 * 1024 });
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw invalid(key, cause);
  }
  throw invalid(key);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function invalid(key: string, cause?: unknown): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_RECORD_INVALID",
    `expected a record of a registry in object ${JSON.stringify(key)}, found other bytes`,
    { cause },
  );
}
