import { advisoryErrors } from "../errors.ts";
import { advisorySourceErrors } from "./errors.ts";

/** An object of a parsed document. */
export type Members = Readonly<Record<string, unknown>>;

// Control characters, those that make text look other than it is, and halves of characters.
const strange = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/;
const dateShape = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?$/;

/** @throws ADVISORY_MALFORMED */
export function wrong(expected: string): never {
  throw advisoryErrors.make("ADVISORY_MALFORMED", `expected ${expected}`);
}

/** An object, not a list. @throws ADVISORY_MALFORMED */
export function object(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(`${what} to be an object`);
  return value as Members;
}

/** An object, or an empty one where there is none. @throws ADVISORY_MALFORMED */
export function optionalObject(value: unknown, what: string): Members {
  return value === undefined || value === null ? {} : object(value, what);
}

/** A list of at most `limit`; absent is empty. @throws ADVISORY_MALFORMED | ADVISORY_RECORD_TOO_LARGE */
export function list(value: unknown, what: string, limit: number): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return wrong(`${what} to be a list`);
  if (value.length > limit) {
    throw advisorySourceErrors.make(
      "ADVISORY_RECORD_TOO_LARGE",
      `expected at most ${limit} ${what}, found ${value.length}`,
    );
  }
  return value;
}

/** Text of a name, a version or an id: bounded, without what would draw on a screen. @throws ADVISORY_NAME_INVALID */
export function name(value: unknown, what: string, limit = 512): string {
  if (typeof value !== "string" || value === "" || value.length > limit || value.trim() !== value) {
    throw advisorySourceErrors.make(
      "ADVISORY_NAME_INVALID",
      `expected ${what} of 1 to ${limit} characters, found ${show(value)}`,
    );
  }
  if (strange.test(value) || !value.isWellFormed()) {
    throw advisorySourceErrors.make(
      "ADVISORY_NAME_INVALID",
      `expected ${what} of printable characters, found ${show(value)}`,
    );
  }
  return value;
}

/** Text for people: one line, bounded, strange characters left out. */
export function prose(value: unknown, limit: number): string {
  if (typeof value !== "string") return "";
  const line = value
    .slice(0, limit * 4)
    .replace(/\s+/g, " ")
    .trim()
    .toWellFormed();
  const clean = strange.test(line) ? line.replace(new RegExp(strange, "g"), "") : line;
  return clean.length > limit
    ? `${clean
        .slice(0, limit - 1)
        .toWellFormed()
        .replace(/\ufffd$/, "")}…`
    : clean;
}

/** A date or time as RFC 3339 in UTC with seconds. @throws ADVISORY_MALFORMED */
export function moment(value: unknown, what: string): string {
  if (typeof value !== "string" || !dateShape.test(value)) return wrong(`${what} to be a date, found ${show(value)}`);
  const zoned = /[Tt ]/.test(value) && !/(?:[Zz]|[+-]\d\d:?\d\d)$/.test(value) ? `${value}Z` : value;
  const at = new Date(zoned.replace(" ", "T").toUpperCase());
  if (Number.isNaN(at.getTime())) return wrong(`${what} to be a date, found ${show(value)}`);
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** As `moment`, undefined where there is none. @throws ADVISORY_MALFORMED */
export function optionalMoment(value: unknown, what: string): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : moment(value, what);
}

/** Addresses of references that may be shown: http and https, bounded. */
export function webAddresses(values: readonly unknown[], limit = 16): readonly string[] {
  const kept = new Set<string>();
  for (const value of values) {
    if (kept.size >= limit) break;
    if (typeof value === "string" && value.length <= 1000 && /^https?:\/\/[^\s"<>\\^`{|}]+$/.test(value)) {
      if (!strange.test(value) && value.isWellFormed()) kept.add(value);
    }
  }
  return [...kept];
}

/** What was found, short and on one line. */
export function show(value: unknown): string {
  return (JSON.stringify(typeof value === "string" ? value.slice(0, 80) : value) ?? "nothing")
    .slice(0, 100)
    .replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "?");
}
