import { defineErrors } from "@touchmark/core";

/** Error codes of SBOM documents: those that end the reading, and those that stand in a list of problems. */
export const sbomDocumentErrors = defineErrors({
  SBOM_DOCUMENT_FORMAT_UNKNOWN: {
    nature: "invalid",
    meaning: "Bytes are no SBOM document of a format that is read.",
    hint: "CycloneDX 1.2 to 1.7 (JSON, XML), SPDX 2.2 and 2.3 (JSON, tag-value) and SPDX 3.0 (JSON-LD) are read",
  },
  SBOM_DOCUMENT_VERSION_UNSUPPORTED: {
    nature: "invalid",
    meaning: "An SBOM document is of a version of its format that is not read.",
  },
  SBOM_DOCUMENT_MALFORMED: {
    nature: "invalid",
    meaning: "An SBOM document is not built as its format demands: a member is missing, or is of another type.",
  },
  SBOM_DOCUMENT_TOO_LARGE: {
    nature: "invalid",
    meaning: "An SBOM document has more bytes, components or relations than are ever read.",
  },
  SBOM_DOCUMENT_TOO_DEEP: {
    nature: "invalid",
    meaning: "An SBOM document is nested more deeply than is ever read.",
  },
  SBOM_DOCUMENT_REFERENCE_DUPLICATE: {
    nature: "invalid",
    meaning: "Two components of an SBOM document have one identifier; both are kept, under two.",
  },
  SBOM_DOCUMENT_REFERENCE_DANGLING: {
    nature: "invalid",
    meaning: "A relation of an SBOM document names a component that it does not have; the relation is left out.",
  },
  SBOM_DOCUMENT_CONTRADICTION: {
    nature: "invalid",
    meaning: "An SBOM document says two things that cannot both be true of one component.",
  },
  SBOM_DOCUMENT_VALUE_INVALID: {
    nature: "invalid",
    meaning: "A value of an SBOM document is none that its format has there; it is left out, or kept as text.",
  },
  SBOM_DOCUMENT_SUBJECT_MISSING: {
    nature: "invalid",
    meaning: "An SBOM document does not say which component it is about; one is made up, and nothing hangs from it.",
  },
  SBOM_DOCUMENT_CYCLE: {
    nature: "invalid",
    meaning: "Components of an SBOM document depend on each other in a circle; that is allowed, and named.",
  },
});

/** A code of this part. */
export type SbomDocumentCode = keyof typeof sbomDocumentErrors.rows;
