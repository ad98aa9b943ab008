import { defineErrors } from "@touchmark/core";

/** Error codes of the verifier. Expectations and trust roots are the caller's input; all else is evidence, refused. */
export const verifyErrors = defineErrors({
  EXPECTATION_MISSING: {
    nature: "invalid",
    meaning: "The caller does not say which artifact, and which identity with its issuer or which key, is expected.",
    hint: "Give the artifact, and either identity (or identity pattern) with issuer, or a key.",
  },
  EXPECTATION_INVALID: {
    nature: "invalid",
    meaning: "An expectation has an unknown name, a wrong type or no meaning.",
  },
  EXPECTATION_CONFLICT: { nature: "invalid", meaning: "Two expectations exclude each other, or one needs another." },
  ARTIFACT_CONTENT_NEEDED: {
    nature: "invalid",
    meaning: "The bundle signs the artifact's bytes, and only their digest was given.",
    hint: "Give the artifact itself.",
  },
  FILE_UNREADABLE: { nature: "invalid", meaning: "The artifact, or a file that a batch case names, cannot be read." },
  TRUST_ROOT_INVALID: {
    nature: "invalid",
    meaning: "A key or chain of the trusted root is unusable: malformed, of a weak kind, or not signed by its issuer.",
  },
  EVIDENCE_UNREADABLE: { nature: "refused", meaning: "Evidence is malformed in a way that no other code names." },

  KEY_UNEXPECTED: {
    nature: "refused",
    meaning: "A bundle names a bare key where a certificate is expected (GHSA-fx35-mq7g-6g98).",
  },
  CERTIFICATE_UNEXPECTED: {
    nature: "refused",
    meaning: "A bundle brings a certificate where a managed key is expected.",
  },
  KEY_MALFORMED: { nature: "refused", meaning: "A public key of the evidence cannot be read." },
  KEY_HINT_MISMATCH: { nature: "refused", meaning: "A bundle's key hint is not the expected one." },
  KEY_ID_MISMATCH: { nature: "refused", meaning: "The key id of a signature differs from the bundle's key hint." },
  KEY_OUTSIDE_WINDOW: {
    nature: "refused",
    meaning: "A signature was made outside the validity of the managed key (GHSA-wqqc-jjcq-vfxm).",
  },
  ALGORITHM_REFUSED: {
    nature: "refused",
    meaning: "A key or signature algorithm is weak or unknown, or the two do not belong together.",
  },

  SIGNATURE_COUNT: { nature: "refused", meaning: "An envelope has another number of signatures than exactly one." },
  SIGNATURE_INVALID: { nature: "refused", meaning: "The signature does not verify over the signed content." },
  PAYLOAD_TYPE_UNEXPECTED: {
    nature: "refused",
    meaning: "An envelope's payload type is not that of in-toto statements.",
  },
  CONTENT_NOT_A_STATEMENT: {
    nature: "refused",
    meaning: "A bundle signs an artifact's bytes where a statement about it is expected.",
  },
  MESSAGE_DIGEST_MISMATCH: { nature: "refused", meaning: "A message signature's digest is not that of the artifact." },
  PREDICATE_TYPE_MISMATCH: { nature: "refused", meaning: "A statement's predicate type is not the expected one." },
  SUBJECT_MISMATCH: { nature: "refused", meaning: "No subject of a statement has the artifact's digest." },
  SUBJECT_DIGEST_WEAK: {
    nature: "refused",
    meaning: "A statement names its subjects by weak or unknown digests alone.",
  },

  CERTIFICATE_NO_PATH: { nature: "refused", meaning: "No trusted authority has the name of the certificate's issuer." },
  CERTIFICATE_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "A certificate is not signed by the authority it names.",
  },
  CERTIFICATE_ROOT_IN_BUNDLE: { nature: "refused", meaning: "A bundle brings a self-signed root certificate along." },
  CERTIFICATE_CRITICAL_EXTENSION: {
    nature: "refused",
    meaning: "A certificate has a critical extension that this verifier does not process.",
  },
  CERTIFICATE_NAME_CONSTRAINT: {
    nature: "refused",
    meaning: "A certificate has a name outside the name constraints of an authority above it.",
  },
  CERTIFICATE_PATH_LENGTH: { nature: "refused", meaning: "A path has more authorities than one of them permits." },
  CERTIFICATE_IS_AUTHORITY: {
    nature: "refused",
    meaning: "A signature was made with the certificate of an authority.",
  },
  AUTHORITY_NOT_CERTIFYING: {
    nature: "refused",
    meaning: "An issuing certificate is no authority, or may not sign certificates.",
  },
  CERTIFICATE_KEY_USAGE: {
    nature: "refused",
    meaning: "A certificate's key usage does not include digital signatures.",
  },
  CERTIFICATE_USAGE_MISSING: { nature: "refused", meaning: "A certificate has no extended key usage." },
  CERTIFICATE_USAGE_AUTHENTICATION: {
    nature: "refused",
    meaning: "A certificate for authentication was used for signing.",
  },
  CERTIFICATE_USAGE_SIGNING: { nature: "refused", meaning: "A certificate for signing was used for authentication." },
  CERTIFICATE_USAGE_NOT_SIGNING: {
    nature: "refused",
    meaning: "A certificate's extended key usage is not code signing.",
  },
  AUTHORITY_USAGE: { nature: "refused", meaning: "An authority's extended key usage excludes the usage of the leaf." },
  CERTIFICATE_OUTSIDE_VALIDITY: {
    nature: "refused",
    meaning: "A signature was made outside the validity of the signer's certificate.",
  },
  AUTHORITY_OUTSIDE_VALIDITY: {
    nature: "refused",
    meaning: "A signature was made outside the validity of an authority, or the window of the trusted root for it.",
  },
  CERTIFICATE_TIMESTAMP_MISSING: {
    nature: "refused",
    meaning: "The trusted root lists certificate logs, and none of them vouches for the certificate.",
  },
  CERTIFICATE_TIMESTAMP_INVALID: {
    nature: "refused",
    meaning: "A signed certificate timestamp by a known certificate log does not verify.",
  },

  IDENTITY_MISSING: {
    nature: "refused",
    meaning: "A certificate has no URI, e-mail or user name to identify its holder.",
  },
  IDENTITY_AMBIGUOUS: { nature: "refused", meaning: "A certificate has several names that could identify its holder." },
  IDENTITY_MISMATCH: { nature: "refused", meaning: "The signer is not the expected identity, compared as a whole." },
  ISSUER_MISSING: { nature: "refused", meaning: "A certificate does not say who vouched for the identity." },
  ISSUER_MISMATCH: { nature: "refused", meaning: "Another issuer vouched for the identity than the expected one." },

  LOG_ENTRY_MISSING: { nature: "refused", meaning: "A bundle has no transparency log entry." },
  LOG_UNKNOWN: { nature: "refused", meaning: "A log entry is of a log that the trusted root does not list." },
  LOG_KEY_UNSUPPORTED: {
    nature: "refused",
    meaning: "A trusted log has a key of a kind that cannot sign checkpoints here.",
  },
  LOG_PROOF_MISSING: { nature: "refused", meaning: "A log entry has no inclusion proof." },
  LOG_PROOF_INVALID: { nature: "refused", meaning: "An inclusion proof does not lead from the entry to the root." },
  LOG_INDEX_MISMATCH: { nature: "refused", meaning: "A log entry's index differs from the index of its proof." },
  LOG_ENTRY_DUPLICATE: { nature: "refused", meaning: "A bundle lists one log entry twice." },
  LOG_ENTRY_KIND_MISMATCH: {
    nature: "refused",
    meaning: "A log entry's kind does not record what the bundle signs, or not for keys of its algorithm.",
  },
  LOG_ENTRY_SIGNATURE_MISMATCH: {
    nature: "refused",
    meaning: "A log entry records another signature than the bundle's.",
  },
  LOG_ENTRY_KEY_MISMATCH: {
    nature: "refused",
    meaning: "A log entry names another certificate or key than the bundle's (class of CVE-2026-22703).",
  },
  LOG_ENTRY_DIGEST_MISMATCH: { nature: "refused", meaning: "A log entry records another content than the bundle's." },
  LOG_ENTRY_NOT_CANONICAL: {
    nature: "refused",
    meaning: "A log entry's body is not the one canonical spelling of what it records.",
  },
  LOG_ED25519_REFUSED: {
    nature: "refused",
    meaning: "A hashedrekord entry is of a pure Ed25519 key, which cannot sign a digest.",
  },
  LOG_PROMISE_INVALID: { nature: "refused", meaning: "A signed entry timestamp does not verify." },
  LOG_TIME_UNSIGNED: { nature: "refused", meaning: "A log entry states a time that nobody signed." },
  LOG_TIME_OUTSIDE_VALIDITY: {
    nature: "refused",
    meaning: "The log's own time of an entry is outside the validity of the signer's certificate or key.",
  },
  LOG_KEY_OUTSIDE_WINDOW: {
    nature: "refused",
    meaning: "A signature was logged outside the validity of the log key in the trusted root.",
  },
  LOG_NOT_IN_POLICY: { nature: "refused", meaning: "A checkpoint is of a log that the witness policy does not list." },
  LOG_THRESHOLD: { nature: "refused", meaning: "Fewer log operators than demanded recorded the signature." },
  CHECKPOINT_SIZE_NOT_CANONICAL: {
    nature: "refused",
    meaning: "A checkpoint's tree size is not spelled as a canonical decimal number.",
  },
  CHECKPOINT_ROOT_MISMATCH: {
    nature: "refused",
    meaning: "A checkpoint has another root or size than the inclusion proof it comes with.",
  },

  TIMESTAMP_MISSING: {
    nature: "refused",
    meaning: "Nothing trusted says when the signature was made.",
    hint: "A log's own clock counts only where log time is allowed.",
  },
  TIMESTAMP_NOT_GRANTED: { nature: "refused", meaning: "A time-stamp response says that it was not granted." },
  TIMESTAMP_IMPRINT_MISMATCH: { nature: "refused", meaning: "A time-stamp is over other bytes than the signature." },
  TIMESTAMP_ALGORITHM_WEAK: { nature: "refused", meaning: "A time-stamp uses a weak or unknown hash." },
  TIMESTAMP_AUTHORITY_UNKNOWN: { nature: "refused", meaning: "No trusted time-stamp authority made a time-stamp." },
  TIMESTAMP_SIGNATURE_INVALID: { nature: "refused", meaning: "A time-stamp's signature or message digest is wrong." },
  TIMESTAMP_CERTIFICATE_MISMATCH: {
    nature: "refused",
    meaning: "A time-stamp names or brings another certificate than its signer's (CVE-2026-39984).",
  },
  TIMESTAMP_USAGE_MISSING: { nature: "refused", meaning: "A time-stamp signer has no extended key usage." },
  TIMESTAMP_USAGE_REFUSED: {
    nature: "refused",
    meaning: "A time-stamp signer's extended key usage is not time stamping alone, marked critical.",
  },
  TIMESTAMP_OUTSIDE_VALIDITY: {
    nature: "refused",
    meaning: "A time-stamp was made outside the validity of its authority's certificates or trusted-root window.",
  },
  TIMESTAMP_THRESHOLD: {
    nature: "refused",
    meaning: "Fewer operators than demanded vouch for the time of a signature.",
  },
});

/** A code of the verifier. */
export type VerifyErrorCode = keyof typeof verifyErrors.rows;

/** What was caught, as the error that it is. */
export function caught(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
