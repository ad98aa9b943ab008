import type { Members } from "../shape.ts";

/** What a serialisation of SPDX 2 can hold. */
export interface SpdxStyle {
  /** Members of a package, of creation information, as they come back when they are read. */
  members(written: Members): Members;
  /** A text that may have several lines. */
  block(text: string): string;
  /** JSON text as a comment. */
  json(text: string): string;
}

/** JSON holds everything. */
export const spdxJsonStyle: SpdxStyle = { members: (written) => written, block: (text) => text, json: (text) => text };

/** Fields that stand between `<text>` and `</text>`. */
const blocks: ReadonlySet<string> = new Set(["description"]);

/** Tag-value has one line for a value, or a block that its closing mark ends. */
export const tagValueStyle: SpdxStyle = {
  members: (written) =>
    Object.fromEntries(
      Object.entries(written).map(([name, value]) => [name, blocks.has(name) ? block(value) : line(value)]),
    ),
  block: (text) => block(text) as string,
  json: (text) => text.replace(/[<\u007f-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`),
};

function line(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(line);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, line(member)]));
  }
  return typeof value === "string" ? oneLine(value) : value;
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replaceAll("<text>", "<text >")
    .trim();
}

function block(value: unknown): unknown {
  return typeof value === "string"
    ? value.toWellFormed().replace(/\r\n?/g, "\n").replaceAll("</text>", "</text >")
    : value;
}
