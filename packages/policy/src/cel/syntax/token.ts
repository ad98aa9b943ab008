import type { CelValue } from "../value.ts";

/** What a token is: `op` for every operator and bracket, whose text tells which. */
export type TokenKind = "name" | "quoted" | "literal" | "op" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** Of a literal. */
  readonly value?: CelValue;
  /** Magnitude of a whole number, before its sign and its range are known. */
  readonly magnitude?: bigint;
}
