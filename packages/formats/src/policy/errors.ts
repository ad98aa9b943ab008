import { defineErrors, type ErrorDetail, FactoryError } from "@touchmark/core";

/** Error codes of policies, layouts, exceptions, sets and tests. */
export const policyDocumentErrors = defineErrors({
  POLICY_DOCUMENT_TOO_LARGE: { nature: "invalid", meaning: "A policy document is larger than the limit (512 KiB)." },
  POLICY_DOCUMENT_TOO_COMPLEX: {
    nature: "invalid",
    meaning: "A policy document nests too deeply, holds too many values, or uses an alias.",
  },
  POLICY_DOCUMENT_MALFORMED: {
    nature: "invalid",
    meaning: "A policy document is not one YAML 1.2 or JSON document in UTF-8, or uses a tag or a directive.",
  },
  POLICY_DOCUMENT_CHARACTER: {
    nature: "invalid",
    meaning: "A policy document holds a control character, or one that reverses the direction of text on a screen.",
  },
  POLICY_DOCUMENT_KEY_TWICE: { nature: "invalid", meaning: "A mapping of a policy document names one key twice." },
  POLICY_DOCUMENT_KEY_UNKNOWN: {
    nature: "invalid",
    meaning: "A mapping of a policy document holds a key that its place does not have.",
  },
  POLICY_DOCUMENT_AMBIGUOUS: {
    nature: "invalid",
    meaning: "An unquoted value of a policy document is read differently by different YAML readers.",
    hint: "Put text and times in quotes; write truth values as true or false and numbers in plain decimal digits.",
  },
  POLICY_DOCUMENT_VERSION: {
    nature: "invalid",
    meaning: "The key `touchmark` of a policy document names no kind and version that this release reads.",
    hint: "policy/v1, layout/v1, exception/v1, policy-set/v1 or policy-test/v1.",
  },
  POLICY_DOCUMENT_KIND: { nature: "invalid", meaning: "A policy document is of another kind than its place wants." },
  POLICY_DOCUMENT_VALUE: {
    nature: "invalid",
    meaning: "A value of a policy document is missing, or has the wrong type or spelling for its place.",
  },
  POLICY_DOCUMENT_NAME_TWICE: {
    nature: "invalid",
    meaning: "Two rules, variables, steps, inspections or members of one policy document have the same name.",
  },
  POLICY_DOCUMENT_REFERENCE: {
    nature: "invalid",
    meaning: "A policy document names a rule, step or functionary that it does not have.",
  },
  POLICY_DOCUMENT_CYCLE: {
    nature: "invalid",
    meaning: "Rules or steps of a policy document depend on each other in a circle.",
  },
});

/** Codes of `policyDocumentErrors`. */
export type PolicyDocumentCode = keyof typeof policyDocumentErrors.rows;

/** One thing that is wrong in a policy document, and where. */
export interface PolicyDocumentProblem {
  readonly code: PolicyDocumentCode;
  /** Line and column, from 1; the column in UTF-16 units as editors count. */
  readonly line: number;
  readonly column: number;
  /** Where in the document: `rules.0.id`; empty for the whole. */
  readonly path: string;
  /** What was expected, what was found, and the nearest valid name. */
  readonly message: string;
}

/** Thrown for a policy document: every problem; code, line and column are those of the first. */
export class PolicyDocumentError extends FactoryError {
  readonly problems: readonly PolicyDocumentProblem[];
  readonly line: number;
  readonly column: number;

  constructor(
    name: string,
    problems: readonly [PolicyDocumentProblem, ...PolicyDocumentProblem[]],
    detail?: ErrorDetail,
  ) {
    const [first] = problems;
    const shown = problems.slice(0, 20).map((each) => `${name}:${each.line}:${each.column}: ${each.message}`);
    if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more problems`);
    super(first.code, policyDocumentErrors.rows[first.code], shown.join("\n"), detail);
    this.problems = problems;
    this.line = first.line;
    this.column = first.column;
  }
}
