export {
  type ComparedComponent,
  type ComparedEdge,
  type ComponentChange,
  compareSboms,
  isSameSbom,
  type SbomDifference,
} from "./compare.ts";
export { sbomDocumentErrors } from "./errors.ts";
export { isSbomFormat, type SbomFormat, sbomFormats, sbomMediaTypes } from "./formats.ts";
export { type MergeOptions, mergeSboms } from "./merge.ts";
export type { DocumentProblem } from "./problems.ts";
export { type ReadSbom, readSbom } from "./read.ts";
export { type WrittenSbom, writeSbom } from "./write.ts";
