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
    meaning: "Too few of those who may put a policy set in force have signed it.",
    hint: "touchmark policy sign SET --as NAME",
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
