import { defineErrors } from "@touchmark/core";

/** Error codes of policies of a home. */
export const homePolicyErrors = defineErrors({
  POLICY_FILE_UNREADABLE: {
    nature: "invalid",
    meaning: "A file of policy cannot be read.",
  },
  POLICY_PARAMETERS_MALFORMED: {
    nature: "invalid",
    meaning: "`policy/parameters.yaml` of the home is no mapping of names to values.",
  },
  POLICY_SET_UNSIGNED: {
    nature: "refused",
    meaning: "There is no signature under a policy set that was to be put in force.",
    hint: "touchmark policy sign SET",
  },
  POLICY_SET_REFUSED: {
    nature: "refused",
    meaning:
      "A policy set may not be put in force: too few signatures, an older version, expired, or for a newer engine.",
  },
  POLICY_SET_CHANGED: {
    nature: "refused",
    meaning: "The policy set of the home, or the signature under it, is not the one that was installed.",
    hint: "Install it again: touchmark policy install DIRECTORY",
  },
  POLICY_MEMBER_MISSING: {
    nature: "refused",
    meaning: "A policy set names a document by digest that is not there.",
    hint: "Give the document beside the set, unchanged.",
  },
  POLICY_EXCEPTION_REFUSED: {
    nature: "refused",
    meaning: "An exception cannot count: it is signed by nobody that it names, or by who asked for it.",
  },
  POLICY_RECORD_UNREADABLE: {
    nature: "invalid",
    meaning: "A recorded decision is not readable, or what it rests on is gone.",
  },
});
