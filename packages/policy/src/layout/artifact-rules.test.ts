import type { ArtifactRule } from "@touchmark/formats/policy";
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyArtifactRules, type ItemArtifacts, type KnownItems } from "./artifact-rules.ts";
import { filesOnly } from "./artifacts.ts";
import { files } from "./layout.fixture.ts";

const none: KnownItems = new Map();
const item = (materials: Record<string, string>, products: Record<string, string>): ItemArtifacts => ({
  materials: files(materials),
  products: files(products),
});
const end: ArtifactRule = { rule: "DISALLOW", pattern: "*" };
/** What is left in the queue when all rules were applied; names in the message of DISALLOW. */
const left = (rules: readonly ArtifactRule[], of: ItemArtifacts, queue: "materials" | "products", known = none) =>
  applyArtifactRules([...rules, end], of, queue, known).failure?.message.replace("DISALLOW * found ", "") ?? "";

const changed = item({ kept: "k", gone: "g", old: "1" }, { kept: "k", fresh: "f", old: "2" });

test("L21: CREATE, DELETE, MODIFY and ALLOW take what they speak of, and no more", () => {
  expect(left([{ rule: "CREATE", pattern: "*" }], changed, "products")).toBe('"kept", "old"');
  expect(left([{ rule: "DELETE", pattern: "*" }], changed, "materials")).toBe('"kept", "old"');
  expect(left([{ rule: "MODIFY", pattern: "*" }], changed, "products")).toBe('"fresh", "kept"');
  expect(left([{ rule: "ALLOW", pattern: "k*" }], changed, "products")).toBe('"fresh", "old"');
  expect(left([{ rule: "DELETE", pattern: "*" }], changed, "products")).toBe('"fresh", "kept", "old"');
});

test("L22: rules are applied in order: a DISALLOW before its ALLOW refuses, a REQUIRE after a rule that took it too", () => {
  const allow: ArtifactRule = { rule: "ALLOW", pattern: "*" };
  const need: ArtifactRule = { rule: "REQUIRE", pattern: "fresh" };
  const fails = (...rules: ArtifactRule[]) => applyArtifactRules(rules, changed, "products", none).failure?.message;
  expect(fails(allow, end)).toBeUndefined();
  expect(fails(end, allow)).toBe('DISALLOW * found "fresh", "kept", "old"');
  expect(fails(need, allow)).toBeUndefined();
  expect(fails(allow, need)).toBe("REQUIRE fresh found no such artifact in the queue");
  expect(fails({ rule: "REQUIRE", pattern: "fre*" })).toBe("REQUIRE fre* found no such artifact in the queue");
  expect(fails()).toBeUndefined();
});

const build = item({}, { "out/a": "1", "out/b": "2", c: "3" });
const known: KnownItems = new Map([["build", build]]);
const match = (rule: Omit<ArtifactRule, "rule">): ArtifactRule => ({
  rule: "MATCH",
  with: "products",
  from: "build",
  ...rule,
});

test("L23: MATCH takes what has the same digest under the corresponding name, with prefixes on either side", () => {
  const use = item({ "in/a": "1", "in/b": "x", c: "3", d: "3" }, {});
  expect(left([match({ pattern: "*" })], use, "materials", known)).toBe('"d", "in/a", "in/b"');
  expect(left([match({ pattern: "*", in: "in", to: "out" })], use, "materials", known)).toBe('"c", "d", "in/b"');
  expect(left([match({ pattern: "*", in: "in/", to: "out/" })], use, "materials", known)).toBe('"c", "d", "in/b"');
  expect(left([match({ pattern: "*", in: "i*", to: "out" })], use, "materials", known)).toBe(
    '"c", "d", "in/a", "in/b"',
  );
  expect(left([match({ pattern: "a", to: "out" })], item({ a: "1" }, {}), "materials", known)).toBe("");
  expect(left([match({ pattern: "*", with: "materials" })], use, "materials", known)).toBe('"c", "d", "in/a", "in/b"');
  expect(left([match({ pattern: "*", from: "elsewhere" })], use, "materials", known)).toBe('"c", "d", "in/a", "in/b"');
});

test("L23: digests are compared as sets: another algorithm beside is another artifact", () => {
  const both = { materials: filesOnly(new Map([["c", "sha256:ab,sha512:cd"]])), products: filesOnly(new Map()) };
  const one: KnownItems = new Map([
    ["build", { materials: both.products, products: filesOnly(new Map([["c", "sha256:ab"]])) }],
  ]);
  expect(left([match({ pattern: "*" })], both, "materials", one)).toBe('"c"');
});

test("L24: a tree that was consumed takes its files along, and is consumed with the last of them", () => {
  const digests = files({ "output/build": "tree", a: "1", b: "2" }).digests;
  const tree: ItemArtifacts = {
    materials: filesOnly(new Map()),
    products: { digests, members: new Map([["output/build", ["a", "b"]]]) },
  };
  expect(left([{ rule: "CREATE", pattern: "output/build" }], tree, "products")).toBe("");
  expect(left([{ rule: "CREATE", pattern: "a" }], tree, "products")).toBe('"b", "output/build"');
  expect(
    left(
      ["a", "b"].map((pattern) => ({ rule: "CREATE", pattern })),
      tree,
      "products",
    ),
  ).toBe("");
  const empty = { ...tree, products: { digests: files({ "output/build": "tree" }).digests, members: new Map() } };
  expect(left([], empty, "products")).toBe('"output/build"');
});

const names = fc.constantFrom("a", "b", "d/a", "d/b", "e");
const artifacts = fc.dictionary(names, fc.constantFrom("1", "2"), { maxKeys: 5 }).map((content) => ({ ...content }));
const pattern = fc.constantFrom("*", "a", "d/*", "?", "[ab]", "nothing");
const rule: fc.Arbitrary<ArtifactRule> = fc.oneof(
  fc.record({ rule: fc.constantFrom("ALLOW", "CREATE", "DELETE", "MODIFY", "DISALLOW", "REQUIRE"), pattern }),
  fc.record(
    {
      rule: fc.constant("MATCH" as const),
      pattern,
      with: fc.constantFrom("materials", "products"),
      in: fc.constantFrom("d"),
      to: fc.constantFrom("d"),
      from: fc.constantFrom("build", "elsewhere"),
    },
    { requiredKeys: ["rule", "pattern", "with", "from"] },
  ),
);
const rules = fc.array(rule, { maxLength: 6 });
const items = fc.tuple(artifacts, artifacts).map(([materials, products]) => item(materials, products));
const others = items.map((build): KnownItems => new Map([["build", build]]));
const queues = fc.constantFrom("materials" as const, "products" as const);

test("L25: without DISALLOW and REQUIRE nothing fails, and after ALLOW * no DISALLOW does", () => {
  fc.assert(
    fc.property(rules, items, queues, others, (all, of, queue, known) => {
      const consuming = all.filter((each) => each.rule !== "DISALLOW" && each.rule !== "REQUIRE");
      const allow: ArtifactRule = { rule: "ALLOW", pattern: "*" };
      return applyArtifactRules([...consuming, allow, end], of, queue, known).failure === undefined;
    }),
  );
});

test("L25: a rule in front that only takes away never makes a DISALLOW fail that held", () => {
  fc.assert(
    fc.property(rules, rule, items, queues, others, (all, first, of, queue, known) => {
      fc.pre(first.rule !== "DISALLOW" && first.rule !== "REQUIRE");
      const kept = all.filter((each) => each.rule !== "REQUIRE");
      const before = applyArtifactRules(kept, of, queue, known).failure;
      const after = applyArtifactRules([first, ...kept], of, queue, known).failure;
      return before !== undefined || after === undefined;
    }),
  );
});

test("L25: MATCH alone, closed by DISALLOW, holds only for artifacts that the other step has", () => {
  fc.assert(
    fc.property(items, queues, others, (of, queue, known) => {
      const matchAll: ArtifactRule = { rule: "MATCH", pattern: "*", with: "products", from: "build" };
      const holds = applyArtifactRules([matchAll, end], of, queue, known).failure === undefined;
      const theirs = known.get("build")?.products.digests;
      const isSubset = [...of[queue].digests].every(([name, digest]) => theirs?.get(name) === digest);
      return holds === isSubset;
    }),
  );
});
