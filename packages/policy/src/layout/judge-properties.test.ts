import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeLayout } from "./judge-layout.ts";
import { issuer, layoutOf, link, question, signer, step, twoLinks } from "./layout.fixture.ts";
import type { StepLink } from "./step-link.ts";

const layout = layoutOf([
  step("build", { functionaries: ["build", "other"], products: [{ rule: "REQUIRE", pattern: "app" }] }),
  step("package", {
    after: ["build"],
    materials: [
      { rule: "MATCH", pattern: "*", with: "products", from: "build" },
      { rule: "DISALLOW", pattern: "*" },
    ],
  }),
]);
const content = fc.dictionary(fc.constantFrom("app", "src", "app.tgz"), fc.constantFrom("a", "t", "x"), { maxKeys: 3 });
const anyLink: fc.Arbitrary<StepLink> = fc
  .record({
    step: fc.constantFrom("build", "package", "other"),
    materials: content,
    products: content,
    by: fc.constantFrom("build", "package", "other", "mallory"),
    authority: fc.constantFrom(issuer, "https://other.example.org"),
    run: fc.constantFrom("r0", "r1", "r2", undefined),
    alsoRuns: fc.subarray(["r0", "r1"]),
    exitCode: fc.constantFrom(0, 1, undefined),
  })
  .map(({ step: name, materials, products, by, authority, ...rest }) =>
    link(name, { ...materials }, { ...products }, { ...rest, signer: signer(by, authority) }),
  );
const noise = fc.array(anyLink, { maxLength: 12 });

test("L14: further links never take away what was satisfied", () => {
  fc.assert(
    fc.property(noise, fc.nat({ max: 12 }), (links, at) => {
      const all = [...links.slice(0, at), ...twoLinks, ...links.slice(at)];
      return judgeLayout(question({ layout, links: all })).verdict === "satisfied";
    }),
  );
});

test("L14: what few links satisfy, more do", () => {
  fc.assert(
    fc.property(noise, noise, (some, more) => {
      const before = judgeLayout(question({ layout, links: some })).verdict;
      const after = judgeLayout(question({ layout, links: [...more, ...some] })).verdict;
      return before === "refused" || after === "satisfied";
    }),
  );
});

test("L14: without a link of a step by its functionary nothing satisfies", () => {
  fc.assert(
    fc.property(noise, fc.constantFrom("build", "package"), (links, name) => {
      const without = [...twoLinks, ...links].filter((each) => each.step !== name);
      return judgeLayout(question({ layout, links: without })).verdict === "refused";
    }),
  );
});

test("L14: the order of links changes neither verdict nor reasons", () => {
  fc.assert(
    fc.property(noise, (links) => {
      const said = (all: readonly StepLink[]) => {
        const { verdict, denials } = judgeLayout(question({ layout, links: all }));
        return { verdict, denials };
      };
      expect(said(links.toReversed())).toEqual(said(links));
    }),
  );
});
