import { isFactoryError } from "@touchmark/core";
import { expect, test } from "vitest";
import { worthOf } from "../cel.fixture.ts";
import { compileExpression } from "../compile.ts";

function refusalOf(source: string, variables: readonly string[] = ["a"]): string {
  try {
    compileExpression(source, { variables });
    return "none";
  } catch (error) {
    return isFactoryError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

test.each([
  ["", "line 1, column 1: expected a value, found the end"],
  ["1 +\n  * 2", "line 2, column 3: expected a value, found `*`"],
  ["a b", "line 1, column 3: expected an operator or the end, found `b`"],
  ["(a", "line 1, column 3: expected `)`, found the end"],
  ["a ? 1", "line 1, column 6: expected `:`, found the end"],
  ["[1,,2]", "line 1, column 4: expected a value, found `,`"],
  ["size(a,)", "line 1, column 8: expected an argument, found `)`"],
  ['"a', 'line 1, column 1: expected a closing "'],
  ['"a\nb"', 'line 1, column 1: expected a closing "'],
  ['"\\q"', "line 1, column 2: expected an escape sequence of CEL, found `\\q`"],
  ['"\\ud800"', "line 1, column 2: expected a code point of Unicode"],
  ["b'\\u0041'", "line 1, column 3: expected a byte: bytes take no \\u or \\U"],
  ["'\ud800'", "line 1, column 1: expected Unicode text, found half of a surrogate pair"],
  ["a.in", "line 1, column 3: expected a field name, found `in`"],
  ["loop", "line 1, column 1: expected a value (the word is reserved), found `loop`"],
  ["9223372036854775808", "line 1, column 1: expected an int of 64 bits, found 9223372036854775808"],
  ["-9223372036854775809", "line 1, column 2: expected an int of 64 bits, found 9223372036854775809"],
  ["18446744073709551616u", "line 1, column 1: expected a uint of 64 bits, found 18446744073709551616"],
  [`1${"0".repeat(90)}`, "line 1, column 1: expected a number of 64 bits, found a longer one"],
  ["1e999", "line 1, column 1: expected a double, found 1e999"],
  ["12ab", "line 1, column 3: expected the end of a number"],
  ["a = 1", "line 1, column 3: expected CEL, found `=`"],
  ["a # 1", "line 1, column 3: expected CEL, found `#`"],
  ["a.`b\nc`", "line 1, column 3: expected a field name between backticks"],
  ["has(a)", "line 1, column 5: expected a field, as in `has(a.b)`"],
  ["a.all(1, true)", "line 1, column 7: expected a name as argument of `all`"],
  ["a.all(x, x, true)", "line 1, column 7: expected two names, found `x` twice"],
  ["a.optMap(1, 2)", "line 1, column 10: expected a name as first argument of `optMap`"],
  ["cel.bind(1, 2, 3)", "line 1, column 10: expected a name as first argument of `cel.bind`"],
  ["Pod{name: 'x'}", "line 1, column 4: expected no message: protobuf has no place in these rules"],
])("K1: %j is no CEL, and the refusal says where", (source, message) => {
  expect(refusalOf(source)).toBe(`CEL_SYNTAX: ${message}`);
});

test.each([
  ["r'\\n' + R\"\\\"", "\\n\\"],
  ["'''a'b\n''' + \"\"\"\"c\"\"\"", "a'b\n\"c"],
  ["'\\x41\\101\\u0042\\U0001F600\\a\\?\\`'", "AAB😀\u0007?`"],
  ["0xff + 0x1", 256n],
  ["-0x8000000000000000", -9223372036854775808n],
  ["1.5e3 + .5", 1500.5],
  ["[1, 2, ?optional.none(), ?optional.of(3),] == [1, 2, 3]", true],
  ["{'a': 1, ?'b': optional.none(),} == {'a': 1}", true],
  ["{'a': {'b-c': 1}}.a.`b-c`", 1n],
  ["{'a': 1}.?b.orValue(2) + [5][?0].orValue(0) + [?optional.of(1)][0]", 8n],
  ["!!true && - -1 == 1 && -1.0 < 0.0", true],
  ["2 + 3 * 4 % 5 - 6 / 2 == 1 // the rest is said to readers", true],
  ["true || false && false ? 'yes' : 'no'", "yes"],
  ["'in' in {'in': 1}", true],
])("K1: %s is CEL", (source, value) => {
  expect(worthOf(source)).toEqual(value);
});

test("K1: bytes are written as text, octal, hexadecimal or raw", () => {
  expect(worthOf("b'\\x00\\377é' + br'\\x'")).toEqual(Uint8Array.of(0, 255, 0xc3, 0xa9, 0x5c, 0x78));
});

test("K2: an expression of more than 32,768 characters is refused unread", () => {
  expect(refusalOf(`"${"a".repeat(32_766)}"`)).toBe("none");
  expect(refusalOf(`"${"a".repeat(32_767)}"`)).toContain("CEL_TOO_LONG: expected an expression of at most 32768");
});

test.each([
  ["brackets", "(".repeat(5_000)],
  ["lists", `${"[".repeat(300)}${"]".repeat(300)}`],
  ["maps", "{1:".repeat(5_000)],
  ["sums", `1${"+1".repeat(400)}`],
  ["signs", `${"!".repeat(5_000)}a`],
  ["minus signs", `${"- ".repeat(400)}a`],
  ["fields", `a${".b".repeat(400)}`],
  ["indexes", `a${"[0]".repeat(400)}`],
  ["macros", `${"[1].all(x, ".repeat(300)}true${")".repeat(300)}`],
  ["choices", `${"true ? 1 : ".repeat(400)}1`],
])("K2: %s nested deeper than 250 levels are refused", (_, source) => {
  expect(refusalOf(source)).toContain("CEL_TOO_DEEP: expected at most 250 levels");
});

test("K2: a thousand alternatives side by side are one level", () => {
  expect(worthOf(Array.from({ length: 1_000 }, (_, index) => `${index} == 1`).join(" || "))).toBe(true);
});

test("K3: a name that nothing declares is refused, and those that are declared are told", () => {
  expect(refusalOf("a + nope", ["a", "subject"])).toBe(
    "CEL_UNKNOWN_VARIABLE: expected one of the variables a, subject; found `nope` at offset 4",
  );
  expect(refusalOf("[1].all(x, x > 0) && x")).toContain("CEL_UNKNOWN_VARIABLE");
});

test.each([
  ["nope(1)", "expected a function of CEL, found `nope` at offset 0"],
  ["a.nope()", "expected a function of CEL, found `nope` at offset 0"],
  ["a.constructor()", "expected a function of CEL, found `constructor` at offset 0"],
  ["size(a, a)", "`size` does not take 2 arguments, at offset 0"],
  ["math.abs(1, 2)", "`math.abs` does not take 2 arguments, at offset 0"],
  ["a.all(x)", "expected a function of CEL, found `all` at offset 0"],
])("K3: %s calls no function", (source, message) => {
  expect(refusalOf(source)).toBe(`CEL_UNKNOWN_FUNCTION: ${message}`);
});

test("K3: a variable of a macro hides a declared one, unless a dot stands before the name", () => {
  expect(worthOf("[2].all(a, a == 2 && .a == 1)", { a: 1 })).toBe(true);
  expect(compileExpression("[2].all(a, a == 2)", { variables: ["a"] }).variables).toEqual([]);
  expect(compileExpression("b.x + a.y", { variables: ["a", "b", "c"] }).variables).toEqual(["a", "b"]);
});

test("K3: unchecked, names that nothing declares are errors of the evaluation", () => {
  const expression = compileExpression("nope || true", { variables: [], unchecked: true });
  expect(expression.evaluate({}).outcome).toEqual({ kind: "value", value: true });
  const call = compileExpression("nope(1)", { variables: [], unchecked: true }).evaluate({});
  expect(call.outcome).toMatchObject({ kind: "error", code: "CEL_UNKNOWN_FUNCTION" });
});
