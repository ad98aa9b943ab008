import { type Json, parseJson } from "@touchmark/core";
import type { CollectedFile } from "../catalogue/cataloger.ts";
import { sbomErrors } from "../errors.ts";

/** An object of a JSON document. */
export type JsonObject = { readonly [name: string]: Json };

const largest = 64 * 1024 * 1024;
const longestText = 4096;

/** A JSON document that is an object. @throws SBOM_FILE_TOO_LARGE | SBOM_FILE_MALFORMED | JSON_* */
export function readJsonObject(file: CollectedFile): JsonObject {
  const bytes = file.bytes(largest);
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const value = parseJson(hasMark ? bytes.subarray(3) : bytes, { maxBytes: largest });
  if (!isObject(value)) throw fileMalformed("expected a JSON object");
  return value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object of that name; an empty one where there is none. @throws SBOM_FILE_MALFORMED for another value */
export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = memberOf(object, name);
  // PHP writes an empty object as an empty list.
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return {};
  if (!isObject(value)) throw fileMalformed(`expected ${name} as an object`);
  return value;
}

/** The list of that name; an empty one where there is none. @throws SBOM_FILE_MALFORMED for another value */
export function listIn(object: JsonObject, name: string, limit = 200_000): readonly Json[] {
  const value = memberOf(object, name) ?? [];
  if (!Array.isArray(value) || value.length > limit) {
    throw fileMalformed(`expected ${name} as a list of at most ${limit}`);
  }
  return value;
}

/** The text of that name; undefined for anything else, for an empty and for an endless one. */
export function textIn(object: JsonObject, name: string): string | undefined {
  const value = memberOf(object, name);
  return typeof value === "string" && value !== "" && value.length <= longestText ? value : undefined;
}

function memberOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function fileMalformed(message: string) {
  return sbomErrors.make("SBOM_FILE_MALFORMED", message);
}
