import { inTotoErrors } from "./errors.ts";

/**
 * OLPC canonical JSON, what classic in-toto signs: members sorted by code point, no white space, only backslash and
 * quote escaped, whole numbers.
 * @throws INTOTO_NOT_CANONICAL
 */
export function olpcCanonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    // A lone surrogate would be signed as the replacement character: two documents with one signature.
    if (!value.isWellFormed()) throw inTotoErrors.make("INTOTO_NOT_CANONICAL", "expected text in Unicode");
    return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  }
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(olpcCanonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => ({ bytes: Buffer.from(name), name, member }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    return `{${members.map(({ name, member }) => `${olpcCanonicalJson(name)}:${olpcCanonicalJson(member)}`).join(",")}}`;
  }
  const found = typeof value === "number" ? String(value) : `a ${typeof value}`;
  throw inTotoErrors.make("INTOTO_NOT_CANONICAL", `expected text, a whole number, a list or an object, found ${found}`);
}
