export { type ComparedFinding, compareScans, type ScanComparison } from "./compare-scans.ts";
export { foreignErrors } from "./errors.ts";
export type { ForeignFinding, ForeignPackage, ForeignScan } from "./foreign-scan.ts";
export { readForeignScan } from "./read-foreign.ts";
