export { exception, type PolicyException } from "./exception.ts";
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
