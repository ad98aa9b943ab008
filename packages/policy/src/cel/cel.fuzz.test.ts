import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { worthOf } from "./cel.fixture.ts";
import { compileExpression } from "./compile.ts";
import { prepareVariables } from "./runtime/inputs.ts";
import { shortText } from "./runtime/text.ts";
import type { CelInput } from "./value.ts";

const words = (
  "a b x y 0 1 2u 1.5 -1 'a' b'a' true false null [ ] { } ( ) [? .? . , : ? + - * / % < <= == != in && || ! " +
  "a.b a.c[0] size( has( .all(x, .exists(x, .map(x, .filter(x, .exists_one(i,x, .transformMap(k,v, .optMap(x, " +
  "cel.bind(x, optional.of( optional.none() .orValue( .value() .matches( .split( .join( .format([ .replace( .sort() " +
  "timestamp( duration( int( string( bytes( type( math.greatest( sets.contains( lists.range( '2026-01-01T00:00:00Z' " +
  ".getHours( .substring( .indexOf( .flatten() .distinct() .first() dyn( 9223372036854775807 1e300 '%s%d'"
).split(" ");

const variables = ["a", "b"];
const values = { a: { b: [1, 2, 3], c: ["x", { d: 0.5 }], e: "text" }, b: "b" };
const limits = { cost: 20_000, memory: 20_000 };

/** An expression grown by rules, so that most of it is CEL. */
const grown = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      "a",
      "b",
      "1",
      "2u",
      "1.5",
      "'a'",
      "[1, 2]",
      "{'k': 1}",
      "true",
      "a.b",
      "a.c[1]",
      "a.?z",
      "null",
      "x",
    ),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("+", "-", "*", "/", "%", "==", "<", "in", "&&", "||"),
        tie("expression"),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(tie("expression"), fc.constantFrom("all", "exists", "existsOne", "map", "filter"), tie("expression"))
      .map(([range, macro, body]) => `${range}.${macro}(x, ${body})`),
    fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc
      .tuple(fc.constantFrom("size", "string", "int", "type", "dyn", "timestamp", "bytes"), tie("expression"))
      .map(([name, argument]) => `${name}(${argument})`),
    fc.tuple(tie("expression"), tie("expression")).map(([list, index]) => `${list}[${index}]`),
    fc.tuple(tie("expression"), tie("expression")).map(([value, body]) => `cel.bind(x, ${value}, ${body})`),
  ),
})).expression;

function tryAll(source: string): string {
  let expression: ReturnType<typeof compileExpression>;
  try {
    expression = compileExpression(source, { variables });
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
  const first = expression.evaluate(values, limits);
  const second = expression.evaluate(prepareVariables(values), limits);
  expect(second.cost).toBe(first.cost);
  expect(second.outcome).toEqual(first.outcome);
  expect(first.cost).toBeLessThan(limits.cost * 3);
  for (const part of first.explanation) {
    expect(source.slice(part.from, part.to)).toBe(part.expression);
    expect((part.value ?? part.error ?? "").length).toBeLessThanOrEqual(1_000);
  }
  return first.outcome.kind === "error" ? first.outcome.code : "value";
}

function outcomeIsKnown(source: string): void {
  expect(tryAll(source)).toMatch(/^(CEL_|value)/);
}

test("K10: any row of words is refused with a code or comes to an outcome, the same each time", () => {
  const rows = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((row) => row.join(" "));
  fc.assert(fc.property(rows, outcomeIsKnown), { numRuns: 3_000 });
});

test("K10: any text is refused with a code or comes to an outcome", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (source) => outcomeIsKnown(source)),
    {
      numRuns: 1_000,
    },
  );
});

test("K10: any expression comes to the same outcome at the same cost, and its explanation lies within it", () => {
  fc.assert(fc.property(grown, outcomeIsKnown), { numRuns: 3_000 });
});

test("K5: `&&` and `||` decide the same whichever side is first", () => {
  const sides = fc.constantFrom("true", "false", "1 / 0 == 1", "a.nope", "b == 'b'");
  fc.assert(
    fc.property(sides, sides, fc.constantFrom("&&", "||"), (left, right, operator) => {
      const one = worthOf(`${left} ${operator} ${right}`, values);
      const other = worthOf(`${right} ${operator} ${left}`, values);
      expect(typeof one === "boolean" ? one : "error").toBe(typeof other === "boolean" ? other : "error");
    }),
  );
});

test("K4: whole numbers add, multiply, divide as 64-bit numbers do, or overflow", () => {
  const int = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const operators = {
    "+": (a: bigint, b: bigint) => a + b,
    "-": (a: bigint, b: bigint) => a - b,
    "*": (a: bigint, b: bigint) => a * b,
  };
  fc.assert(
    fc.property(int, int, fc.constantFrom("+", "-", "*" as const), (a, b, operator) => {
      const exact = operators[operator](a, b);
      const expected = BigInt.asIntN(64, exact) === exact ? exact : "CEL_OVERFLOW";
      expect(worthOf(`a ${operator} b`, { a, b })).toBe(expected);
    }),
  );
});

test("K8: a document is equal to itself written as CEL, whatever its names and values are", () => {
  const writable = (value: unknown): boolean => JSON.stringify(value).length < 2_000;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }).filter(writable), (document) => {
      const a = document as CelInput;
      const text = shortText(worthOf("a", { a }), 20_000);
      expect(worthOf(`a == ${text}`, { a })).toBe(true);
    }),
    { numRuns: 500 },
  );
});
