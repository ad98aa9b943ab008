import { defineErrors } from "@touchmark/core";

/** Why an expression did not compile, or did not come to a value. */
export const celErrors = defineErrors({
  CEL_SYNTAX: {
    nature: "invalid",
    meaning: "An expression is not CEL: the message says what was expected, and where.",
  },
  CEL_TOO_LONG: { nature: "invalid", meaning: "An expression is longer than 32,768 characters." },
  CEL_TOO_DEEP: { nature: "invalid", meaning: "An expression is nested deeper than 250 levels." },
  CEL_UNKNOWN_VARIABLE: { nature: "invalid", meaning: "An expression names a variable that nothing declares." },
  CEL_UNKNOWN_FUNCTION: {
    nature: "invalid",
    meaning: "An expression calls a function that does not exist, or with another number of arguments.",
  },
  CEL_VARIABLE_MISSING: { nature: "refused", meaning: "A declared variable was given no value." },
  CEL_NO_SUCH_FIELD: { nature: "refused", meaning: "A map has no such key." },
  CEL_NO_SUCH_OVERLOAD: {
    nature: "refused",
    meaning: "An operator or function was given values of types that it does not take.",
  },
  CEL_DIVIDE_BY_ZERO: { nature: "refused", meaning: "A whole number was divided by zero." },
  CEL_OVERFLOW: { nature: "refused", meaning: "A number, time or duration left the range of its type." },
  CEL_INDEX: { nature: "refused", meaning: "An index lies outside of its list or text." },
  CEL_CONVERSION: { nature: "refused", meaning: "A value has no counterpart in the type that it was converted to." },
  CEL_ARGUMENT: { nature: "refused", meaning: "A function was given a value that it cannot work on." },
  CEL_REGEX: { nature: "refused", meaning: "A regular expression is not RE2 syntax, or larger than its bound." },
  CEL_DUPLICATE_KEY: { nature: "refused", meaning: "A map is given one key twice." },
  CEL_NONE: { nature: "refused", meaning: "The value of an empty optional was asked for." },
  CEL_COST: { nature: "refused", meaning: "An evaluation took more steps than its limit." },
  CEL_MEMORY: { nature: "refused", meaning: "The values that an evaluation made outgrew its limit." },
  CEL_INTERNAL: {
    nature: "bug",
    meaning: "A value that was handed in failed when it was read, or the evaluator is wrong.",
  },
  CEL_STACK: { nature: "refused", meaning: "A value is nested deeper than the evaluator can follow." },
});

/** Code of an evaluation that came to no value. */
export type CelErrorCode = keyof typeof celErrors.rows;
