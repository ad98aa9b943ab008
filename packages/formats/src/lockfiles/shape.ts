import { lockfileErrors } from "./errors.ts";

/** A mapping of an untrusted document. */
export type Members = Readonly<Record<string, unknown>>;

/** Answers a value that must be a mapping. @throws LOCKFILE_MALFORMED */
export function members(value: unknown, where: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "a mapping", value);
  return value as Members;
}

/** The same, empty where nothing stands. @throws LOCKFILE_MALFORMED */
export function optionalMembers(value: unknown, where: string): Members {
  return value === undefined || value === null ? {} : members(value, where);
}

/** @throws LOCKFILE_MALFORMED */
export function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw wrong(where, "text", value);
  return value;
}

/** @throws LOCKFILE_MALFORMED */
export function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined ? undefined : text(value, where);
}

/** @throws LOCKFILE_MALFORMED */
export function flag(value: unknown, where: string): boolean {
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw wrong(where, "true or false", value);
  return value;
}

/** A list, empty where nothing stands. @throws LOCKFILE_MALFORMED */
export function list(value: unknown, where: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(where, "a list", value);
  return value;
}

/** @throws LOCKFILE_MALFORMED */
export function texts(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item) => text(item, where));
}

/** A mapping of text to text. @throws LOCKFILE_MALFORMED */
export function textMembers(value: unknown, where: string): Readonly<Record<string, string>> {
  const found = optionalMembers(value, where);
  for (const [key, item] of Object.entries(found)) text(item, `${where}.${key}`);
  return found as Readonly<Record<string, string>>;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const written = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value);
  return written.length > 80 ? `${written.slice(0, 80)}…` : written;
}

export function wrong(where: string, expected: string, value: unknown) {
  return lockfileErrors.make(
    "LOCKFILE_MALFORMED",
    `${where.slice(0, 200)}: expected ${expected}, found ${shown(value)}`,
  );
}
