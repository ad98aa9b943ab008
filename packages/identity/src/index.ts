export { identityErrors } from "./errors.ts";
export type {
  CreateOptions,
  CredentialIssuance,
  FactoryIdentity,
  IssuedSigner,
  LeafProfile,
  LeafRequest,
  LogPublicKeys,
  OpenOptions,
} from "./factory-identity.ts";
export {
  type AuthorityKind,
  type RotatedAuthority,
  readIdentityNames,
  readTrustedRoot,
  rotateAuthority,
} from "./identity-directory.ts";
export { type JoinTokens, joinTokens } from "./join-token.ts";
export { MAX_LEAF_SECONDS } from "./leaf.ts";
export {
  joinTokenNode,
  type NodeAttestor,
  type NodeEvidence,
  type NodeEvidenceLabel,
  selfClaimedNode,
} from "./node-attestor.ts";
export { createFactoryIdentity, openFactoryIdentity } from "./open-identity.ts";
export type { ProcessFacts } from "./process-facts.ts";
export {
  admissionId,
  assertMayIssue,
  attestId,
  builderId,
  environmentId,
  type FactoryRole,
  nodeId,
  parseSpiffeId,
  parseTrustDomain,
  registryId,
  type SpiffeId,
  stepId,
  userId,
} from "./spiffe.ts";
export { type TimestampAuthority, timestampAuthority } from "./timestamp-authority.ts";
export { type UserCertifier, userCertifier } from "./user-certificate.ts";
export { createUserKey, openUserKey, readUserPublicKey } from "./user-key.ts";
export {
  type AttestedWorkload,
  kernelWorkloadAttestor,
  selectorsOf,
  type WorkloadAttestor,
} from "./workload-attestor.ts";
export { type WorkloadRegistry, workloadRegistry } from "./workload-registry.ts";
