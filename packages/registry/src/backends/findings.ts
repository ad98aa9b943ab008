import type { Digest } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { registryBackendErrors } from "./errors.ts";

/** One thing that a check found, under a code of the REGISTRY_FSCK family. */
export interface Finding {
  readonly code: string;
  readonly message: string;
}

export function damagedFinding(repository: string, digest: Digest, found: string): Finding {
  return finding("REGISTRY_FSCK_DAMAGED", `expected ${digest} in ${repository} to have its bytes, found ${found}`);
}

export function missingFinding(repository: string, digest: Digest): Finding {
  return finding("REGISTRY_FSCK_MISSING", `expected the bytes of ${digest} in ${repository}, found none`);
}

/** `from`: the tag or manifest that points. */
export function danglingFinding(repository: string, from: string, to: Digest): Finding {
  return finding("REGISTRY_FSCK_DANGLING", `expected ${to} in ${repository}, where ${from} points to it, found none`);
}

/** What an image cannot do without. An index may name platforms that were never pushed. */
export function neededBlobs(manifest: {
  readonly mediaType: string;
  readonly references: readonly Digest[];
}): readonly Digest[] {
  const isIndex = manifest.mediaType === mediaTypes.index || manifest.mediaType === mediaTypes.dockerIndex;
  return isIndex ? [] : manifest.references;
}

function finding(code: Parameters<typeof registryBackendErrors.make>[0], message: string): Finding {
  return { code: registryBackendErrors.make(code, message).code, message };
}
