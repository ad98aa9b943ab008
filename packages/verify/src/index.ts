export { verifyAuthenticationCertificate } from "./authentication.ts";
export {
  type AcceptedFacts,
  acceptedFacts,
  type BatchCase,
  type BatchFiles,
  type BatchResult,
  batchVerifier,
  failedResult,
  type Verdict,
  verdictOf,
} from "./batch.ts";
export { type VerifyErrorCode, verifyErrors } from "./errors.ts";
export {
  type ArtifactContent,
  type Expectations,
  type PreparedExpectations,
  prepareExpectations,
} from "./expectation.ts";
export type { CertificateIdentity } from "./identity.ts";
export { imageSignatureErrors } from "./image-signature-errors.ts";
export { verifyNotationSignature } from "./notation-signature.ts";
export { type ImageSigner, type SimpleSignature, verifySimpleSignature } from "./simple-signature.ts";
export type { VerifiedTime } from "./timestamp.ts";
export type { VerifiedLogEntry } from "./transparency.ts";
export { isTrustRoot, readTrustRoot, type TrustRoot } from "./trust-root.ts";
export {
  isVerified,
  type VerifiedFacts,
  type VerifiedSignature,
  type VerifiedSigner,
  type VerifiedStatement,
} from "./verified.ts";
export { verifyBundle, verifyEvidence } from "./verify-bundle.ts";
