export { identityErrors } from "./errors.ts";
export type {
  CredentialIssuance,
  FactoryIdentity,
  IssuedSigner,
  LeafProfile,
  LeafRequest,
  LogKeys,
  OpenOptions,
} from "./factory-identity.ts";
export {
  assertMayIssue,
  attestId,
  builderId,
  type FactoryRole,
  nodeId,
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeId,
  stepId,
} from "./spiffe.ts";
