import { canonicalJson, sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CelInput } from "../cel/value.ts";
import { inputDigest } from "./canonical-input.ts";

test("D1: facts in JSON have the digest of their canonical JSON", () => {
  const value = fc.jsonValue().filter((each) => !JSON.stringify(each).includes("$"));
  fc.assert(
    fc.property(value, (each) => {
      expect(inputDigest(each as CelInput)).toBe(sha256(canonicalJson(each)));
    }),
  );
  expect(inputDigest({ a: 1, b: undefined })).toBe(inputDigest({ a: 1 }));
});

test("D1: values of other kinds have digests of their own, and no document passes itself off as one", () => {
  const values: readonly CelInput[] = [
    1n,
    1,
    "1",
    1.5,
    new Date(1),
    Uint8Array.of(1),
    [1],
    { $int: "1" },
    { $time: 1 },
    { $bytes: "AQ==" },
    { $map: { $int: "1" } },
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    "null",
    true,
    {},
    [],
  ];
  expect(new Set(values.map(inputDigest)).size).toBe(values.length);
});

test("D2: what is nested too deeply is a mistake of the program that asks", () => {
  let deep: CelInput = 1;
  for (let depth = 0; depth < 202; depth++) deep = [deep];
  const circle: { [name: string]: CelInput } = {};
  circle["self"] = circle;
  for (const value of [deep, circle]) {
    expect(() => inputDigest(value)).toThrow(expect.objectContaining({ code: "ENGINE_INPUT_TOO_DEEP", nature: "bug" }));
  }
});
