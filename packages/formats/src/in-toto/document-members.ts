import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { type InTotoErrorCode, inTotoErrors } from "./errors.ts";

/** Largest document: a link names every file of a tree. */
const maxBytes = 32 * 1024 * 1024;

/** Reads JSON strictly: no duplicate keys, bounded. @throws INTOTO_MALFORMED | INTOTO_TOO_LARGE */
export function readInTotoJson(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxBytes, maxDepth: 48 });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    const isLarge = cause.code === "JSON_TOO_LARGE" || cause.code === "JSON_TOO_DEEP";
    const code: InTotoErrorCode = isLarge ? "INTOTO_TOO_LARGE" : "INTOTO_MALFORMED";
    throw inTotoErrors.make(code, cause.message, { cause });
  }
}

/**
 * Members of one object of a document for in-toto, each by its type, and at the end none left over. `null` counts as
 * absent: the tools in Go write it for an empty list.
 */
export class DocumentMembers {
  readonly #object: { readonly [name: string]: Json };
  readonly #asked = new Set<string>();
  readonly path: string;

  constructor(value: Json | undefined, path: string) {
    if (!isObject(value)) throw malformed(`expected an object at ${path}`);
    this.#object = value;
    this.path = path;
  }

  optional(name: string): Json | undefined {
    this.#asked.add(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  required(name: string): Json {
    const value = this.optional(name);
    if (value === undefined) throw malformed(`expected a member ${JSON.stringify(name)} at ${this.path}`);
    return value;
  }

  text(name: string): string {
    const value = this.required(name);
    if (typeof value !== "string") throw malformed(`expected text at ${this.path}.${name}`);
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.optional(name);
    if (value !== undefined && typeof value !== "string") throw malformed(`expected text at ${this.path}.${name}`);
    return value;
  }

  /** A list; empty when absent. */
  list(name: string, most: number): readonly Json[] {
    const value = this.optional(name) ?? [];
    if (!Array.isArray(value) || value.length > most) {
      throw malformed(`expected a list of at most ${most} items at ${this.path}.${name}`);
    }
    return value as readonly Json[];
  }

  texts(name: string, most: number): readonly string[] {
    return this.list(name, most).map((item, i) => {
      if (typeof item !== "string") throw malformed(`expected text at ${this.path}.${name}[${i}]`);
      return item;
    });
  }

  /** Members of an object with free names; none when absent. */
  entries(name: string): readonly (readonly [string, Json])[] {
    const value = this.optional(name) ?? {};
    if (!isObject(value)) throw malformed(`expected an object at ${this.path}.${name}`);
    return Object.entries(value);
  }

  objects(name: string, most: number): readonly DocumentMembers[] {
    return this.list(name, most).map((item, i) => new DocumentMembers(item, `${this.path}.${name}[${i}]`));
  }

  /** Refuses members that nobody asked for. @throws INTOTO_UNKNOWN_FIELD */
  end(): void {
    const other = Object.keys(this.#object).find((name) => !this.#asked.has(name));
    if (other === undefined) return;
    throw inTotoErrors.make(
      "INTOTO_UNKNOWN_FIELD",
      `${this.path} has an unknown member ${JSON.stringify(other.slice(0, 80))}`,
    );
  }
}

export function malformed(message: string, cause?: unknown): Error {
  return inTotoErrors.make("INTOTO_MALFORMED", message, cause === undefined ? {} : { cause });
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
