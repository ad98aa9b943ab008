/** The formats of transparency logs alone, without the schema and YAML libraries: what reading and writing a log loads. */
export {
  type Checkpoint,
  type CheckpointExpectations,
  checkpointText,
  openCheckpoint,
  parseCheckpointText,
  signCheckpoint,
  type VerifiedCheckpoint,
} from "./checkpoint.ts";
export { signedEntryTimestampMessage } from "./log-entry.ts";
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
  type Cosignature,
  checkQuorum,
  type PolicyWitness,
  parseWitnessPolicy,
  type WitnessPolicy,
  witnessQuorum,
} from "./witness-policy.ts";
