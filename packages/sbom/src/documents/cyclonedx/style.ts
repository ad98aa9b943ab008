import { sha256 } from "@touchmark/core";
import type { Members } from "../shape.ts";
import { xmlSafe, xmlSafeJson } from "./xml-text.ts";

/** What a serialisation of CycloneDX can hold. */
export interface CycloneStyle {
  /** A ref as an identifier; different refs have different ones. */
  identifier(ref: string): string;
  /** Members of a component or of metadata, as they come back when they are read. */
  members(written: Members): Members;
  /** JSON text within a property. */
  json(text: string): string;
}

/** JSON holds everything. */
export const jsonStyle: CycloneStyle = {
  identifier: (ref) => ref,
  members: (written) => written,
  json: (text) => text,
};

/** XML has no control characters, and white space around text is nothing. */
export const xmlStyle: CycloneStyle = {
  identifier: (ref) =>
    xmlSafe(ref) === ref && ref.length <= 4096 ? ref : `ref-${sha256(ref).slice("sha256:".length)}`,
  members: (written) => safe(written) as Members,
  json: xmlSafeJson,
};

function safe(value: unknown): unknown {
  if (typeof value === "string") return xmlSafe(value);
  if (Array.isArray(value)) return value.map(safe);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, safe(member)]));
}
