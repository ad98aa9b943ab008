export type {
  Finding,
  FindingDecision,
  FindingEvidence,
  FixAdvice,
  FixState,
  Severity,
  SeverityClass,
} from "./finding.ts";
export type {
  LicenceRules,
  ScanException,
  ScanGatePolicy,
  SeverityThreshold,
  Strictness,
  VulnerabilityRules,
} from "./gate-policy.ts";
export type {
  AdvisoryDataFacts,
  LicenceClass,
  LicenceFinding,
  NotEvaluated,
  ReportKind,
  ScanGateResult,
  ScanResult,
  ScanRuleResult,
} from "./scan.ts";
