import { nearestName } from "../pipeline/nearest.ts";
import { describe } from "../pipeline/problems.ts";
import type { YamlPath, YamlValue } from "../pipeline/yaml-reader.ts";
import { digest, name, path, time, uri } from "../predicates/common.ts";
import type { JsonSchema } from "../predicates/shape.ts";
import type { DocumentProblems } from "./document-problems.ts";
import { celName, collection, identifier } from "./policy.ts";

type Mapping = { readonly [key: string]: YamlValue };

/** Checks a value against the published schema of its place, and notes every problem with its place. */
export function walkSchema(value: YamlValue, schema: JsonSchema, at: YamlPath, problems: DocumentProblems): void {
  const wrong = (expected: string, more = "") =>
    problems.add("POLICY_DOCUMENT_VALUE", at, `expected ${expected}, found ${describe(value)}${more}`);
  const choices = choicesOf(schema);
  if (choices !== undefined) {
    if (typeof value === "string" && choices.includes(value)) return;
    const near = typeof value === "string" ? nearestName(value, choices) : undefined;
    return wrong(choices.join(" | "), near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`);
  }
  switch (schema["type"]) {
    case "string":
      return walkText(value, schema, wrong);
    case "integer":
      if (typeof value !== "number" || !Number.isSafeInteger(value)) return wrong("a whole number");
      return walkRange(value, Number(schema["minimum"]), Number(schema["maximum"]), wrong);
    case "boolean":
      return typeof value === "boolean" ? undefined : wrong("true or false");
    case "array":
      return walkList(value, schema, at, problems, wrong);
    case "object":
      if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong("a mapping");
      return walkMapping(value, schema, at, problems);
    default:
      // No type: any value.
      return;
  }
}

function choicesOf(schema: JsonSchema): readonly string[] | undefined {
  if (typeof schema["const"] === "string") return [schema["const"]];
  return Array.isArray(schema["enum"]) ? schema["enum"].map(String) : undefined;
}

type Wrong = (expected: string, more?: string) => void;

const words = new Map<unknown, string>([
  [digest.schema["pattern"], "a digest, sha256: and 64 hexadecimal digits"],
  [time.schema["pattern"], "a time in UTC such as 2027-01-31T00:00:00Z"],
  [uri.schema["pattern"], "an absolute URI"],
  [name.schema["pattern"], "text without control characters"],
  [path.schema["pattern"], "a path"],
  [identifier.schema["pattern"], "a name of letters and digits, joined by one of - _ . /"],
  [collection.schema["pattern"], "a name of small letters and digits, joined by -"],
  [celName.source, "a name of letters, digits and _"],
]);

function walkText(value: YamlValue, schema: JsonSchema, wrong: Wrong): void {
  const pattern = patternOf(schema);
  const expected = words.get(pattern) ?? (pattern === undefined ? "text" : `text like ${pattern}`);
  if (typeof value !== "string") {
    const isPlain = typeof value === "number" || typeof value === "boolean";
    return wrong(expected, isPlain ? `; put it in quotes: "${value}"` : "");
  }
  const least = Number(schema["minLength"] ?? 0);
  const longest = Number(schema["maxLength"]);
  if (value.length < least || value.length > longest) {
    return wrong(least === 1 && value.length === 0 ? expected : `${expected} of at most ${longest} characters`);
  }
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return wrong(expected);
  if (pattern === time.schema["pattern"] && !isMoment(value)) wrong(`${expected} that is in the calendar`);
}

function walkRange(value: number, least: number, most: number, wrong: Wrong): void {
  if (value < least || value > most) wrong(`a whole number from ${least} to ${most}`);
}

function patternOf(schema: JsonSchema): string | undefined {
  return typeof schema["pattern"] === "string" ? schema["pattern"] : undefined;
}

/** True when a time of the right spelling is one: February has no 30th day. */
function isMoment(text: string): boolean {
  const moment = new Date(text);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().slice(0, 19) === text.slice(0, 19);
}

function walkList(value: YamlValue, schema: JsonSchema, at: YamlPath, problems: DocumentProblems, wrong: Wrong): void {
  if (!Array.isArray(value)) return wrong("a list");
  const least = Number(schema["minItems"] ?? 0);
  const most = Number(schema["maxItems"]);
  if (value.length < least || value.length > most) {
    return problems.add(
      "POLICY_DOCUMENT_VALUE",
      at,
      `expected a list of ${least} to ${most} items, found ${value.length}`,
    );
  }
  for (const [i, item] of value.entries()) walkSchema(item, schema["items"] as JsonSchema, [...at, i], problems);
}

function walkMapping(value: Mapping, schema: JsonSchema, at: YamlPath, problems: DocumentProblems): void {
  const members = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  const others = schema["additionalProperties"];
  if (members === undefined && typeof others !== "object") return;
  if (members === undefined) {
    const names = patternOf(schema["propertyNames"] as JsonSchema) ?? "";
    for (const [key, item] of Object.entries(value)) {
      if (!new RegExp(names).test(key)) {
        const expected = words.get(names) ?? `a name like ${names}`;
        problems.add("POLICY_DOCUMENT_VALUE", [...at, key], `expected ${expected}, found ${describe(key)}`, "key");
      }
      walkSchema(item, others as JsonSchema, [...at, key], problems);
    }
    return;
  }
  for (const key of (schema["required"] ?? []) as readonly string[]) {
    if (!Object.hasOwn(value, key)) {
      problems.add("POLICY_DOCUMENT_VALUE", at, `expected a key ${JSON.stringify(key)}, which is missing`, "key");
    }
  }
  for (const [key, item] of Object.entries(value)) {
    const member = Object.hasOwn(members, key) ? members[key] : undefined;
    if (member !== undefined) walkSchema(item, member, [...at, key], problems);
    else problems.add("POLICY_DOCUMENT_KEY_UNKNOWN", [...at, key], unknownKey(key, value, members), "key");
  }
}

function unknownKey(key: string, value: Mapping, members: Readonly<Record<string, JsonSchema>>): string {
  const free = Object.keys(members).filter((member) => !Object.hasOwn(value, member));
  const near = nearestName(key, free);
  const advice = near === undefined ? `expected one of ${Object.keys(members).join(", ")}` : `did you mean ${near}?`;
  return `unknown key ${describe(key)}; ${advice}`;
}
