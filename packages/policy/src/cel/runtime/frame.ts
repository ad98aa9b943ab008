import type { EvaluationLimits } from "../evaluation.ts";
import type { Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";
import { raise } from "./fault.ts";
import type { PreparedVariables } from "./inputs.ts";

/** Bounds that hold where the caller names none. */
export const defaultLimits: EvaluationLimits = { cost: 1_000_000, memory: 4 * 1024 * 1024 };

/** One evaluation: its variables, what it has spent, and where it stands. */
export class Frame {
  /** Variables by number: the declared ones first, those of macros after. */
  readonly slots: (CelValue | undefined)[];
  /** The call under way: where a fault lies. */
  at: Span | undefined = undefined;
  cost = 0;
  memory = 0;
  readonly #variables: PreparedVariables;
  readonly #costLimit: number;
  readonly #memoryLimit: number;

  constructor(slots: number, variables: PreparedVariables, limits: EvaluationLimits) {
    this.slots = new Array<CelValue | undefined>(slots).fill(undefined);
    this.#variables = variables;
    this.#costLimit = limits.cost;
    this.#memoryLimit = limits.memory;
  }

  /** Steps, or elements touched. */
  spend(steps: number): void {
    this.cost += steps;
    if (this.cost > this.#costLimit) raise("CEL_COST", `took more than ${this.#costLimit} steps`, this.at);
  }

  /** Characters touched: ten are a step. */
  read(characters: number): void {
    this.spend(1 + Math.ceil(characters / 10));
  }

  /** Characters, bytes and elements about to be made; asked before they are. */
  hold(units: number): void {
    this.memory += units;
    if (this.memory > this.#memoryLimit) {
      raise("CEL_MEMORY", `made values of more than ${this.#memoryLimit} characters and elements`, this.at);
    }
    this.spend(1 + Math.ceil(units / 10));
  }

  /** The value of a declared variable, at its first use. */
  load(slot: number, name: string, at: Span): CelValue {
    const value = this.#variables.get(name);
    if (value === undefined) raise("CEL_VARIABLE_MISSING", `the variable \`${name}\` was given no value`, at);
    this.slots[slot] = value;
    return value;
  }
}

/** A compiled part of an expression. */
export type Run = (frame: Frame) => CelValue;
