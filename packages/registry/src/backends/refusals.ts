import type { Digest } from "@touchmark/core";
import { registryErrors } from "../errors.ts";
import { registryBackendErrors } from "./errors.ts";

// What every backend refuses in the same words.

export function tooLarge(maxBytes: number): Error {
  return registryErrors.make("REGISTRY_TOO_LARGE", `expected at most ${maxBytes} bytes, found more`);
}

export function mismatch(expected: Digest, found: string): Error {
  return registryErrors.make(
    "REGISTRY_DIGEST_MISMATCH",
    `expected content with digest ${expected}, found one with ${found}`,
  );
}

export function unknownUpload(): Error {
  return registryErrors.make("REGISTRY_UPLOAD_UNKNOWN", "expected an upload of this repository, found none of that id");
}

export function busyUpload(): Error {
  return registryErrors.make("REGISTRY_UPLOAD_BUSY", "expected an upload that nobody writes to, found one in use");
}

/** Refuses a chunk that does not begin where its upload stands. @throws REGISTRY_RANGE_INVALID */
export function checkOffset(offset: number | undefined, size: number): void {
  if (offset === undefined || offset === size) return;
  throw registryErrors.make("REGISTRY_RANGE_INVALID", `expected a chunk from byte ${size}, found one from ${offset}`);
}

/** The bytes that a read asks for. @throws REGISTRY_RANGE_INVALID */
export function checkRange(
  range: { readonly start: number; readonly end: number } | undefined,
  size: number,
): { readonly start: number; readonly end: number } {
  const { start, end } = range ?? { start: 0, end: size };
  const sound = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= size;
  if (!sound) {
    throw registryErrors.make("REGISTRY_RANGE_INVALID", `expected a range within ${size} bytes, found ${start}-${end}`);
  }
  return { start, end };
}

export function corruptContent(digest: Digest, found: string, cause?: unknown): Error {
  return registryErrors.make(
    "REGISTRY_CONTENT_CORRUPT",
    `expected stored content with digest ${digest}, found ${found}`,
    { cause },
  );
}

export function immutableTag(tag: string, there: Digest, wanted: Digest): Error {
  return registryErrors.make(
    "REGISTRY_TAG_IMMUTABLE",
    `expected tag ${tag} to keep its digest ${there}, found a request to set it to ${wanted}`,
  );
}

export function missingTarget(tag: string, digest: Digest): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_TARGET_MISSING",
    `expected a manifest ${digest} in the repository for tag ${tag}, found none`,
  );
}

export function collectedMeanwhile(digest: Digest): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_COLLECTED",
    `expected ${digest} to stay until it was referred to, found it collected meanwhile`,
  );
}
