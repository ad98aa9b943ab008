import type { CelValue } from "../value.ts";
import { type VariableInput, valueOf } from "./conversion.ts";

/** Variables converted once, for many expressions over the same documents. */
export class PreparedVariables {
  readonly #inputs: Readonly<Record<string, VariableInput | undefined>>;
  readonly #base: PreparedVariables | undefined;
  readonly #values = new Map<string, CelValue>();

  constructor(inputs: Readonly<Record<string, VariableInput | undefined>>, base?: PreparedVariables) {
    this.#inputs = inputs;
    this.#base = base;
  }

  /** The same variables, and more: those given here hide those before. */
  with(inputs: Readonly<Record<string, VariableInput | undefined>>): PreparedVariables {
    return new PreparedVariables(inputs, this);
  }

  /** The same variables, and values of earlier evaluations, as they are: a list of doubles stays one. */
  withValues(values: Readonly<Record<string, CelValue>>): PreparedVariables {
    const prepared = new PreparedVariables({}, this);
    for (const [name, value] of Object.entries(values)) prepared.#values.set(name, value);
    return prepared;
  }

  /** The value of a variable; undefined where none was given. */
  get(name: string): CelValue | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const input = Object.hasOwn(this.#inputs, name) ? this.#inputs[name] : undefined;
    if (input === undefined) return this.#base?.get(name);
    const value = valueOf(input);
    this.#values.set(name, value);
    return value;
  }
}

/** Converts variables for many evaluations: each at its first use, and once. */
export function prepareVariables(inputs: Readonly<Record<string, VariableInput | undefined>>): PreparedVariables {
  return new PreparedVariables(inputs);
}
