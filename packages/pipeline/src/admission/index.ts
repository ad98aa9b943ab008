export { localCaller } from "../gates/request-facts.ts";
export { type BreakGlassUse, breakGlassUses, type KeptUses, keepBreakGlassUse } from "./break-glass-uses.ts";
export {
  type DecisionRecords,
  type DeployQuestion,
  decideDeploy,
  decisionRecords,
  deployInput,
} from "./deploy-decision.ts";
export { homeAdmissionErrors } from "./errors.ts";
export {
  type AdmissionEvidence,
  type AdmissionEvidenceOptions,
  admissionEvidence,
  type GatheredHere,
  type TrustedParty,
} from "./evidence-source.ts";
export {
  type BreakGlassDraft,
  endBreakGlass,
  keepBreakGlass,
  keptBreakGlass,
  type SignStatement,
} from "./kept-break-glass.ts";
export { admissionStamp, policyStamp } from "./policy-stamp.ts";
export { proofBytes } from "./proof-bytes.ts";
export type { RegistryPlaces } from "./registry-evidence.ts";
export { isExecutable, type SealedFile, sealFile } from "./sealed-file.ts";
export { type HomeAdmission, homeAdmission, type TenantSettings } from "./settings.ts";
export { signAdmission } from "./sign-admission.ts";
