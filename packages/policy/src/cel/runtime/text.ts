import { doubleText, durationText, timestampText } from "../functions/spelling.ts";
import type { CelValue } from "../value.ts";
import { MapValue } from "./maps.ts";
import { Duration, isList, Optional, Timestamp, TypeValue, Uint } from "./values.ts";

/** A value written as CEL, cut after so many characters. */
export function shortText(value: CelValue, longest = 200): string {
  const writer = new Writer(longest);
  writer.value(value, 0);
  return writer.text();
}

const deepest = 20;

class Writer {
  readonly #longest: number;
  readonly #parts: string[] = [];
  #length = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  text(): string {
    const text = this.#parts.join("");
    return text.length > this.#longest ? `${text.slice(0, this.#longest - 1).toWellFormed()}…` : text;
  }

  get #isFull(): boolean {
    return this.#length > this.#longest;
  }

  #write(part: string): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  value(value: CelValue, depth: number): void {
    if (this.#isFull) return;
    if (depth > deepest) this.#write("…");
    else if (typeof value === "string") this.#write(JSON.stringify(value.slice(0, this.#longest + 1)));
    else if (typeof value === "number") this.#write(double(value));
    else if (typeof value !== "object" || value === null) this.#write(String(value));
    else if (isList(value)) this.#list(value, depth);
    else if (value instanceof MapValue) this.#map(value, depth);
    else this.#write(this.#other(value, depth));
  }

  #other(value: CelValue & object, depth: number): string {
    if (value instanceof Uint) return `${value.value}u`;
    if (value instanceof Timestamp) return `timestamp("${timestampText(value)}")`;
    if (value instanceof Duration) return `duration("${durationText(value)}")`;
    if (value instanceof TypeValue) return value.name;
    if (value instanceof Uint8Array) return `b"${bytesText(value.subarray(0, this.#longest))}"`;
    if (!(value instanceof Optional) || value.value === undefined) return "optional.none()";
    const inner = new Writer(this.#longest);
    inner.value(value.value, depth + 1);
    return `optional.of(${inner.text()})`;
  }

  #list(list: readonly CelValue[], depth: number): void {
    this.#write("[");
    for (const [index, element] of list.entries()) {
      if (this.#isFull) return;
      if (index > 0) this.#write(", ");
      this.value(element, depth + 1);
    }
    this.#write("]");
  }

  #map(map: MapValue, depth: number): void {
    this.#write("{");
    let isFirst = true;
    for (const { key, value } of map.entries.values()) {
      if (this.#isFull) return;
      if (!isFirst) this.#write(", ");
      isFirst = false;
      this.value(key, depth + 1);
      this.#write(": ");
      this.value(value, depth + 1);
    }
    this.#write("}");
  }
}

/** With a point, so that it reads as no int. */
function double(value: number): string {
  const text = doubleText(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function bytesText(bytes: Uint8Array): string {
  const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127 && byte !== 34 && byte !== 92;
  const texts = Array.from(bytes, (byte) =>
    isPrintable(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return texts.join("");
}
