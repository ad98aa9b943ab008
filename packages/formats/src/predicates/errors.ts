import { defineErrors } from "@touchmark/core";

/** Error codes of reading and writing predicates. */
export const predicateErrors = defineErrors({
  PREDICATE_TYPE_UNKNOWN: { nature: "invalid", meaning: "No schema is known for a predicate type." },
  PREDICATE_MALFORMED: {
    nature: "refused",
    meaning: "A predicate lacks a member that its schema demands, or a member has another type or spelling.",
  },
  PREDICATE_UNKNOWN_FIELD: {
    nature: "refused",
    meaning: "A predicate of our own has a member that its schema does not know.",
  },
  PREDICATE_RESERVED: {
    nature: "refused",
    meaning: "`attest` was asked to sign a predicate that only the factory itself may make.",
    hint: "Run the pipeline: it measures and signs this statement.",
  },
});
