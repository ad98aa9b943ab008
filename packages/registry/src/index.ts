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
export { openRegistryClient, type RegistryClient, type RegistryClientOptions } from "./client/client.ts";
export { type Credential, type CredentialSource, userCredentials } from "./client/credentials.ts";
export { clientErrors, transferErrors } from "./client/errors.ts";
export { isRegistryRepository, type RegistryRepository, type TransferProgress } from "./client/repository.ts";
export { registryErrors } from "./errors.ts";
export { localRepository } from "./local-repository.ts";
export { storedManifest } from "./stored-manifest.ts";
