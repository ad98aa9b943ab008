import { vexErrors } from "./errors.ts";

/** Reading of JSON members, strictly: what is there must be what the specification says. */
export type JsonObject = { readonly [name: string]: unknown };

export function malformed(expected: string, found: unknown): Error {
  const shown = found === undefined ? "nothing" : (JSON.stringify(found)?.slice(0, 80) ?? typeof found);
  return vexErrors.make("VEX_MALFORMED", `expected ${expected}, found ${shown}`);
}

export function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(what, value);
  return value as JsonObject;
}

/** A list; empty when absent. */
export function listOf(value: unknown, what: string, most = 100_000): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(`a list of ${what}`, value);
  if (value.length > most)
    throw vexErrors.make("VEX_TOO_LARGE", `expected at most ${most} ${what}, found ${value.length}`);
  return value;
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "" || value.length > 16_384) throw malformed(what, value);
  return value;
}

export function optionalText(value: unknown, what: string): string | undefined {
  return value === undefined || value === "" ? undefined : textOf(value, what);
}

export function oneOfText<T extends string>(value: unknown, values: readonly T[], what: string): T {
  const found = textOf(value, what);
  if (!values.includes(found as T)) throw malformed(`${what}: ${values.join(", ")}`, found);
  return found as T;
}

/** A time that exists, as RFC 3339. */
export function timeOf(value: unknown, what: string): string {
  const text = textOf(value, what);
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(text) || Number.isNaN(Date.parse(text))) throw malformed(what, text);
  return new Date(text).toISOString();
}
