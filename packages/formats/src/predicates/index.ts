export type { Analysis, Licences } from "./analysis.ts";
export type {
  NodeAttestationPredicate,
  SandboxRecord,
  WorkloadAttestationPredicate,
  WorkloadRecord,
} from "./attestation.ts";
export type { BreakGlass } from "./break-glass.ts";
export type { CacheHit } from "./cache-hit.ts";
export {
  assertMayAttest,
  factoryPredicateTypes,
  type PredicateName,
  type PredicateOf,
  predicateName,
  predicates,
  predicateType,
  readPredicate,
} from "./catalogue.ts";
export type { Chain, Predecessor, Resource, Selector } from "./common.ts";
export type { Composition, StepReportStatement } from "./composition.ts";
export type { ControlTest } from "./control-test.ts";
export type { CredentialIssuancePredicate } from "./credential.ts";
export type { Environment } from "./environment.ts";
export { predicateErrors } from "./errors.ts";
export type { Drill, HumanAnswer, RepositoryControls, Review, RoleExport } from "./governance.ts";
export type { ImageAssembly, WorkerImages } from "./image.ts";
export type { KeyEvent } from "./key-event.ts";
export { artifactResource, type Link, type LinkArtifact, type LinkContent, linkPredicate } from "./link.ts";
export type { Material, Materials, ReconciliationPredicate } from "./materials.ts";
export type { MountsAndNetwork, StepStorage } from "./mounts.ts";
export type { Approval, Deployment, UserEnrolment } from "./people.ts";
export type { SignedException, SignedLayout, SignedPolicy, SignedPolicySet } from "./policy-documents.ts";
export {
  PIPELINE_BUILD_TYPE,
  type PipelineInternals,
  type PipelineParameters,
  type Provenance,
  type ProvenanceContent,
  pipelineInternals,
  pipelineParameters,
  provenancePredicate,
} from "./provenance.ts";
export type { Release } from "./release.ts";
export {
  MONITOR_TYPE,
  type RuntimeTrace,
  type RuntimeTraceContent,
  runtimeTracePredicate,
  type TracedFile,
  type TracedStep,
} from "./runtime-trace.ts";
export type { Slimming } from "./slimming.ts";
export type { Source } from "./source.ts";
export { requestSubject, sourceSubject, statementOf, subjectOf } from "./statement.ts";
export type { TagEvaluation } from "./tag-evaluation.ts";
export type { ThirdPartyReview } from "./third-party-review.ts";
export type { Trigger, TriggerRequest } from "./trigger.ts";
export type { VerificationSummary } from "./verification-summary.ts";
export type { VexDecision } from "./vex-decision.ts";
