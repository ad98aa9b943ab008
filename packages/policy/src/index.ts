export type { Evaluation, EvaluationLimits, Expression, SubExpressionValue } from "./cel/evaluation.ts";
export type { CelInput, CelValue } from "./cel/value.ts";
export type {
  ConsideredAttestation,
  Decision,
  DecisionInput,
  DecisionLimits,
  DecisionSubject,
  Denial,
  DenialCode,
  InspectionResult,
  Pinned,
  PolicyVerdict,
  RuleResult,
} from "./decision.ts";
