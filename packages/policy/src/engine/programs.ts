import type { Expression } from "../cel/evaluation.ts";
import { compileExpression } from "../cel/index.ts";

/** Variables that every expression of a policy may read. */
export const ruleVariables = [
  "attestations",
  "chain",
  "layout",
  "now",
  "params",
  "request",
  "subject",
  "vars",
] as const;

/** Most characters of expressions whose programs are kept. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

/**
 * Programs by the text of their expressions and the names that they may read, which is all that compiling depends on:
 * a document that comes under another one's digest cannot borrow its programs. What was used longest ago goes first.
 */
export class Programs {
  readonly #kept = new Map<string, Expression>();
  #characters = 0;
  readonly #most: number;

  constructor(most = MAX_CHARACTERS) {
    this.#most = most;
  }

  /** @throws as the compiler does */
  compile(source: string, variables: readonly string[] = ruleVariables): Expression {
    const key = variables === ruleVariables ? source : `${variables.join(" ")}\n${source}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      // While there is room, it does not matter which was used last.
      if (this.#characters > this.#most / 2) {
        this.#kept.delete(key);
        this.#kept.set(key, known);
      }
      return known;
    }
    const compiled = compileExpression(source, { variables });
    this.#kept.set(key, compiled);
    this.#characters += key.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#most) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
    return compiled;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }
}

/** Kept between decisions. It holds programs alone, so that no decision can tell whether it was first. */
export const programs = new Programs();
