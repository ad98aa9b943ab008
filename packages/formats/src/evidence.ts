/** The formats of evidence alone: what signing and verifying need, without the schema and YAML libraries. */
export {
  BUNDLE_MEDIA_TYPE,
  type Bundle,
  type BundleContent,
  type BundleVersion,
  type InclusionProof,
  type KeyMaterial,
  MAX_BUNDLE_BYTES,
  parseBundle,
  serializeBundle,
  type TransparencyLogEntry,
} from "./bundle.ts";
export {
  type AlgorithmIdentifier,
  type Certificate,
  type CertificateExtension,
  extensionOid,
  type GeneralName,
  isSelfIssued,
  keyUsageBit,
  type NameConstraints,
  parseCertificate,
  readAlgorithm,
  serialText,
  usageOid,
} from "./certificate.ts";
export {
  type Checkpoint,
  type CheckpointExpectations,
  openCheckpoint,
  parseCheckpointText,
  type VerifiedCheckpoint,
} from "./checkpoint.ts";
export { DerReader, derTag } from "./der-reader.ts";
export { type Envelope, type EnvelopeSignature, PAYLOAD_TYPE, preAuthEncoding, preAuthPrefix } from "./dsse.ts";
export { type FormatsErrorCode, formatsErrors } from "./errors.ts";
export {
  dsseRekordBody,
  type HashAlgorithmName,
  type HashedRekord,
  hashedRekordBody,
  type LoggedDigest,
  type LoggedRecord,
  type LoggedSignature,
  parseLogEntryBody,
  signedEntryTimestampMessage,
} from "./log-entry.ts";
export { type NoteKeyKind, type NoteVerifier, noteVerifier } from "./note.ts";
export { noteErrors } from "./note-errors.ts";
export { decodePem, encodePem } from "./pem.ts";
export {
  type DigestSet,
  parseStatement,
  STATEMENT_TYPE,
  STATEMENT_TYPE_V0_1,
  type Statement,
  type Subject,
  serializeStatement,
} from "./statement.ts";
export {
  parseTimestampResponse,
  parseTimestampToken,
  type SigningCertificateHash,
  type TimestampResponse,
  type TimestampStatement,
  type TimestampToken,
} from "./timestamp.ts";
export {
  parseTrustedRoot,
  serializeTrustedRoot,
  type TimeRange,
  TRUSTED_ROOT_MEDIA_TYPE,
  type TrustedAuthority,
  type TrustedLog,
  type TrustedRoot,
} from "./trusted-root.ts";
export { type Cosignature, parseWitnessPolicy, type WitnessPolicy } from "./witness-policy.ts";
