import { defineErrors } from "./error.ts";

/** Error codes of the core package. */
export const coreErrors = defineErrors({
  DIGEST_MALFORMED: {
    nature: "invalid",
    meaning: "A digest is not spelled `sha256:` followed by 64 lower-case hexadecimal digits.",
  },
  ENCODING_INVALID: {
    nature: "invalid",
    meaning: "Text is not strict base64 (RFC 4648, padded, canonical) or lower-case hexadecimal.",
  },
  JSON_MALFORMED: { nature: "invalid", meaning: "Text is not one JSON value (RFC 8259)." },
  JSON_DUPLICATE_KEY: { nature: "invalid", meaning: "A JSON object names one key twice." },
  JSON_TOO_DEEP: { nature: "invalid", meaning: "JSON is nested deeper than the reader's limit." },
  JSON_TOO_LARGE: { nature: "invalid", meaning: "JSON is larger than the reader's limit." },
  JSON_NOT_CANONICAL: { nature: "bug", meaning: "A value has no canonical JSON form (for example NaN or a function)." },
  PROOF_INVALID: {
    nature: "refused",
    meaning: "A Merkle inclusion or consistency proof does not lead to the expected root.",
  },
  TREE_PATH_INVALID: {
    nature: "invalid",
    meaning: "A path of a file tree is absolute, empty, not normalised, or holds `..` or a NUL byte.",
  },
});
