import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import type { CelValue } from "../value.ts";
import { noOverload } from "./native.ts";

const surrogate = /[\ud800-\udfff]/;

/** Code points of a text; the text itself where every unit is one. */
function characters(frame: Frame, text: string): string | readonly string[] {
  frame.read(text.length);
  if (!surrogate.test(text)) return text;
  frame.hold(text.length);
  return Array.from(text);
}

function outside(frame: Frame, place: bigint, length: number): never {
  return raise("CEL_INDEX", `expected a place within 0 to ${length}, found ${place}`, frame.at);
}

/** The character at a place; nothing at the very end. */
export function charAt(frame: Frame, text: CelValue, place: CelValue): CelValue {
  if (typeof text !== "string" || typeof place !== "bigint") return noOverload(frame, "charAt", text, place);
  const all = characters(frame, text);
  if (place < 0n || place > BigInt(all.length)) return outside(frame, place, all.length);
  return all[Number(place)] ?? "";
}

/** The part of a text between two places. */
export function substring(frame: Frame, text: CelValue, from: CelValue, to: CelValue): CelValue {
  const isPlace = typeof from === "bigint" && (to === null || typeof to === "bigint");
  if (typeof text !== "string" || !isPlace) return noOverload(frame, "substring", text, from, to);
  const all = characters(frame, text);
  const end = to ?? BigInt(all.length);
  if (from < 0n || from > BigInt(all.length)) return outside(frame, from, all.length);
  if (end < from || end > BigInt(all.length)) return outside(frame, end, all.length);
  frame.hold(Number(end - from));
  const part = all.slice(Number(from), Number(end));
  return typeof part === "string" ? part : part.join("");
}

/** Place of the first occurrence at or after a place; -1 where there is none. */
export function indexOf(frame: Frame, text: CelValue, part: CelValue, start: CelValue): CelValue {
  const isPlace = start === null || typeof start === "bigint";
  if (typeof text !== "string" || typeof part !== "string" || !isPlace) {
    return noOverload(frame, "indexOf", text, part, start);
  }
  const all = characters(frame, text);
  const from = start ?? 0n;
  if (from < 0n || from > BigInt(all.length)) return outside(frame, from, all.length);
  if (typeof all === "string") return BigInt(all.indexOf(part, Number(from)));
  const unit = all.slice(0, Number(from)).join("").length;
  return placeOfUnit(text, text.indexOf(part, unit));
}

/** Place of the last occurrence at or before a place; -1 where there is none. */
export function lastIndexOf(frame: Frame, text: CelValue, part: CelValue, start: CelValue): CelValue {
  const isPlace = start === null || typeof start === "bigint";
  if (typeof text !== "string" || typeof part !== "string" || !isPlace) {
    return noOverload(frame, "lastIndexOf", text, part, start);
  }
  const all = characters(frame, text);
  const from = start ?? BigInt(all.length);
  if (from < 0n || from > BigInt(all.length)) return outside(frame, from, all.length);
  if (typeof all === "string") return BigInt(all.lastIndexOf(part, Number(from)));
  const unit = all.slice(0, Number(from)).join("").length;
  return placeOfUnit(text, text.lastIndexOf(part, unit));
}

function placeOfUnit(text: string, unit: number): bigint {
  return unit === -1 ? -1n : BigInt(Array.from(text.slice(0, unit)).length);
}
