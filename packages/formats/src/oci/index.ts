export { type LayerCompression, mediaTypes } from "./media-types.ts";
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
