import { expect, test } from "vitest";
import { evaluationOf, worthOf } from "../cel.fixture.ts";

test("K10: what has no variable is worked out once, and costs an evaluation nothing", () => {
  const list = Array.from({ length: 5_000 }, (_, index) => index).join();
  expect(evaluationOf(`a in [${list}]`, { a: 3 }).cost).toBeLessThan(20);
  expect(evaluationOf("a < timestamp('2026-01-01T00:00:00Z') + duration('1h')", { a: new Date(0) }).cost).toBeLessThan(
    5,
  );
  expect(evaluationOf("{'x': {'y': 1}}[a].y == 1", { a: "x" }).cost).toBeLessThan(10);
});

test("K6: constants that would be large are not worked out while compiling", () => {
  const large = Array.from({ length: 200 }, () => "size(lists.range(60000))").join(" + ");
  expect(evaluationOf(`a == 1 || ${large} == 0`, { a: 1 }).cost).toBeLessThan(10);
  expect(worthOf(`a == 1 || ${large} == 0`, { a: 2 })).toBe("CEL_MEMORY");
});

test("K5: a constant that fails does so when it is reached, not before", () => {
  expect(worthOf("a || 1 / 0 == 1 || 'a'.matches('(')", { a: true })).toBe(true);
  expect(worthOf("a || 'a'.matches('(')", { a: false })).toBe("CEL_REGEX");
});
