import { expect, test } from "vitest";
import { evaluationOf, worthOf } from "../cel.fixture.ts";
import { compileExpression } from "../compile.ts";
import { prepareVariables } from "./inputs.ts";
import { mapOfEntries, mapOfValues } from "./maps.ts";
import { shortText } from "./text.ts";

test.each(["constructor", "toString", "__proto__", "hasOwnProperty", "prototype", "length", "entries", "size"])(
  "K8: an object has no %s of its own",
  (name) => {
    expect(worthOf(`a.${name}`, { a: {} })).toBe("CEL_NO_SUCH_FIELD");
    expect(worthOf(`has(a.${name}) || '${name}' in a || a[?'${name}'].hasValue()`, { a: {} })).toBe(false);
    expect(worthOf(`a.${name}`, { a: [] })).toBe("CEL_NO_SUCH_OVERLOAD");
  },
);

test("K8: a member that is called __proto__ is a member", () => {
  expect(worthOf("a.__proto__ == 1 && size(a) == 1", { a: JSON.parse('{"__proto__": 1}') as {} })).toBe(true);
});

test("K8: a document cannot pass itself off as a time, a type or an optional", () => {
  const a = { cel: "timestamp", nanoseconds: 1 };
  expect(worthOf("type(a) == map && a != timestamp(0)", { a })).toBe(true);
  expect(worthOf("a.hasValue()", { a: { cel: "optional", value: 1 } })).toBe("CEL_NO_SUCH_OVERLOAD");
});

test("K8: whole numbers become int, others double; dates become times", () => {
  expect(worthOf("type(a) == int && type(b) == double && type(c) == double", { a: 3, b: 0.5, c: 2 ** 60 })).toBe(true);
  expect(worthOf("a == timestamp('2026-01-02T03:04:05.006Z')", { a: new Date("2026-01-02T03:04:05.006Z") })).toBe(true);
  expect(worthOf("a == a", { a: new Date(Number.NaN) })).toBe("CEL_CONVERSION");
  expect(worthOf("a == a", { a: new Date(8e15) })).toBe("CEL_OVERFLOW");
});

test("K8: members that are undefined are absent", () => {
  expect(worthOf("size(a) == 1 && !has(a.x)", { a: { x: undefined, y: null } })).toBe(true);
});

test("K8: a declared variable without a value is an error of its own", () => {
  const expression = compileExpression("a == 1", { variables: ["a"] });
  expect(expression.evaluate({}).outcome).toMatchObject({ code: "CEL_VARIABLE_MISSING", from: 0, to: 1 });
  expect(expression.evaluate({ a: undefined }).outcome).toMatchObject({ code: "CEL_VARIABLE_MISSING" });
});

test("K8: a value that fails while it is read is an error of its own", () => {
  const a = new Proxy(
    {},
    {
      getOwnPropertyDescriptor: () => {
        throw new Error("gone");
      },
    },
  );
  expect(evaluationOf("a.b", { a }).outcome).toMatchObject({ code: "CEL_INTERNAL", message: "gone" });
});

test("K8: prepared variables are converted once, and only as far as they are asked for", () => {
  let reads = 0;
  const inner = { c: 1 };
  const a = {
    get b(): { c: number } {
      reads += 1;
      return inner;
    },
    get never(): never {
      throw new Error("was read");
    },
  };
  const prepared = prepareVariables({ a });
  const expression = compileExpression("a.b.c == 1", { variables: ["a"] });
  for (let round = 0; round < 5; round += 1)
    expect(expression.evaluate(prepared).outcome).toMatchObject({ value: true });
  expect(reads).toBeLessThanOrEqual(6);
});

test("K8: more variables and values of earlier evaluations join prepared ones", () => {
  const base = prepareVariables({ a: 1, b: 1 });
  const list = evaluationOf("[1.0, 2.0]").outcome;
  const vars = mapOfValues({ list: list.kind === "value" ? list.value : null });
  const prepared = base.with({ b: 2 }).withValues({ vars });
  const expression = compileExpression("a == 1 && b == 2 && type(vars.list[0]) == double", {
    variables: ["a", "b", "vars"],
  });
  expect(expression.evaluate(prepared).outcome).toEqual({ kind: "value", value: true });
  expect(worthOf("m[1u] == 'one'", { m: mapOfEntries([{ key: 1n, value: "one" }]) })).toBe(true);
});

test.each([
  ["[1, 2u, 1.0, 'a\"b', b'a\\xff', null, int]", '[1, 2u, 1.0, "a\\"b", b"a\\xff", null, int]'],
  ["{'a': timestamp(0), 1: duration('1.5s')}", '{"a": timestamp("1970-01-01T00:00:00Z"), 1: duration("1.5s")}'],
  ["[optional.none(), optional.of(1)]", "[optional.none(), optional.of(1)]"],
])("K9: %s is shown as CEL", (source, text) => {
  expect(shortText(worthOf(source))).toBe(text);
});

test("K9: a long value is shown in two hundred characters", () => {
  expect(shortText(worthOf("lists.range(100000)"))).toHaveLength(200);
  expect(shortText("😀".repeat(10_000)).isWellFormed()).toBe(true);
});
