import type { CelValue } from "../value.ts";
import { MapValue } from "./maps.ts";
import { Duration, isList, Optional, Timestamp, TypeValue, Uint } from "./values.ts";

/** Names of the types that an expression may name as values. */
export const typeNames: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "google.protobuf.Duration",
  "google.protobuf.Timestamp",
  "int",
  "list",
  "map",
  "null_type",
  "optional_type",
  "string",
  "type",
  "uint",
]);

/** Name of the type of a value. */
export function typeOf(value: CelValue): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
      return value === null ? "null_type" : typeOfObject(value);
  }
}

function typeOfObject(value: CelValue & object): string {
  if (isList(value)) return "list";
  if (value instanceof MapValue) return "map";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Uint) return "uint";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Optional) return "optional_type";
  if (value instanceof TypeValue) return "type";
  return "map";
}
