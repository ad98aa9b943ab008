export type { Decide, EvidenceSource, VerifiedEvidence } from "./evidence-source.ts";
export type {
  AdmissionContext,
  AdmissionFacts,
  AdmissionFailure,
  AdmissionGate,
  AdmissionVerdict,
  UsedBreakGlass,
} from "./gate/types.ts";
