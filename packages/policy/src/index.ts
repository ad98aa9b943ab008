export { type CompileOptions, compileExpression } from "./cel/compile.ts";
export type { Evaluation, EvaluationLimits, Expression, SubExpressionValue } from "./cel/evaluation.ts";
export type { VariableInput } from "./cel/runtime/conversion.ts";
export { type PreparedVariables, prepareVariables } from "./cel/runtime/inputs.ts";
export { mapOfValues } from "./cel/runtime/maps.ts";
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
export { chainFacts } from "./engine/chain-facts.ts";
export { decide } from "./engine/decide.ts";
export { engineErrors } from "./engine/errors.ts";
export { exceptionSignerProblem } from "./engine/exceptions.ts";
export { checkSet, type SetOwners, type SetQuestion } from "./engine/policy-set.ts";
export { assertDecided, decideWithStated, type StatedInput, type StatedStatement } from "./engine/stated.ts";
export { ENGINE_VERSION } from "./engine/version.ts";
export { decisionJson } from "./explain/decision-json.ts";
export { explainMarkdown } from "./explain/markdown.ts";
export { explainTree, type TreeOptions } from "./explain/tree.ts";
export { libraryErrors } from "./from-run/errors.ts";
export type { GoodRun } from "./from-run/layout-from-run.ts";
export { type FromRunOptions, type PolicyFromRun, policyFromRun } from "./from-run/policy-from-run.ts";
export { testFromRun } from "./from-run/test-from-run.ts";
export { type Artifacts, filesOnly } from "./layout/artifacts.ts";
export { layoutProblems } from "./layout/check-layout.ts";
export {
  type LayoutParameters,
  stepLinkOfClassic,
  substituteParameters,
} from "./layout/classic.ts";
export { layoutErrors } from "./layout/errors.ts";
export { judgeLayout } from "./layout/judge-layout.ts";
export type {
  ConsideredLink,
  LayoutJudgement,
  LayoutQuestion,
  LayoutSource,
  RuleEvaluator,
  StepJudgement,
} from "./layout/judgement.ts";
export { linksOf, type StepLink } from "./layout/step-link.ts";
export type { Collection, NotYet } from "./library/collection.ts";
export { collections, libraryRules, rulesAt, rulesOf } from "./library/collections.ts";
export { DEFAULT_COLLECTION, defaultPolicies, pinned, plainRule } from "./library/default-policies.ts";
export { type LevelTrust, policiesOfCollection } from "./library/level-policies.ts";
export { libraryPage } from "./library/library-page.ts";
export type { LibraryParameter, LibraryRule } from "./library/library-rule.ts";
export {
  type CallerFacts,
  type DependencyFacts,
  type DeployFacts,
  type ImageFacts,
  type PointFacts,
  type PublishFacts,
  type RunRequestFacts,
  requestOf,
  type StepFacts,
} from "./library/request-facts.ts";
export type { Change } from "./replay/change.ts";
export { diffLayouts } from "./replay/diff-layouts.ts";
export { diffPolicies } from "./replay/diff-policies.ts";
export { diffSets } from "./replay/diff-sets.ts";
export { type Candidate, type RecordedDecision, type Replayed, replayDecision } from "./replay/replay.ts";
export { type PolicyTestResult, runPolicyTest } from "./test-runner/run-policy-test.ts";
export type { TestSetting } from "./test-runner/stated-case.ts";
