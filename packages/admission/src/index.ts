export type { Decide, EvidenceSource, VerifiedEvidence } from "./evidence-source.ts";
