import { decodeBase64, type Json } from "@touchmark/core";
import { type FormatsErrorCode, formatsErrors } from "./errors.ts";

/** The codes that a document's reader raises. */
export interface MemberCodes {
  readonly malformed: FormatsErrorCode;
  readonly unknownField: FormatsErrorCode;
  readonly base64: FormatsErrorCode;
  readonly integer: FormatsErrorCode;
}

/**
 * Reads the members of one JSON object strictly: each by its type, and at the end none left over.
 * A member that is `null` counts as absent, as ProtoJSON has it; one of another type is refused.
 */
export class Members {
  readonly #object: { readonly [key: string]: Json };
  readonly #read: string[] = [];
  readonly #codes: MemberCodes;
  readonly path: string;

  constructor(value: Json | undefined, path: string, codes: MemberCodes) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw formatsErrors.make(codes.malformed, `expected an object at ${path}, found ${kindOf(value)}`);
    }
    this.#object = value as { readonly [key: string]: Json };
    this.#codes = codes;
    this.path = path;
  }

  /** The member's value, or undefined when absent or null. */
  optional(name: string): Json | undefined {
    this.#read.push(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name) && this.#object[name] !== null;
  }

  required(name: string): Json {
    const value = this.optional(name);
    if (value === undefined) throw this.malformed(`expected a member ${JSON.stringify(name)} at ${this.path}`);
    return value;
  }

  string(name: string): string {
    return this.#typed(name, this.required(name), "string") as string;
  }

  optionalString(name: string): string | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : (this.#typed(name, value, "string") as string);
  }

  /** A byte field: canonical padded base64, at least one byte. */
  bytes(name: string): Uint8Array {
    const bytes = this.base64(this.string(name), name);
    if (bytes.length === 0) throw this.malformed(`expected bytes at ${this.path}.${name}, found none`);
    return bytes;
  }

  base64(text: string, name: string): Uint8Array {
    try {
      return decodeBase64(text);
    } catch (cause) {
      throw formatsErrors.make(this.#codes.base64, `expected canonical base64 at ${this.path}.${name}`, { cause });
    }
  }

  /** A 64-bit integer of ProtoJSON, not negative: a canonical decimal string, or a whole number. */
  integer(name: string): number {
    return this.#integer(name, this.required(name));
  }

  optionalInteger(name: string): number | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : this.#integer(name, value);
  }

  object(name: string): Members {
    return new Members(this.required(name), `${this.path}.${name}`, this.#codes);
  }

  optionalObject(name: string): Members | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : new Members(value, `${this.path}.${name}`, this.#codes);
  }

  /** An array member, empty when absent. */
  list(name: string, limit: number): readonly Json[] {
    const value = this.optional(name) ?? [];
    if (!Array.isArray(value)) throw this.malformed(`expected an array at ${this.path}.${name}`);
    if (value.length > limit) {
      throw this.malformed(`expected at most ${limit} elements at ${this.path}.${name}, found ${value.length}`);
    }
    return value;
  }

  objects(name: string, limit: number): Members[] {
    return this.list(name, limit).map(
      (value, index) => new Members(value, `${this.path}.${name}[${index}]`, this.#codes),
    );
  }

  /** Refuses members that nobody asked for. */
  end(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#read.includes(name)) {
        throw formatsErrors.make(
          this.#codes.unknownField,
          `${this.path} has an unknown member ${JSON.stringify(name.slice(0, 80))}`,
        );
      }
    }
  }

  malformed(message: string): Error {
    return formatsErrors.make(this.#codes.malformed, message);
  }

  #integer(name: string, value: Json): number {
    const canonical =
      typeof value === "number" || (typeof value === "string" && /^(?:0|[1-9][0-9]{0,15})$/.test(value))
        ? Number(value)
        : Number.NaN;
    if (!Number.isSafeInteger(canonical) || canonical < 0) {
      throw formatsErrors.make(
        this.#codes.integer,
        `expected a canonical decimal number at ${this.path}.${name}, found ${JSON.stringify(value)?.slice(0, 60)}`,
      );
    }
    return canonical;
  }

  #typed(name: string, value: Json, type: "string"): Json {
    if (typeof value !== type) {
      throw this.malformed(`expected a ${type} at ${this.path}.${name}, found ${kindOf(value)}`);
    }
    return value;
  }
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
