import { encodeBase64, isFactoryError } from "@touchmark/core";
import { durationText, timestampText } from "../cel/functions/spelling.ts";
import type { PreparedVariables } from "../cel/index.ts";
import { MapValue } from "../cel/runtime/maps.ts";
import { Duration, isList, Optional, Timestamp, TypeValue, Uint } from "../cel/runtime/values.ts";
import type { CelValue } from "../cel/value.ts";
import { regoErrors } from "./errors.ts";

/** Most characters of an input. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_DEPTH = 200;

/**
 * The variables of rules as one JSON object, which Rego reads as `input`: whole numbers with all their digits, times in
 * RFC 3339, durations as CEL writes them, bytes in base64. What has no value is absent. @throws REGO_INPUT
 */
export function inputJson(names: readonly string[], variables: PreparedVariables): string {
  const writer = new InputWriter();
  try {
    writer.object(
      [...names].sort().map((name) => [name, variables.get(name)] as const),
      0,
    );
  } catch (error) {
    if (isFactoryError(error)) throw error;
    throw regoErrors.make("REGO_INPUT", "a variable cannot be read");
  }
  return writer.text();
}

class InputWriter {
  readonly #parts: string[] = [];
  #length = 0;

  text(): string {
    return this.#parts.join("");
  }

  object(members: Iterable<readonly [CelValue, CelValue | undefined]>, depth: number): void {
    this.#write("{");
    let separator = "";
    for (const [name, value] of members) {
      if (isNothing(value)) continue;
      if (typeof name !== "string") throw regoErrors.make("REGO_INPUT", "expected maps whose keys are text");
      this.#write(`${separator}${JSON.stringify(name)}:`);
      this.#value(value as CelValue, depth + 1);
      separator = ",";
    }
    this.#write("}");
  }

  #value(value: CelValue, depth: number): void {
    if (depth > MAX_DEPTH) throw regoErrors.make("REGO_INPUT", `expected at most ${MAX_DEPTH} levels`);
    if (value instanceof MapValue) {
      const entries = [...value.entries.values()].map((each) => [each.key, each.value] as const);
      this.object(entries, depth);
    } else if (isList(value)) {
      this.#write("[");
      for (const [i, each] of value.entries()) {
        if (i > 0) this.#write(",");
        this.#value(isNothing(each) ? null : each, depth + 1);
      }
      this.#write("]");
    } else if (value instanceof Optional) this.#value(value.value ?? null, depth + 1);
    else this.#write(scalar(value));
  }

  #write(part: string): void {
    this.#length += part.length;
    if (this.#length > MAX_CHARACTERS) {
      throw regoErrors.make("REGO_INPUT", `expected at most ${MAX_CHARACTERS} characters of variables`);
    }
    this.#parts.push(part);
  }
}

const isNothing = (value: CelValue | undefined): boolean =>
  value === undefined || (value instanceof Optional && value.value === undefined);

function scalar(value: CelValue): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return JSON.stringify(timestampText(value));
  if (value instanceof Duration) return JSON.stringify(durationText(value));
  if (value instanceof TypeValue) return JSON.stringify(value.name);
  if (value instanceof Uint8Array) return JSON.stringify(encodeBase64(value));
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw regoErrors.make("REGO_INPUT", "expected numbers that JSON can say");
  }
  // Half of a pair of surrogates has no UTF-8.
  return JSON.stringify(value);
}
