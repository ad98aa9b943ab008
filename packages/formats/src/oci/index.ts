export { annotationKeys } from "./annotations.ts";
export { parseImageConfig } from "./config.ts";
export {
  checkMediaType,
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  isForeign,
  layerCompression,
  readDescriptor,
  referencedDescriptors,
  refuseForeign,
} from "./descriptor.ts";
export { ociErrors } from "./errors.ts";
export {
  manifestKind,
  maxDescriptors,
  maxManifestBytes,
  parseManifest,
  parseReferrers,
  type ReferrersPage,
} from "./manifest.ts";
export { type LayerCompression, mediaTypes } from "./media-types.ts";
export { checkRepositoryName, checkTag, isRepositoryName, isTag, readDigest, readManifestReference } from "./names.ts";
export { checkConfigPlatform, choosePlatform, parsePlatform, platformMatches, platformText } from "./platform.ts";
export { parseRegistryReference, registryReferenceText } from "./reference.ts";
export { serializeImageConfig, serializeIndex, serializeManifest } from "./serialize.ts";
export type { FoundManifest, OciReader, OciWriter } from "./transport.ts";
export type {
  ContainerConfig,
  Descriptor,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  Manifest,
  Platform,
  RegistryReference,
} from "./types.ts";
