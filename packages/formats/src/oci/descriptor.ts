import { decodeBase64, type Json, sha256 } from "@touchmark/core";
import { ociErrors } from "./errors.ts";
import { type LayerCompression, mediaTypes } from "./media-types.ts";
import { OciMembers } from "./members.ts";
import { readDigest } from "./names.ts";
import { readPlatform } from "./platform.ts";
import type { Descriptor, Manifest } from "./types.ts";

const members = ["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"];
const token = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}";
/** RFC 6838, and parameters, which bundles of before v0.3 have. */
const mediaTypeShape = new RegExp(`^${token}/${token}(?: ?; ?[A-Za-z0-9._-]{1,40}=[A-Za-z0-9._-]{1,80}){0,4}$`);

/** @throws OCI_MEDIA_TYPE_INVALID */
export function checkMediaType(text: string, path: string): string {
  if (text.length > 400 || !mediaTypeShape.test(text)) {
    throw ociErrors.make(
      "OCI_MEDIA_TYPE_INVALID",
      `expected type/subtype at ${path}, found ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return text;
}

/**
 * Reads a descriptor (image-spec 1.1, descriptor.md). Embedded content is verified.
 * @throws OCI_DESCRIPTOR_MALFORMED | OCI_MEDIA_TYPE_INVALID | OCI_DIGEST_* | OCI_SIZE_INVALID | OCI_ANNOTATIONS_INVALID | OCI_DESCRIPTOR_DATA
 */
export function readDescriptor(value: Json | undefined, path: string): Descriptor {
  const found = new OciMembers(value, path, "OCI_DESCRIPTOR_MALFORMED", members);
  const size = found.optional("size");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || Object.is(size, -0)) {
    throw ociErrors.make("OCI_SIZE_INVALID", `expected a whole number at ${path}.size, found ${JSON.stringify(size)}`);
  }
  const artifactType = found.optionalString("artifactType") || undefined;
  const annotations = found.optionalAnnotations("annotations");
  const urls = found.optionalStrings("urls");
  const data = found.optionalString("data");
  const platform = found.optional("platform");
  const descriptor: Descriptor = {
    mediaType: checkMediaType(found.string("mediaType"), `${path}.mediaType`),
    digest: readDigest(found.string("digest")),
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(data === undefined ? {} : { data }),
    ...(platform === undefined ? {} : { platform: readPlatform(platform, `${path}.platform`) }),
    ...(artifactType === undefined ? {} : { artifactType: checkMediaType(artifactType, `${path}.artifactType`) }),
  };
  checkEmbedded(descriptor, path);
  return descriptor;
}

function checkEmbedded(descriptor: Descriptor, path: string): void {
  if (descriptor.data === undefined) return;
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(descriptor.data);
  } catch (cause) {
    throw ociErrors.make("OCI_DESCRIPTOR_DATA", `expected canonical base64 at ${path}.data`, { cause });
  }
  if (bytes.length !== descriptor.size || sha256(bytes) !== descriptor.digest) {
    throw ociErrors.make("OCI_DESCRIPTOR_DATA", `expected content of ${descriptor.digest} at ${path}.data`);
  }
}

/** The descriptor of bytes. */
export function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** The content `{}`, which stands for a configuration or layer that an artifact does not have (image-spec 1.1, manifest.md). */
export const emptyContent: Uint8Array = new TextEncoder().encode("{}");

/** Descriptor of `emptyContent`. */
export const emptyDescriptor: Descriptor = {
  ...descriptorOf(emptyContent, mediaTypes.empty),
  data: "e30=",
};

const compressions: Readonly<Record<string, LayerCompression>> = {
  [mediaTypes.layer]: "none",
  [mediaTypes.layerGzip]: "gzip",
  [mediaTypes.layerZstd]: "zstd",
  [mediaTypes.dockerLayer]: "none",
  [mediaTypes.dockerLayerGzip]: "gzip",
};

/** How a layer of this media type is packed; undefined for what is no layer of a file system, foreign layers included. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return Object.hasOwn(compressions, mediaType) ? compressions[mediaType] : undefined;
}

/** True when readers are sent to other addresses, or the media type forbids to distribute the content. */
export function isForeign(descriptor: Descriptor): boolean {
  return (
    (descriptor.urls !== undefined && descriptor.urls.length > 0) ||
    descriptor.mediaType === mediaTypes.dockerForeignLayer ||
    descriptor.mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.")
  );
}

/** Every descriptor of a manifest that its content needs: configuration and layers, or manifests. The subject is none. */
export function referencedDescriptors(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === "index" ? manifest.manifests : [manifest.config, ...manifest.layers];
}

/** @throws OCI_FOREIGN_CONTENT when a descriptor of the manifest is foreign, the subject included */
export function refuseForeign(manifest: Manifest): void {
  const all = [...referencedDescriptors(manifest), ...(manifest.subject === undefined ? [] : [manifest.subject])];
  const foreign = all.find(isForeign);
  if (foreign !== undefined) {
    throw ociErrors.make(
      "OCI_FOREIGN_CONTENT",
      `expected content in the registry, found ${foreign.mediaType} ${foreign.digest} with ${foreign.urls?.length ?? 0} addresses`,
    );
  }
}
