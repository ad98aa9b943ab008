export { stepReportErrors } from "./errors.ts";
export { readStepReport, reportBytes } from "./read-report.ts";
export type { ReadReport } from "./report.ts";
