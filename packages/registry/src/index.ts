export { type AuditLog, type AuditOptions, openAuditLog } from "./authority/audit-log.ts";
export { TOKEN_PATH } from "./authority/challenge.ts";
export { type AuthorityOptions, configuredAuthority } from "./authority/configured-authority.ts";
export { registryAuthorityErrors } from "./authority/errors.ts";
export { hashPassword } from "./authority/password.ts";
export { withQuotas } from "./authority/quotas.ts";
export { retryAfterOf } from "./authority/retry-later.ts";
export type { Access } from "./authority/scope.ts";
export { configuredTagRules, withProtectedTags } from "./authority/tag-rules.ts";
export { mintToken, type TokenClaims } from "./authority/token.ts";
export { openTokenKeys, rotateTokenKey, type TokenKeys } from "./authority/token-key.ts";
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
export { registryBackendErrors } from "./backends/errors.ts";
export {
  type FileRegistryBackend,
  type FileRegistryOptions,
  fileRegistryBackend,
} from "./backends/file/file-registry.ts";
export { type MemoryRegistryBackend, memoryRegistryBackend } from "./backends/memory.ts";
export {
  type PullThroughBackend,
  type PullThroughOptions,
  pullThroughBackend,
  type StaleTag,
} from "./backends/pull-through/pull-through.ts";
export { type S3RegistryBackend, type S3RegistryOptions, s3RegistryBackend } from "./backends/s3/s3-registry.ts";
export { openRegistryClient, type RegistryClient, type RegistryClientOptions } from "./client/client.ts";
export { type CopyProgress, type CopyReport, type CopyRequest, type CopyTarget, copyImage } from "./client/copy.ts";
export type { CopyLimits, CopyPlan, CopySubject, SkippedReferrer } from "./client/copy-plan.ts";
export { type Credential, type CredentialSource, userCredentials } from "./client/credentials.ts";
export { clientErrors, transferErrors } from "./client/errors.ts";
export {
  type EvidenceLimits,
  type EvidenceSearch,
  type FoundEvidence,
  findEvidence,
  type SkipReason,
} from "./client/evidence.ts";
export {
  type PublishedBundle,
  type PublishedFile,
  type PublishReport,
  type PublishRequest,
  type PublishTarget,
  publishArtifact,
} from "./client/publish.ts";
export { isRegistryRepository, type RegistryRepository, type TransferProgress } from "./client/repository.ts";
export {
  defaultRegistryConfiguration,
  type Grant,
  type RegistryConfiguration,
  type RegistryUser,
} from "./configuration/configuration.ts";
export { registryConfigurationErrors } from "./configuration/errors.ts";
export { isLocal, isName, isWildcard, type ListenAddress, parseListen } from "./configuration/listen.ts";
export { type LiveConfiguration, type LiveOptions, liveConfiguration } from "./configuration/live.ts";
export { readRegistryConfiguration } from "./configuration/read.ts";
export { registryErrors } from "./errors.ts";
export { localRepository } from "./local-repository.ts";
export { registryServerErrors } from "./server/errors.ts";
export type { AuditLine, RegistryParts } from "./server/exchange.ts";
export { type RegistryHandler, registryHandler } from "./server/handler.ts";
export { defaultLimits, type RegistryLimits } from "./server/limits.ts";
export { openAuthority } from "./server/open-authority.ts";
export { type RegistryListen, type RegistrySettings, type RunningRegistry, startRegistry } from "./server/serve.ts";
export { storedManifest } from "./stored-manifest.ts";
