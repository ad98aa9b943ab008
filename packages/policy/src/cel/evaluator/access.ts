import { placeOf } from "../functions/relations.ts";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { filedKey, MapValue } from "../runtime/maps.ts";
import { typeOf } from "../runtime/types.ts";
import { isList, none, Optional } from "../runtime/values.ts";
import type { Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";

/** `operand.name`. */
export function fieldOf(operand: CelValue, name: string, at: Span): CelValue {
  if (operand instanceof MapValue) {
    const value = operand.field(name);
    return value === undefined ? noField(name, at) : value;
  }
  if (operand instanceof Optional) return optionalField(operand, name, at);
  return raise("CEL_NO_SUCH_OVERLOAD", `${typeOf(operand)} has no fields; \`${name.slice(0, 100)}\` was asked for`, at);
}

function noField(name: string, at: Span): never {
  return raise("CEL_NO_SUCH_FIELD", `no such field: \`${name.length > 100 ? `${name.slice(0, 100)}…` : name}\``, at);
}

/** `operand.?name`. */
export function optionalField(operand: CelValue, name: string, at: Span): Optional {
  if (operand instanceof Optional) return operand.value === undefined ? none : optionalField(operand.value, name, at);
  if (!(operand instanceof MapValue)) {
    return raise(
      "CEL_NO_SUCH_OVERLOAD",
      `${typeOf(operand)} has no fields; \`${name.slice(0, 100)}\` was asked for`,
      at,
    );
  }
  const value = operand.field(name);
  return value === undefined ? none : new Optional(value);
}

/** `has(operand.name)`. */
export function hasField(operand: CelValue, name: string, at: Span): boolean {
  return optionalField(operand, name, at).value !== undefined;
}

/** `operand[index]`. */
export function elementOf(frame: Frame, operand: CelValue, index: CelValue, at: Span): CelValue {
  frame.at = at;
  if (operand instanceof Optional) return optionalElement(frame, operand, index, at);
  const value = found(frame, operand, index, at);
  if (value !== undefined) return value;
  if (isList(operand)) {
    return raise("CEL_INDEX", `the list has ${operand.length} elements; ${String(placeOf(frame, index))} is none`, at);
  }
  return noField(typeof index === "string" ? index : (filedKey(index) ?? "").slice(1), at);
}

/** `operand[?index]`. */
export function optionalElement(frame: Frame, operand: CelValue, index: CelValue, at: Span): Optional {
  frame.at = at;
  if (operand instanceof Optional) {
    return operand.value === undefined ? none : optionalElement(frame, operand.value, index, at);
  }
  const value = found(frame, operand, index, at);
  return value === undefined ? none : new Optional(value);
}

function found(frame: Frame, operand: CelValue, index: CelValue, at: Span): CelValue | undefined {
  if (operand instanceof MapValue) {
    if (typeof index === "string") return operand.field(index);
    if (filedKey(index) === undefined && typeof index !== "number") {
      return raise("CEL_NO_SUCH_OVERLOAD", `a map has no keys of type ${typeOf(index)}`, at);
    }
    return operand.lookup(index);
  }
  if (!isList(operand)) return raise("CEL_NO_SUCH_OVERLOAD", `${typeOf(operand)} has no elements`, at);
  const place = placeOf(frame, index);
  return place < 0 ? undefined : operand[place];
}
