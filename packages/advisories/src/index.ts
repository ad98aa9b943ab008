export type {
  Advisory,
  AdvisoryDatabase,
  AdvisorySeverity,
  AffectedPackage,
  AffectedRange,
  Exploitation,
  RangeEvent,
} from "./advisory.ts";
export { advisoryErrors } from "./errors.ts";
export { decideScan, type ScanContext, scanRefusal } from "./gate/decide-scan.ts";
export { type ScanGateCode, scanGateErrors } from "./gate/errors.ts";
