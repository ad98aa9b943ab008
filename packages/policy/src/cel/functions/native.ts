import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { typeOf } from "../runtime/types.ts";
import type { CelValue } from "../value.ts";

/** A function of the language. A method's target is its first argument; those beyond its number are null. */
export type Native = (frame: Frame, a: CelValue, b: CelValue, c: CelValue, d: CelValue) => CelValue;

/**
 * Functions by name and number of arguments: `size/1`; methods with a dot before, their target not counted: `.size/0`;
 * `name/*` takes any number, as one list.
 */
export type NativeTable = readonly (readonly [string, Native])[];

/** Raises: the function does not take values of these types. */
export function noOverload(frame: Frame, name: string, ...values: readonly CelValue[]): never {
  const types = values.map(typeOf).join(", ");
  return raise("CEL_NO_SUCH_OVERLOAD", `\`${name}\` does not take (${types})`, frame.at);
}
