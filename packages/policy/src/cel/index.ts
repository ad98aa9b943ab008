export { type CompileOptions, compileExpression } from "./compile.ts";
export type { Evaluation, EvaluationLimits, Expression, SubExpressionValue } from "./evaluation.ts";
export type { VariableInput } from "./runtime/conversion.ts";
export { PreparedVariables, prepareVariables } from "./runtime/inputs.ts";
export { type MapEntry, mapOfEntries, mapOfValues } from "./runtime/maps.ts";
export { shortText } from "./runtime/text.ts";
export { Duration, Optional, Timestamp, TypeValue, Uint } from "./runtime/values.ts";
export type { CelInput, CelValue } from "./value.ts";
