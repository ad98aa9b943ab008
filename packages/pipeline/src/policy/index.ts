export { type DecidedHere, decideHere, inputOf, type Question, speaksOf } from "./decide-here.ts";
export {
  type DecisionRecord,
  factsOf,
  type KeptRecord,
  keepRecord,
  keptRecords,
  plainFacts,
  pruneRecords,
  readRecord,
} from "./decision-record.ts";
export { type DecisionPlace, decisionStatement } from "./decision-statement.ts";
export { homePolicyErrors } from "./errors.ts";
export { type EvidenceHere, evidenceHere, verifyHere } from "./evidence-here.ts";
export { type InstalledSet, installSet } from "./install-set.ts";
export { installedSet } from "./installed-set.ts";
export { type KeptException, keepException } from "./kept-exceptions.ts";
export {
  type PoliciesInForce,
  type PolicyFile,
  policiesInForce,
  readPolicyFiles,
} from "./policies-in-force.ts";
export { policyPlaces } from "./policy-place.ts";
export { replayInput } from "./replay-input.ts";
export { type SignableKind, signPolicyDocument } from "./sign-document.ts";
export { type IgnoredDocument, readSigned, type SignedDocument, signedDocumentsIn } from "./signed-documents.ts";
