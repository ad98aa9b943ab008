import { predicateErrors } from "./errors.ts";

/**
 * Shapes: one description of a document from which come its TypeScript type, its strict reader and its JSON Schema
 * (draft 2020-12). Small on purpose: verifying loads it.
 */
export interface Shape<T> {
  /** JSON Schema of the value. */
  readonly schema: JsonSchema;
  /** Throws unless the value has the shape. `path` names it in messages. */
  readonly check: (value: unknown, path: string) => void;
  /** Never set: carries the type. */
  readonly type?: T;
}

export type JsonSchema = { readonly [key: string]: unknown };

/** The TypeScript type of a shape. */
export type Of<S> = S extends Shape<infer T> ? T : never;

/** Marks a member that may be absent. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

type Members = { readonly [name: string]: Shape<unknown> | Optional<unknown> };
type Resolved<T> = { [K in keyof T]: T[K] };
type ObjectOf<M extends Members> = Resolved<
  { readonly [K in keyof M as M[K] extends Shape<unknown> ? K : never]: Of<M[K]> } & {
    readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Optional<infer T> ? T : never;
  }
>;

function fail(path: string, expected: string, value: unknown): never {
  const found = value === undefined ? "nothing" : (JSON.stringify(value)?.slice(0, 80) ?? typeof value);
  throw predicateErrors.make("PREDICATE_MALFORMED", `expected ${expected} at ${path}, found ${found}`);
}

/** A member that may be absent (and never null). */
export const optional = <T>(shape: Shape<T>): Optional<T> => ({ optional: shape });

/** Adds a description for readers of the schema. */
export function described<T>(description: string, shape: Shape<T>): Shape<T> {
  return { ...shape, schema: { description, ...shape.schema } };
}

/** Text of 1 to `max` characters, matching a pattern when one is given. */
export function text(
  options: { readonly pattern?: RegExp; readonly max?: number; readonly empty?: true } = {},
): Shape<string> {
  const { pattern, max = 4096, empty } = options;
  const min = empty ? 0 : 1;
  return {
    schema: {
      type: "string",
      ...(min === 0 ? {} : { minLength: min }),
      maxLength: max,
      ...(pattern === undefined ? {} : { pattern: pattern.source }),
    },
    check(value, path) {
      if (typeof value !== "string" || value.length < min || value.length > max || pattern?.test(value) === false) {
        fail(
          path,
          pattern === undefined ? `text of ${min} to ${max} characters` : `text like ${pattern.source}`,
          value,
        );
      }
    },
  };
}

/** One of some fixed texts. */
export function oneOf<const T extends readonly string[]>(...values: T): Shape<T[number]> {
  return {
    schema: values.length === 1 ? { const: values[0] } : { enum: values },
    check(value, path) {
      if (typeof value !== "string" || !values.includes(value)) fail(path, values.join(" | "), value);
    },
  };
}

/** A whole number within the range that JSON keeps exact. */
export function whole(options: { readonly min?: number; readonly max?: number } = {}): Shape<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    check(value, path) {
      if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
        fail(path, `a whole number from ${min} to ${max}`, value);
      }
    },
  };
}

/** True or false. */
export const flag: Shape<boolean> = {
  schema: { type: "boolean" },
  check(value, path) {
    if (typeof value !== "boolean") fail(path, "true or false", value);
  },
};

/** A list, with at most `max` items. */
export function list<T>(
  item: Shape<T>,
  options: { readonly min?: number; readonly max?: number } = {},
): Shape<readonly T[]> {
  const { min = 0, max = 1_000_000 } = options;
  return {
    schema: { type: "array", items: item.schema, ...(min === 0 ? {} : { minItems: min }), maxItems: max },
    check(value, path) {
      if (!Array.isArray(value) || value.length < min || value.length > max) {
        fail(path, `a list of ${min} to ${max} items`, Array.isArray(value) ? `${value.length} items` : value);
      }
      for (let i = 0; i < value.length; i++) item.check(value[i], `${path}[${i}]`);
    },
  };
}

/** An object with free names and one kind of value. */
export function record<T>(item: Shape<T>, name: RegExp = /^.{1,256}$/): Shape<{ readonly [name: string]: T }> {
  return {
    schema: { type: "object", propertyNames: { pattern: name.source }, additionalProperties: item.schema },
    check(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "an object", value);
      for (const [key, each] of Object.entries(value)) {
        if (!name.test(key)) fail(path, `names like ${name.source}`, key);
        item.check(each, `${path}.${key}`);
      }
    },
  };
}

/** An object with exactly these members. */
export function object<const M extends Members>(members: M): Shape<ObjectOf<M>> {
  return objectShape(members, "closed") as Shape<ObjectOf<M>>;
}

/** An object with these members and any others: for standard predicates, whose readers must ignore what they do not know. */
export function openObject<const M extends Members>(members: M): Shape<ObjectOf<M>> {
  return objectShape(members, "open") as Shape<ObjectOf<M>>;
}

function objectShape(members: Members, kind: "closed" | "open"): Shape<unknown> {
  const known = new Map(
    Object.entries(members).map(([name, member]) =>
      "optional" in member
        ? [name, { shape: member.optional, required: false }]
        : [name, { shape: member, required: true }],
    ),
  );
  const required = [...known].filter(([, member]) => member.required).map(([name]) => name);
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries([...known].map(([name, { shape }]) => [name, shape.schema])),
      ...(required.length === 0 ? {} : { required }),
      ...(kind === "closed" ? { additionalProperties: false } : {}),
    },
    check(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "an object", value);
      const object = value as { readonly [name: string]: unknown };
      for (const name of required) if (object[name] === undefined) fail(`${path}.${name}`, "a value", undefined);
      for (const name of Object.keys(object)) {
        const member = known.get(name);
        // `undefined` is what canonical JSON leaves out.
        if (object[name] === undefined) continue;
        if (member !== undefined) member.shape.check(object[name], `${path}.${name}`);
        else if (kind === "closed") {
          throw predicateErrors.make(
            "PREDICATE_UNKNOWN_FIELD",
            `expected no member ${JSON.stringify(name)} at ${path}`,
          );
        }
      }
    },
  };
}

/** One of several shapes, tried in order. */
export function either<const S extends readonly Shape<unknown>[]>(...shapes: S): Shape<Of<S[number]>> {
  return {
    schema: { anyOf: shapes.map((shape) => shape.schema) },
    check(value, path) {
      const matches = shapes.some((shape) => {
        try {
          shape.check(value, path);
          return true;
        } catch {
          return false;
        }
      });
      if (!matches) fail(path, "one of the described shapes", value);
    },
  };
}

/** Any JSON object, not looked into. */
export const anyObject: Shape<{ readonly [name: string]: unknown }> = {
  schema: { type: "object" },
  check(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "an object", value);
  },
};
