export type { AdvisoryChoice } from "./advisory-place.ts";
export { attestForeignScan } from "./foreign-evidence.ts";
export { imageTree } from "./image-tree.ts";
export {
  forgetVex,
  type IgnoredVex,
  type KeptVex,
  keepVex,
  keptVex,
  type VexScope,
  vexFor,
} from "./kept-vex.ts";
export { scanSettingsOfHome } from "./of-home.ts";
export { type RescannedArtifact, type RescanOptions, rescanArtifacts } from "./rescan.ts";
export { type CatalogueRequest, catalogueTree, decideAll, type ScanOptions, scanSbom } from "./scan.ts";
export { parseScanConfiguration, readScanConfiguration, type ScanConfiguration } from "./scan-configuration.ts";
export { type StoredSbom, sbomOfArtifact } from "./stored-sbom.ts";
