// The following are also in ./evidence, which loads neither schema nor YAML library: sign and verify import that.
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
  type Checkpoint,
  type CheckpointExpectations,
  checkpointText,
  openCheckpoint,
  parseCheckpointText,
  signCheckpoint,
  type VerifiedCheckpoint,
} from "./checkpoint.ts";
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
export {
  type NoteKeyKind,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  noteSigner,
  noteVerifier,
  type OpenedNote,
  openNote,
  parseNote,
  parseVerifierKey,
  type SignedNote,
  signatureLine,
  signNote,
  type VerifiedNoteSignature,
  verifierKeyText,
} from "./note.ts";
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
  bundleHashes,
  checkEntryLength,
  encodeEntryBundle,
  MAXIMUM_ENTRY_BYTES,
  parseEntryBundle,
  parseTile,
  parseTilePath,
  subtreesOfTiles,
  TILE_WIDTH,
  type TileCoordinate,
  tilePath,
  tilesNeeded,
  tileWidth,
} from "./tile.ts";
export {
  parseTrustedRoot,
  serializeTrustedRoot,
  type TimeRange,
  TRUSTED_ROOT_MEDIA_TYPE,
  type TrustedAuthority,
  type TrustedLog,
  type TrustedRoot,
} from "./trusted-root.ts";
export {
  type Cosignature,
  checkQuorum,
  type PolicyWitness,
  parseWitnessPolicy,
  type WitnessPolicy,
  witnessQuorum,
} from "./witness-policy.ts";
