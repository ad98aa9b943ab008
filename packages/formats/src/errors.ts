import { defineErrors } from "@touchmark/core";

/** Error codes of the formats package. Documents that serve as evidence are refused, configuration is invalid. */
export const formatsErrors = defineErrors({
  DER_MALFORMED: { nature: "refused", meaning: "Bytes are not the DER (X.690) encoding of the expected ASN.1 type." },
  CERTIFICATE_MALFORMED: { nature: "refused", meaning: "A certificate breaks RFC 5280, or repeats an extension." },
  TIMESTAMP_MALFORMED: { nature: "refused", meaning: "A time-stamp response or token breaks RFC 3161 or RFC 5652." },
  BUNDLE_MALFORMED: {
    nature: "refused",
    meaning: "A Sigstore bundle lacks a required member, or one has a wrong type.",
  },
  BUNDLE_UNKNOWN_FIELD: {
    nature: "refused",
    meaning: "A Sigstore bundle has a member that its version does not define.",
  },
  BUNDLE_VERSION_UNKNOWN: { nature: "refused", meaning: "A bundle's media type is not one of versions 0.1 to 0.3." },
  BUNDLE_INTEGER_INVALID: {
    nature: "refused",
    meaning: "An index, size or time in a bundle is not a canonical decimal number within the safe range.",
  },
  BUNDLE_BASE64_INVALID: { nature: "refused", meaning: "A byte field of a bundle is not canonical padded base64." },
  STATEMENT_MALFORMED: { nature: "refused", meaning: "A signed payload is not an in-toto statement." },
  STATEMENT_TYPE_UNKNOWN: {
    nature: "refused",
    meaning: "A statement's `_type` is not a known in-toto statement type.",
  },
  STATEMENT_UNKNOWN_FIELD: { nature: "refused", meaning: "A statement or one of its subjects has an unknown member." },
  LOG_ENTRY_MALFORMED: { nature: "refused", meaning: "A log entry's body is not what its kind and version define." },
  LOG_ENTRY_KIND_UNKNOWN: { nature: "refused", meaning: "A log entry's kind and version are not supported." },
  TRUSTED_ROOT_MALFORMED: {
    nature: "invalid",
    meaning: "A trusted root lacks a required member, or a key, certificate or time in it cannot be read.",
  },
  TRUSTED_ROOT_UNKNOWN_FIELD: { nature: "invalid", meaning: "A trusted root has a member that is not defined." },
  TRUSTED_ROOT_VERSION_UNKNOWN: { nature: "invalid", meaning: "A trusted root's media type is not a known version." },
});

/** A code of the formats package. */
export type FormatsErrorCode = keyof typeof formatsErrors.rows;
