import {
  type CelValue,
  compileExpression,
  Duration,
  mapOfEntries,
  prepareVariables,
  Timestamp,
  TypeValue,
  Uint,
} from "@touchmark/policy/cel";
import type { SpelledValue } from "./vector.ts";

/** The value that a vector spells; undefined where it is a message of protobuf or an enumeration of one. */
export function valueOf(spelled: SpelledValue): CelValue | undefined {
  if ("nullValue" in spelled) return null;
  if (spelled.boolValue !== undefined) return spelled.boolValue;
  if (spelled.int64Value !== undefined) return BigInt(spelled.int64Value);
  if (spelled.uint64Value !== undefined) return new Uint(BigInt(spelled.uint64Value));
  if (spelled.doubleValue !== undefined) return Number(spelled.doubleValue);
  if (spelled.stringValue !== undefined) return spelled.stringValue;
  if (spelled.bytesValue !== undefined) return Uint8Array.from(Buffer.from(spelled.bytesValue, "base64"));
  if (spelled.typeValue !== undefined) return new TypeValue(spelled.typeValue);
  if (spelled.listValue !== undefined) return listOf(spelled.listValue.values ?? []);
  if (spelled.mapValue !== undefined) return mapOf(spelled.mapValue.entries ?? []);
  return spelled.objectValue === undefined ? undefined : timeOf(spelled.objectValue);
}

function listOf(values: readonly SpelledValue[]): CelValue | undefined {
  const list = values.map(valueOf);
  return list.every((value) => value !== undefined) ? list : undefined;
}

function mapOf(entries: readonly { readonly key: SpelledValue; readonly value: SpelledValue }[]): CelValue | undefined {
  const made = entries.flatMap(({ key, value }) => {
    const [keyValue, held] = [valueOf(key), valueOf(value)];
    return keyValue === undefined || held === undefined ? [] : [{ key: keyValue, value: held }];
  });
  return made.length === entries.length ? mapOfEntries(made) : undefined;
}

function timeOf(message: { readonly "@type"?: string; readonly value?: string }): CelValue | undefined {
  const type = message["@type"]?.replace("type.googleapis.com/google.protobuf.", "") ?? "";
  const text = message.value ?? "";
  if (type !== "Timestamp" && type !== "Duration") return undefined;
  const made = compileExpression(`${type.toLowerCase()}(text)`, { variables: ["text"] }).evaluate({ text });
  return made.outcome.kind === "value" ? made.outcome.value : undefined;
}

/** Whether two values are the same, type for type; NaN is the same as NaN, and -0 as 0. */
export function isSame(left: CelValue, right: CelValue): boolean {
  return spelling(left) === spelling(right);
}

function spelling(value: CelValue): string {
  if (typeof value === "bigint") return `int ${value}`;
  if (typeof value === "number") return `double ${value}`;
  if (typeof value === "string" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((element: CelValue) => spelling(element)).join()}]`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Uint) return `uint ${value.value}`;
  if (value instanceof TypeValue) return `type ${value.name}`;
  if (value instanceof Timestamp || value instanceof Duration) return `${value.cel} ${value.nanoseconds}`;
  if (!("cel" in value)) return "?";
  if (value.cel === "map") {
    const entries = [...value.entries.values()].map(({ key, value: held }) => `${spelling(key)}:${spelling(held)}`);
    return `{${entries.sort().join()}}`;
  }
  return value.cel === "optional" && value.value !== undefined ? `optional ${spelling(value.value)}` : value.cel;
}

/** Variables of a vector; undefined where one is a message. */
export function bindingsOf(
  bindings: Readonly<Record<string, { readonly value?: SpelledValue }>>,
): ReturnType<typeof prepareVariables> | undefined {
  const values = Object.entries(bindings).map(([name, { value }]) => [name, valueOf(value ?? {})] as const);
  const known = values.filter((entry): entry is readonly [string, CelValue] => entry[1] !== undefined);
  return known.length === values.length ? prepareVariables({}).withValues(Object.fromEntries(known)) : undefined;
}
