import { type Digest, sha256 } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type FoundManifest,
  parseManifest,
  referencedDescriptors,
} from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { asReferrer, foundManifest, lookUp, missingManifest, onlyImage } from "./found-manifest.ts";
import { REF_NAME } from "./layout-index.ts";
import type { WritableImages } from "./local-images.ts";
import { collect, verified } from "./verified.ts";

/** Images in memory, for tests and for what is too small to be worth a directory. */
export function memoryImages(name = "memory:"): WritableImages {
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<Digest, string>();
  const tags = new Map<string, Digest>();
  const has = (digest: Digest): boolean => blobs.has(digest);

  const found = (digest: Digest): FoundManifest => {
    const bytes = blobs.get(digest);
    const mediaType = manifests.get(digest);
    if (bytes === undefined || mediaType === undefined) throw missingManifest(name, digest);
    return foundManifest(bytes, digest, mediaType);
  };
  const listed = (): readonly Descriptor[] =>
    [...tags].map(([tag, digest]) => ({ ...found(digest).descriptor, annotations: { [REF_NAME]: tag } }));

  return {
    name,
    async manifest(reference) {
      const digest = lookUp(listed(), reference);
      if (digest === undefined) throw missingManifest(name, reference);
      return found(digest);
    },
    async *blob(descriptor) {
      const bytes = blobs.get(descriptor.digest);
      if (bytes === undefined) {
        throw imageErrors.make("IMAGE_BLOB_MISSING", `expected the blob ${descriptor.digest} in ${name}, found none`);
      }
      yield* verified([bytes], descriptor, "IMAGE_BLOB_CORRUPT");
    },
    async *referrers(subject, options = {}) {
      for (const digest of [...manifests.keys()].sort()) {
        const shown = asReferrer(found(digest), subject, options.artifactType);
        if (shown !== undefined) yield shown;
      }
    },
    async *tags() {
      yield* [...tags.keys()].sort();
    },
    only: async () => onlyImage(tags.size > 0 ? listed() : roots(), name),
    hasBlob: async (digest) => has(digest),
    async putBlob(descriptor, open) {
      const chunks = verified(open(), descriptor, "IMAGE_BLOB_MISMATCH");
      blobs.set(descriptor.digest, await collect(chunks, descriptor.size, "a blob"));
    },
    async putManifest(bytes, mediaType, tag) {
      for (const { digest } of referencedDescriptors(parseManifest(bytes, { mediaType }))) {
        if (!has(digest)) {
          throw imageErrors.make("IMAGE_BLOB_MISSING", `expected ${digest} in ${name} before its manifest, found none`);
        }
      }
      const descriptor = descriptorOf(bytes, mediaType);
      blobs.set(sha256(bytes), bytes);
      manifests.set(descriptor.digest, mediaType);
      if (tag !== undefined) tags.set(tag, descriptor.digest);
      return descriptor;
    },
  };

  /** Manifests without a tag that no index holds and that refer to nothing. */
  function roots(): readonly Descriptor[] {
    const all = [...manifests.keys()].map(found);
    const parsed = all.map(({ bytes, descriptor }) => parseManifest(bytes, { mediaType: descriptor.mediaType }));
    const held = new Set(parsed.flatMap((one) => referencedDescriptors(one).map(({ digest }) => digest)));
    return all
      .filter(({ descriptor }, i) => parsed[i]?.subject === undefined && !held.has(descriptor.digest))
      .map(({ descriptor }) => descriptor);
  }
}
