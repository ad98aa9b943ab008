import type { ClassicLayout } from "@touchmark/formats/in-toto";
import { expect, test } from "vitest";
import { stepLinkOfClassic, substituteParameters } from "./classic.ts";
import { digestOf } from "./layout.fixture.ts";

const layout: ClassicLayout = {
  expires: "2028-01-01T00:00:00Z",
  readme: "{name}",
  keys: {},
  steps: [
    {
      name: "build",
      command: ["make", "{name}", "{{x}}"],
      materials: [{ rule: "MATCH", pattern: "{name}/*", in: "{dir}", with: "products", to: "{dir}", from: "{step}" }],
      products: [{ rule: "ALLOW", pattern: "{name}" }],
      threshold: 1,
      pubkeys: [],
    },
  ],
  inspections: [{ name: "look", run: ["tar", "xf", "{name}"], materials: [], products: [] }],
};

test("L34: placeholders are replaced once, everywhere that in-toto does; values are not looked into", () => {
  const given = new Map([
    ["name", "{dir}"],
    ["dir", "d"],
    ["step", "clone"],
  ]);
  expect(substituteParameters(layout, given)).toEqual({
    ...layout,
    steps: [
      {
        ...layout.steps[0],
        command: ["make", "{dir}", "{x}"],
        materials: [{ rule: "MATCH", pattern: "{dir}/*", in: "d", with: "products", to: "d", from: "clone" }],
        products: [{ rule: "ALLOW", pattern: "{dir}" }],
      },
    ],
    inspections: [{ name: "look", run: ["tar", "xf", "{dir}"], materials: [], products: [] }],
  });
  expect(substituteParameters(layout, new Map())).toBe(layout);
});

test.each(["{unknown}", "{", "}", "{}", "{name!r}", "{name.x}"])(
  "L34: %s has no parameter and is refused",
  (command) => {
    const [step] = layout.steps;
    const odd = { ...layout, steps: [{ ...step, command: [command] }] } as ClassicLayout;
    const given = new Map([
      ["name", "n"],
      ["dir", "d"],
      ["step", "s"],
    ]);
    expect(() => substituteParameters(odd, given)).toThrow(expect.objectContaining({ code: "LAYOUT_PARAMETER" }));
  },
);

test("L3: a classic link of another step counts for nothing under this one's file name", () => {
  const hash = { sha256: "ab".repeat(32), sha512: "cd".repeat(64) };
  const content = { name: "clone", command: [], materials: {}, products: { a: hash }, byproducts: {}, environment: {} };
  const own = stepLinkOfClassic("clone", content, Buffer.from("x"), digestOf("key"));
  expect(own.unusable).toBeUndefined();
  expect([...own.products.digests.values()]).toEqual([`sha256:${hash.sha256},sha512:${hash.sha512}`]);
  expect(stepLinkOfClassic("build", content, Buffer.from("x"), digestOf("key")).unusable).toBe(
    'it is the link of "clone"',
  );
});
