import { defineErrors } from "@touchmark/core";

/** Error codes of people: users, their keys, and what they sign. */
export const peopleErrors = defineErrors({
  USER_NAME_INVALID: {
    nature: "invalid",
    meaning: "A user's name or role is not spelled as a SPIFFE id needs it.",
    hint: "lower-case letters, digits, dots, dashes and underscores; at most 63 characters",
  },
  USER_EXISTS: {
    nature: "invalid",
    meaning: "A user of that name is enrolled with another key.",
    hint: "touchmark user remove NAME, then add it with the new key",
  },
  USER_UNKNOWN: { nature: "refused", meaning: "Nobody of that name is enrolled.", hint: "touchmark user list" },
  USER_REMOVED: { nature: "refused", meaning: "The user was enrolled once, and was removed." },
  USER_ENROLMENT_DAMAGED: {
    nature: "refused",
    meaning: "An enrolment is no statement that this factory signed, or is not about the name that it lies under.",
    hint: "restore trust/people of the home from a backup, or remove the file and enrol the user again",
  },
  USER_ROLE_MISSING: {
    nature: "refused",
    meaning: "A person wants to approve in a role in which the person is not enrolled.",
  },
});
