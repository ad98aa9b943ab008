export { breakGlassErrors } from "./break-glass/errors.ts";
export {
  type BreakGlassRules,
  checkPermission,
  type Permission,
  permissionFor,
  permissionsIn,
  type RefusedPermission,
} from "./break-glass/permissions.ts";
export { evidenceCacheErrors } from "./cache/errors.ts";
export {
  type EvidenceCache,
  type EvidenceCacheOptions,
  type EvidenceCacheState,
  evidenceCache,
  type HeldEvidence,
} from "./cache/evidence-cache.ts";
export type { Decide, EvidenceSource, VerifiedEvidence } from "./evidence-source.ts";
export { type AdmissionGateOptions, admissionGate } from "./gate/admission-gate.ts";
export { evaluationErrors } from "./gate/evaluation-errors.ts";
export { type EvaluationPool, evaluationPool } from "./gate/evaluation-pool.ts";
export { type LiveDocuments, type LiveDocumentsOptions, liveDocuments } from "./gate/live-documents.ts";
export { type Tenant, type TenantQuestion, type TenantRow, type TenantTable, tenantTable } from "./gate/tenant.ts";
export type {
  AdmissionContext,
  AdmissionFacts,
  AdmissionFailure,
  AdmissionGate,
  AdmissionVerdict,
  UsedBreakGlass,
} from "./gate/types.ts";
export { inventoryErrors } from "./inventory/errors.ts";
export type { Inventory, InventoryItem } from "./inventory/item.ts";
export { clusterItems, fileItems, looksLikeManifests, manifestItems } from "./inventory/listings.ts";
