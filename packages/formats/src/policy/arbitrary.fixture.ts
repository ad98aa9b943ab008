import fc from "fast-check";
import type { JsonSchema } from "../predicates/shape.ts";

const awkward = [
  "yes",
  "2027-01-31T00:00:00Z",
  "0x1f",
  "1e3",
  "- a",
  "# no",
  "a: b",
  " x ",
  "a\nb\n",
  "{x}",
  "'",
  "~",
  "\\",
];
const allowed = (text: string) =>
  !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff\r]/.test(text) &&
  text.isWellFormed();

/** Values of a schema: any that its reader could meet. */
export function valueOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (typeof schema["const"] === "string") return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...schema["enum"]);
  switch (schema["type"]) {
    case "string":
      return textOf(schema);
    case "integer":
      return fc.integer({ min: Number(schema["minimum"]), max: Math.min(Number(schema["maximum"]), 10_000) });
    case "boolean":
      return fc.boolean();
    case "array": {
      const minLength = Number(schema["minItems"] ?? 0);
      return fc.array(valueOf(schema["items"] as JsonSchema), { minLength, maxLength: minLength + 2 });
    }
    case "object":
      return objectOf(schema);
    default:
      return fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string().filter(allowed));
  }
}

function textOf(schema: JsonSchema): fc.Arbitrary<string> {
  const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : undefined;
  const most = Math.min(Number(schema["maxLength"]), 40);
  if (pattern === undefined) {
    return fc.oneof(
      fc.constantFrom(...awkward),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: most }).filter(allowed),
    );
  }
  if (pattern.startsWith("^\\d{4}-")) {
    const date = fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
    return date.map((each) => each.toISOString());
  }
  return fc
    .stringMatching(new RegExp(pattern))
    .map((text) => text.slice(0, Number(schema["maxLength"])))
    .filter((text) => allowed(text) && new RegExp(pattern).test(text));
}

function objectOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const members = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  const others = schema["additionalProperties"];
  if (members !== undefined) {
    const requiredKeys = (schema["required"] ?? []) as string[];
    const values = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, valueOf(member)]));
    return fc.record(values, { requiredKeys });
  }
  const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,8}$/).filter((text) => !(text in {}) && text !== "prototype");
  if (typeof others !== "object" || others === null)
    return fc.dictionary(name, fc.string().filter(allowed), { maxKeys: 3 });
  return fc.dictionary(name, valueOf(others as JsonSchema), { maxKeys: 3 });
}
