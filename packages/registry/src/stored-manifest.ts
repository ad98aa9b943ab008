import { sha256 } from "@touchmark/core";
import { type Manifest, parseManifest, referencedDescriptors } from "@touchmark/formats/oci";
import type { StoredManifest } from "./backend.ts";

/**
 * Reads a manifest as a backend stores it: what it needs, what it refers to, and how it shows in a list of referrers
 * (distribution-spec 1.1, "Listing Referrers"). @throws OCI_*
 */
export function storedManifest(
  bytes: Uint8Array,
  mediaType: string,
): { readonly stored: StoredManifest; readonly manifest: Manifest } {
  const manifest = parseManifest(bytes, { mediaType });
  const digest = sha256(bytes);
  const artifactType = manifest.artifactType ?? (manifest.kind === "manifest" ? manifest.config.mediaType : undefined);
  return {
    manifest,
    stored: {
      digest,
      mediaType,
      bytes,
      references: [...new Set(referencedDescriptors(manifest).map((each) => each.digest))],
      ...(manifest.subject === undefined ? {} : { subject: manifest.subject.digest }),
      shown: {
        mediaType,
        digest,
        size: bytes.length,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
      },
    },
  };
}
