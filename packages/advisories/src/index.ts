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
