export { type AppliedVex, applyVex, type WithoutEffect } from "./apply-vex.ts";
export { vexErrors } from "./errors.ts";
export { readVex } from "./read-vex.ts";
export {
  type VexDocument,
  type VexJustification,
  type VexProduct,
  type VexStatement,
  type VexStatus,
  vexJustifications,
} from "./statement.ts";
export { type VexDraft, type VexFormat, vexFormats, writeVex } from "./write-vex.ts";
