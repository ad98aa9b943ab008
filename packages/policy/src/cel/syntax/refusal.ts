import { celErrors } from "../errors.ts";

/** A refusal of the text, with line and column. */
export function syntaxError(source: string, offset: number, message: string): Error {
  const before = source.slice(0, offset).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  return celErrors.make("CEL_SYNTAX", `line ${before.length}, column ${column}: ${message}`);
}
