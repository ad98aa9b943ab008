import { type Digest, isDigest, sha256 } from "@touchmark/core";
import { type Descriptor, type FoundManifest, parseManifest } from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { REF_NAME } from "./layout-index.ts";

/** Largest manifest that is read. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** What a tag or digest means among the manifests that a place lists; undefined when it lists no such tag. */
export function lookUp(listed: readonly Descriptor[], reference: string): Digest | undefined {
  if (isDigest(reference)) return reference;
  const named = listed.filter((descriptor) => descriptor.annotations?.[REF_NAME] === reference);
  if (new Set(named.map(({ digest }) => digest)).size > 1) {
    throw imageErrors.make(
      "IMAGE_REFERENCE_AMBIGUOUS",
      `expected one image named ${JSON.stringify(reference)}, found ${named.length}`,
    );
  }
  return named[0]?.digest;
}

/** The manifest with these bytes, which are verified. Its media type is what it says, or what the place says. */
export function foundManifest(bytes: Uint8Array, digest: Digest, mediaType?: string): FoundManifest {
  if (sha256(bytes) !== digest) {
    throw imageErrors.make("IMAGE_BLOB_CORRUPT", `expected a manifest with digest ${digest}, found ${sha256(bytes)}`);
  }
  const type = mediaType ?? parseManifest(bytes).mediaType;
  return { descriptor: { mediaType: type, digest, size: bytes.length }, bytes };
}

/** How a manifest shows in a list of referrers (distribution-spec 1.1), when it refers to the subject; else undefined. */
export function asReferrer(found: FoundManifest, subject: Digest, artifactType?: string): Descriptor | undefined {
  const manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  if (manifest.subject?.digest !== subject) return undefined;
  const type = manifest.artifactType ?? (manifest.kind === "manifest" ? manifest.config.mediaType : undefined);
  if (artifactType !== undefined && type !== artifactType) return undefined;
  const { annotations } = manifest;
  return {
    ...found.descriptor,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** The digest of the only image among those listed, which may have several tags. */
export function onlyImage(listed: readonly Descriptor[], place: string): Digest {
  const digests = new Set(listed.map(({ digest }) => digest));
  const [first] = digests;
  if (first === undefined)
    throw imageErrors.make("IMAGE_MANIFEST_MISSING", `expected an image in ${place}, found none`);
  if (digests.size === 1) return first;
  const names = listed.map(({ annotations, digest }) => annotations?.[REF_NAME] ?? digest);
  throw imageErrors.make(
    "IMAGE_REFERENCE_AMBIGUOUS",
    `expected one image in ${place}, found ${digests.size}: ${names.slice(0, 8).join(", ")}`,
  );
}

/** No such manifest. */
export function missingManifest(place: string, reference: string): Error {
  return imageErrors.make("IMAGE_MANIFEST_MISSING", `expected ${JSON.stringify(reference)} in ${place}, found none`);
}
