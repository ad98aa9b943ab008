export type {
  Advisory,
  AdvisoryDatabase,
  AdvisorySeverity,
  AffectedPackage,
  AffectedRange,
  Exploitation,
  RangeEvent,
} from "./advisory.ts";
export {
  type ChangedAdvisory,
  type ChangedPackage,
  changedPackages,
  type DatabaseChanges,
  databaseChanges,
} from "./database/changes.ts";
export {
  type AdvisorySourceInput,
  type CompiledDatabase,
  type CompileOptions,
  compileDatabase,
} from "./database/compile.ts";
export { advisoryDatabaseErrors } from "./database/errors.ts";
export type { RecordLoss, SourcePart } from "./database/footer.ts";
export { type CompiledAdvisoryDatabase, type OpenDatabaseOptions, openAdvisoryDatabase } from "./database/open.ts";
export type { SourceFailure } from "./database/write-sources.ts";
export { advisoryErrors } from "./errors.ts";
export { days, refuseStale, type SourceAge, sourceAges } from "./feeds/age.ts";
export {
  type AdvisoryConfiguration,
  type AdvisoryPlace,
  advisoryPlace,
  advisorySources,
  type ConfiguredSource,
  parseAdvisoryConfiguration,
} from "./feeds/configuration.ts";
export { advisoryFeedErrors } from "./feeds/errors.ts";
export { type FeedAnswer, type FeedRequest, type FetchFeed, fetchFeed } from "./feeds/fetch-feed.ts";
export {
  adoptDatabase,
  type OpenAdvisories,
  type OpenAdvisoriesOptions,
  openAdvisories,
} from "./feeds/open-advisories.ts";
export {
  type AdvisoryState,
  chooseDatabase,
  databaseBundlePath,
  databasePath,
  type KeptDatabase,
  keptDatabases,
  pruneDatabases,
  readAdvisoryState,
} from "./feeds/state.ts";
export { advisoryDatabasePredicate, databaseStatement } from "./feeds/statement.ts";
export {
  type AdvisoryUpdate,
  importAdvisories,
  signDatabase,
  type UpdateOptions,
  updateAdvisories,
} from "./feeds/update.ts";
export {
  type ComparedFinding,
  compareScans,
  type ForeignFinding,
  type ForeignPackage,
  type ForeignScan,
  foreignErrors,
  readForeignScan,
  type ScanComparison,
} from "./foreign/index.ts";
export { decideScan, type ScanContext, scanRefusal } from "./gate/decide-scan.ts";
export { type ScanGateCode, scanGateErrors } from "./gate/errors.ts";
export { advisorySourceErrors } from "./importers/errors.ts";
export { type AdvisorySourceKind, advisorySourceKinds } from "./importers/importer.ts";
export { type AffectedVersions, type Affection, isAffected } from "./matching/affected.ts";
export { matchErrors } from "./matching/errors.ts";
export { compareFindings, type Matches, type MatchOptions, matchSbom } from "./matching/match.ts";
export { type MemoryDatabaseContent, memoryDatabase } from "./matching/memory-database.ts";
export { ecosystemBase, lookupName } from "./matching/names.ts";
export { rematch } from "./matching/rematch.ts";
export {
  scanHtml,
  scanJson,
  scanJunit,
  scanMarkdown,
  scanSarif,
  scanTable,
  type TableMark,
  type TableOptions,
} from "./reports/index.ts";
export { cvssErrors } from "./severity/errors.ts";
export {
  type CvssScore,
  compareSeverityClasses,
  cvssScore,
  readSeverity,
  severityClass,
} from "./severity/severity.ts";
export { compareVersions } from "./versions/compare.ts";
export { versionErrors } from "./versions/errors.ts";
export { isComparable } from "./versions/schemes.ts";
export {
  type AppliedVex,
  applyVex,
  readVex,
  type VexDocument,
  type VexDraft,
  type VexFormat,
  type VexJustification,
  type VexProduct,
  type VexStatement,
  type VexStatus,
  vexErrors,
  vexFormats,
  vexJustifications,
  type WithoutEffect,
  writeVex,
} from "./vex/index.ts";
