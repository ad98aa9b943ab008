export { type Clock, fixedClock, rfc3339, systemClock } from "./clock.ts";
export { type Digest, digestHex, isDigest, parseDigest, sha256, sha256Bytes } from "./digest.ts";
export { decodeBase64, decodeHex, encodeBase64, encodeHex, equalBytes } from "./encoding.ts";
export {
  defineErrors,
  type ErrorDetail,
  type ErrorRow,
  type ErrorTable,
  exitCodes,
  FactoryError,
  isFactoryError,
  type Nature,
} from "./error.ts";
export { coreErrors } from "./errors.ts";
export { canonicalJson, type Json, type JsonLimits, parseJson } from "./json.ts";
export {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  inclusionProofs,
  leafHash,
  merkleRoot,
  nodeHash,
  rangeRoot,
  rootFromInclusion,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
export { checkTreePath, compareTreePaths, directoryEntry, type TreeEntry, treeDigest, treeList } from "./tree.ts";
