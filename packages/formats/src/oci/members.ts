import { isFactoryError, type Json, type JsonLimits, parseJson } from "@touchmark/core";
import { ociErrors } from "./errors.ts";

type OciCode = keyof typeof ociErrors.rows;

const codes: Readonly<Record<string, OciCode>> = {
  JSON_DUPLICATE_KEY: "OCI_DUPLICATE_KEY",
  JSON_TOO_DEEP: "OCI_TOO_DEEP",
  JSON_TOO_LARGE: "OCI_TOO_LARGE",
};

/** Reads a JSON document. @throws OCI_MALFORMED | OCI_DUPLICATE_KEY | OCI_TOO_DEEP | OCI_TOO_LARGE */
export function readDocument(bytes: Uint8Array, limits: JsonLimits): Json {
  try {
    return parseJson(bytes, limits);
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw ociErrors.make(codes[cause.code] ?? "OCI_MALFORMED", cause.message, { cause });
  }
}

/**
 * Members of one object of an OCI document. Unknown ones are left alone, but none may equal a known one in another case:
 * readers written in Go would take it. A member that is `null` counts as absent, as they write it.
 */
export class OciMembers {
  readonly #object: { readonly [key: string]: Json };
  readonly #code: OciCode;
  readonly path: string;

  constructor(value: Json | undefined, path: string, code: OciCode, known: readonly string[]) {
    this.#code = code;
    this.path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.wrong(`expected an object at ${path}`);
    }
    this.#object = value as { readonly [key: string]: Json };
    const keys = Object.keys(this.#object);
    const folded = new Set(keys.map(fold));
    for (const name of known) {
      // Most objects have no such member: look closer only when the folded names say so.
      if (!folded.has(fold(name))) continue;
      const clash = keys.find((key) => key !== name && fold(key) === fold(name));
      if (clash !== undefined) {
        throw ociErrors.make(
          "OCI_DUPLICATE_KEY",
          `expected ${name} at ${path}, found ${JSON.stringify(clash.slice(0, 80))}, which some readers take for it`,
        );
      }
    }
  }

  has(name: string): boolean {
    return this.optional(name) !== undefined;
  }

  optional(name: string): Json | undefined {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  string(name: string): string {
    const value = this.optional(name);
    if (typeof value !== "string") throw this.wrong(`expected a string at ${this.path}.${name}`);
    return value;
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.optional(name);
    if (value !== undefined && typeof value !== "boolean") {
      throw this.wrong(`expected a boolean at ${this.path}.${name}`);
    }
    return value;
  }

  /** A list; `null` is an empty one, as Go writes it, but the member must be there. */
  list(name: string): readonly Json[] {
    const value = Object.hasOwn(this.#object, name) ? (this.#object[name] ?? []) : undefined;
    if (!Array.isArray(value)) throw this.wrong(`expected an array at ${this.path}.${name}`);
    return value;
  }

  optionalStrings(name: string): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    const values = this.list(name);
    if (!values.every((value) => typeof value === "string")) {
      throw this.wrong(`expected an array of strings at ${this.path}.${name}`);
    }
    return values;
  }

  /** Annotations or labels: names that are not empty, with strings. */
  optionalAnnotations(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const good =
      typeof value === "object" &&
      !Array.isArray(value) &&
      Object.entries(value as object).every(([key, one]) => key !== "" && typeof one === "string");
    if (!good) {
      throw ociErrors.make("OCI_ANNOTATIONS_INVALID", `expected names with strings at ${this.path}.${name}`);
    }
    return value as Readonly<Record<string, string>>;
  }

  /** Names of an object whose values are empty objects, as sets of ports and volumes are spelled. */
  optionalSet(name: string): Readonly<Record<string, Readonly<Record<string, never>>>> | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const good =
      typeof value === "object" &&
      !Array.isArray(value) &&
      Object.values(value as object).every(
        (one: unknown) => typeof one === "object" && one !== null && Object.keys(one).length === 0,
      );
    if (!good) throw this.wrong(`expected an object of empty objects at ${this.path}.${name}`);
    return value as Readonly<Record<string, Readonly<Record<string, never>>>>;
  }

  wrong(message: string): Error {
    return ociErrors.make(this.#code, message);
  }
}

function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}
