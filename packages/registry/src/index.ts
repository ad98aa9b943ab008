export type { PromotionProof, RegistryAction, RegistryAuthority, RegistryCaller, TagRules } from "./authority.ts";
export type {
  BlobBackend,
  BlobRead,
  CollectingBackend,
  CollectReport,
  ManifestBackend,
  Page,
  RegistryBackend,
  StoredManifest,
  TagBackend,
  UploadBackend,
  UsageBackend,
} from "./backend.ts";
export { type MemoryRegistryBackend, memoryRegistryBackend } from "./backends/memory.ts";
export { registryErrors } from "./errors.ts";
export { localRepository } from "./local-repository.ts";
export { storedManifest } from "./stored-manifest.ts";
