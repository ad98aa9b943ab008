import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, parseJson } from "./index.ts";

const refusal = (code: string): unknown => expect.objectContaining({ name: "FactoryError", code });

test.each([
  [`{"a":1,"a":2}`, "JSON_DUPLICATE_KEY"],
  [`{"a":1,"\\u0061":2}`, "JSON_DUPLICATE_KEY"],
  [`[{"b":{"c":[{"x":0,"y":1,"x":2}]}}]`, "JSON_DUPLICATE_KEY"],
  [`{"":1,"":2}`, "JSON_DUPLICATE_KEY"],
  [`{"__proto__":1}`, "JSON_MALFORMED"],
  [`{"\\u005f_proto__":1}`, "JSON_MALFORMED"],
  [`{"a":1}x`, "JSON_MALFORMED"],
  [`{"a":1,}`, "JSON_MALFORMED"],
  [`NaN`, "JSON_MALFORMED"],
  [``, "JSON_MALFORMED"],
  ["[".repeat(65) + "]".repeat(65), "JSON_TOO_DEEP"],
  [`${'{"a":'.repeat(65)}0${"}".repeat(65)}`, "JSON_TOO_DEEP"],
])("J1: %s is refused", (text, code) => {
  expect(() => parseJson(text)).toThrow(refusal(code));
  expect(() => parseJson(Buffer.from(text))).toThrow(refusal(code));
});

test("J1: nesting and size have limits that the caller may set", () => {
  expect(parseJson("[[[]]]", { maxDepth: 3 })).toEqual([[[]]]);
  expect(() => parseJson("[[[]]]", { maxDepth: 2 })).toThrow(refusal("JSON_TOO_DEEP"));
  expect(parseJson("[12]", { maxBytes: 4 })).toEqual([12]);
  expect(() => parseJson("[123]", { maxBytes: 4 })).toThrow(refusal("JSON_TOO_LARGE"));
  expect(() => parseJson("[".repeat(5_000_000))).toThrow(refusal("JSON_MALFORMED"));
});

test("J1: bytes that are not UTF-8 are refused", () => {
  expect(parseJson(Buffer.from(`"é"`))).toBe("é");
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    expect(() => parseJson(Uint8Array.from(bytes))).toThrow(refusal("JSON_MALFORMED"));
  }
});

test("J1: the same key in different objects, and braces and quotes in strings, are no defect", () => {
  const text = `[{"a":{"a":1}},{"a":"{\\"a\\":1,\\"a\\":2}"},{"b\\\\":1,"b\\"":2,"[":"]","k":",","l":"\\\\"}]`;
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test("J1: whatever JSON.stringify writes is read as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      if (!text.includes("__proto__")) expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("J2: one text for one value, whatever the order of its members", () => {
  const members = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 3 })), {
    selector: ([key]) => key,
    maxLength: 8,
  });
  fc.assert(
    fc.property(members, fc.infiniteStream(fc.nat()), (entries, picks) => {
      const shuffled = [...entries].map((entry) => ({ entry, at: picks.next().value })).sort((a, b) => a.at - b.at);
      const other = Object.fromEntries(shuffled.map(({ entry }) => entry));
      expect(canonicalJson(Object.fromEntries(entries))).toBe(canonicalJson(other));
    }),
  );
});

test("J2: the examples of RFC 8785", () => {
  const value = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '€$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
  const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
  expect(canonicalJson(keys)).toBe(`{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}`);
});

test("J2: reading and writing again changes nothing", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = canonicalJson(value);
      if (!text.includes("__proto__")) expect(canonicalJson(parseJson(text))).toBe(text);
    }),
  );
});

test("J2: what has no JSON form is our defect", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol("x"), 1n, [undefined]]) {
    expect(() => canonicalJson(value)).toThrow(refusal("JSON_NOT_CANONICAL"));
  }
  expect(canonicalJson({ a: undefined, b: -0 })).toBe(`{"b":0}`);
});
