import { expect, test } from "vitest";
import { KeptValues } from "./kept-values.ts";

test("C18: what a thread keeps is bounded in number and bytes; what was longest unused goes first", () => {
  const kept = new KeptValues<string, number>({ entries: 3, bytes: 100 });
  const has = (names: string) =>
    names
      .split("")
      .filter((name) => kept.get(name) !== undefined)
      .join("");
  for (const name of ["a", "b", "c"]) kept.put(name, 1, 30);
  expect(kept.get("a")).toBe(1);
  kept.put("d", 1, 10);
  expect(has("abcd")).toBe("acd");
  kept.put("e", 1, 80);
  expect(has("abcde")).toBe("de");
  kept.put("f", 1, 101);
  expect(has("def")).toBe("de");
  kept.put("e", 2, 20);
  kept.put("g", 1, 70);
  expect(has("deg")).toBe("deg");
  expect(kept.get("e")).toBe(2);
});
