import { sbomDocumentErrors } from "./errors.ts";

/** An object of an untrusted document. */
export type Members = Readonly<Record<string, unknown>>;

/** @throws SBOM_DOCUMENT_MALFORMED */
export function members(value: unknown, where: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "an object", value);
  return value as Members;
}

/** The same, undefined where nothing stands. @throws SBOM_DOCUMENT_MALFORMED */
export function optionalMembers(value: unknown, where: string): Members | undefined {
  return value === undefined || value === null ? undefined : members(value, where);
}

/** @throws SBOM_DOCUMENT_MALFORMED */
export function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw wrong(where, "text", value);
  return value;
}

/** @throws SBOM_DOCUMENT_MALFORMED */
export function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, where);
}

/** A list, empty where nothing stands. @throws SBOM_DOCUMENT_MALFORMED */
export function list(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(where, "a list", value);
  return value;
}

/** Objects of a list. @throws SBOM_DOCUMENT_MALFORMED */
export function objects(value: unknown, where: string): readonly Members[] {
  return list(value, where).map((item, index) => members(item, `${where}[${index}]`));
}

/** @throws SBOM_DOCUMENT_MALFORMED */
export function texts(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item, index) => text(item, `${where}[${index}]`));
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const written = JSON.stringify(value) ?? typeof value;
  return written.length > 80 ? `${written.slice(0, 80)}…` : written;
}

export function wrong(where: string, expected: string, value: unknown) {
  return sbomDocumentErrors.make(
    "SBOM_DOCUMENT_MALFORMED",
    `${where.slice(0, 200)}: expected ${expected}, found ${shown(value)}`,
  );
}
