export type {
  CredentialBinding,
  CredentialForm,
  CredentialSource,
  MaterialsConfiguration,
  TrustPurpose,
} from "./configuration/configuration.ts";
export { defaultConfiguration } from "./configuration/default-configuration.ts";
export { materialsConfigurationErrors } from "./configuration/errors.ts";
export { parseMaterialsConfiguration } from "./configuration/parse.ts";
export { readMaterialsConfiguration } from "./configuration/read.ts";
export { tighten } from "./configuration/tighten.ts";
export { credentialErrors } from "./credentials/errors.ts";
export {
  type CredentialFinding,
  type CredentialKeeper,
  type CredentialRequest,
  type CredentialUse,
  credentialKeeper,
} from "./credentials/keeper.ts";
export { Redactor } from "./credentials/redactor.ts";
export type { ArrivedAnswer, BodySink, Door, Passage, ProxyRequest, StoredAnswer, UpstreamPassage } from "./door.ts";
export type { AskClient, ClientSettings, EcosystemAdapter } from "./ecosystem.ts";
export { type AskedUpstreams, askUpstreams, withHostClients } from "./ecosystems/ask.ts";
export { allClientSettings } from "./ecosystems/common-settings.ts";
export { gitWants } from "./ecosystems/git-request.ts";
export { ecosystemAdapters } from "./ecosystems/index.ts";
export { javaKeyStore } from "./ecosystems/jks.ts";
export { decide, gateRefusal } from "./gate/decide.ts";
export type {
  Candidate,
  GateDecision,
  GatePhase,
  InspectedArchive,
  KnownVulnerabilities,
  RuleResult,
  UpstreamEvidence,
} from "./gate/decision.ts";
export { gateErrors } from "./gate/errors.ts";
export type { AdmittedVersion, PackageHistory } from "./gate/history.ts";
export { inspectArchive } from "./gate/inspect/inspect.ts";
export type { InspectLimits } from "./gate/inspect/ledger.ts";
export { needsAnnouncement } from "./gate/needs-announcement.ts";
export type { ReviewDecision } from "./gate/review-decision.ts";
export { mayRunInstallScripts } from "./gate/rules/install-scripts.ts";
export { defaultRules, type GateException, type GateRules, type UnlockedMode } from "./gate/rules.ts";
export { rulesPage } from "./gate/rules-page.ts";
export { gateRules } from "./gate/table.ts";
export type { Announcement, ExpectedDigest, MaterialRecord, RequestFacts, Upstream } from "./material.ts";
export { mirrorErrors } from "./mirror/errors.ts";
export { type ExportOptions, type ExportReport, exportMirror } from "./mirror/export-mirror.ts";
export { type ImportOptions, type ImportReport, importMirror } from "./mirror/import-mirror.ts";
export { type MemoryMirror, memoryMirror } from "./mirror/memory-mirror.ts";
export type { Incoming, Mirror, SeenFile } from "./mirror/mirror.ts";
export { type MirrorOptions, openMirror } from "./mirror/open-mirror.ts";
export { type MirrorPruneOptions, type MirrorPruneReport, pruneMirror } from "./mirror/prune-mirror.ts";
export { matchesPurl } from "./mirror/purl-agreement.ts";
export { recordedUrl, recordKey, type Variant, variantOf } from "./mirror/record-key.ts";
export { type MirrorFault, type VerifyOptions, type VerifyReport, verifyMirror } from "./mirror/verify-mirror.ts";
export {
  type DiffFinding,
  diffMaterials,
  type HistoryOf,
  type MaterialChange,
  type MaterialsDiff,
} from "./procedures/diff.ts";
export { procedureErrors } from "./procedures/procedure-errors.ts";
export {
  buildReview,
  type Reviewer,
  type ReviewWords,
  readReview,
  readReviewers,
  readReviews,
  reviewSubject,
  reviewType,
} from "./procedures/review.ts";
export { reviewErrors } from "./procedures/review-errors.ts";
export {
  type WatchFinding,
  type WatchReport,
  type WatchSettings,
  watchExitCode,
  watchMirror,
} from "./procedures/watch.ts";
export { createStepAuthority, type StepAuthority } from "./proxy/authority.ts";
export { proxyErrors } from "./proxy/errors.ts";
export type { ProxyCounts, ProxyEvent } from "./proxy/events.ts";
export { type MaterialsProxy, type ProxySettings, startProxy } from "./proxy/proxy.ts";
export { type Patience, type UpstreamSettings, upstreamSettings } from "./proxy/settings.ts";
export { type SmallFile, type SmallFileOptions, type UpstreamClient, upstreamClient } from "./proxy/upstream-client.ts";
export { reconcileErrors } from "./reconcile/errors.ts";
export { reconcile } from "./reconcile/reconcile.ts";
export {
  type Difference,
  type DifferenceEffect,
  type DifferenceName,
  differenceEffects,
  type ReconciledPackage,
  type ReconcileInput,
  type ReconcilePolicy,
  type Reconciliation,
  type ReconciliationCounts,
  type UsedFile,
} from "./reconcile/reconciliation.ts";
export { assertReconciled, reconciliationSummary } from "./reconcile/summary.ts";
export { sessionErrors } from "./session/errors.ts";
export type { AdmittedMaterial, RefusedRequest, SessionReport } from "./session/ledger.ts";
export { LockIndex, type PinnedCommit, type PinnedDownload } from "./session/lock-index.ts";
export { openPackageMemory, type PackageMemory, packageOf } from "./session/package-memory.ts";
export { type MaterialsSession, openSession } from "./session/session.ts";
export type { EvidenceRequest, SessionSettings, SmallAnswer } from "./session/settings.ts";
export { hostDebianKeyrings, withHostDebian } from "./upstream-evidence/debian-keyrings.ts";
export { openRelease, type Release } from "./upstream-evidence/debian-release.ts";
export { upstreamErrors } from "./upstream-evidence/errors.ts";
export type { EvidenceGet, EvidenceQuestion, GatheredEvidence } from "./upstream-evidence/evidence.ts";
export {
  type FactoryBuild,
  type FactoryMaterial,
  readFactoryBuild,
  readFactoryEvidence,
} from "./upstream-evidence/factory-provenance.ts";
export { type EvidenceSettings, gatherEvidence } from "./upstream-evidence/gather.ts";
export { type SeenState, seenInMemory, seenStateIn } from "./upstream-evidence/seen-state.ts";
export { type EvidenceTrust, type KindTrust, readEvidenceTrust } from "./upstream-evidence/trust.ts";
