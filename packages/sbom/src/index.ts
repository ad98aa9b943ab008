export { allCatalogers } from "./catalogers/index.ts";
export type {
  Cataloger,
  CatalogueContext,
  CollectedFile,
  FileFacts,
  Found,
  FoundComponent,
} from "./catalogue/cataloger.ts";
export { type CatalogueOptions, catalogue } from "./catalogue/catalogue.ts";
export {
  type ComparedComponent,
  type ComparedEdge,
  type ComponentChange,
  compareSboms,
  type DocumentProblem,
  isSameSbom,
  isSbomFormat,
  type MergeOptions,
  mergeSboms,
  type ReadSbom,
  readSbom,
  type SbomDifference,
  type SbomFormat,
  sbomDocumentErrors,
  sbomFormats,
  sbomMediaTypes,
  type WrittenSbom,
  writeSbom,
} from "./documents/index.ts";
export { sbomErrors } from "./errors.ts";
export { judgeLicences, normaliseDeclared } from "./licences/index.ts";
export { openDirectoryTree } from "./sources/directory-tree.ts";
export type { LayerEntryLike, TreeLayer } from "./sources/entry.ts";
export { sourceErrors } from "./sources/errors.ts";
export { openFileTree } from "./sources/file-tree.ts";
export { openLayersTree } from "./sources/layers-tree.ts";
export { defaultTreeLimits, type TreeLimits } from "./sources/limits.ts";
export type { DeletedFile, ScannedTree } from "./sources/scanned-tree.ts";
