export { type AdmissionSettings, admissionSettings, readAdmissionSettings } from "./admission-settings.ts";
export { type EnvironmentOrder, environmentOrder } from "./environment-order.ts";
export {
  type PolicyDocumentCode,
  PolicyDocumentError,
  type PolicyDocumentProblem,
  policyDocumentErrors,
} from "./errors.ts";
export { exception, type PolicyException } from "./exception.ts";
export { homePolicySchemas } from "./home-schemas.ts";
export { type PolicyDocumentKind, type PolicyDocuments, policyDocumentKinds, policySchemas } from "./kinds.ts";
export {
  type ArtifactRule,
  artifactRule,
  type Layout,
  type LayoutInspection,
  type LayoutStep,
  layout,
  layoutInspection,
  layoutStep,
} from "./layout.ts";
export { lintPolicyDocument, type PolicyLintOptions } from "./lint.ts";
export type { ExpressionCompiler, LintedExpression } from "./lint-expressions.ts";
export { type PolicyLintFinding, type PolicyLintRule, policyLintRules } from "./lint-rules.ts";
export {
  celName,
  type DecisionPoint,
  decisionPoints,
  type Functionary,
  functionary,
  type Policy,
  type PolicyMode,
  type PolicyParameter,
  type PolicyRule,
  policy,
  policyModes,
  policyRule,
  type WantedAttestation,
} from "./policy.ts";
export { type PolicySet, policySet } from "./policy-set.ts";
export { type PolicyTest, policyTest } from "./policy-test.ts";
export { type PolicyReading, type ReadPolicyOptions, readPolicyDocument } from "./read-document.ts";
export { type AnyPolicyDocument, policyDocumentText } from "./write-document.ts";
