import { expect, test } from "vitest";
import { parseModule } from "../sources/module.ts";
import { repositoryModules } from "../sources/repository-modules.ts";
import { checkSpecifications } from "./specifications.ts";
import { declaredTests } from "./test-titles.ts";

const path = "tools/checks/x.test.ts";

test("S1: tests that cite no rule, or one that does not exist, are found", () => {
  const text = `test("does it", f);\ntest("Z99: does it", f);\ndescribe("P1: pack", () => { test("does it", f); });`;
  const findings = checkSpecifications([...repositoryModules(), parseModule(path, text)]);
  const mine = findings.filter((finding) => finding.path === path).map((finding) => finding.message);
  expect(mine).toEqual(["cites no rule: does it", expect.stringMatching(/^cites Z99/)]);
});

test("S1: a rule without a test is found", () => {
  const others = repositoryModules().filter((module) => module.path !== "tools/pack/tarball.test.ts");
  const messages = checkSpecifications(others).map((finding) => finding.message);
  expect(messages).toContain("P2 is expressed by no test");
});

test("S1: titles are read through suites, conditions and tables", () => {
  const text = `
    describe("suite", () => { test.skipIf(!tool)("a", f); it("b", f); });
    test.each([1])("c %s", f);
    test(\`d \${x}\`, f);`;
  expect(declaredTests(parseModule(path, text)).map((entry) => entry.title)).toEqual([
    "suite > a",
    "suite > b",
    "c %s",
    "d …",
  ]);
});

test("S1: an attack on a package expresses its rules", () => {
  const messages = (more: string) => {
    const attack = parseModule("attacks/core/x.test.ts", more);
    const others = repositoryModules().filter((module) => module.path !== "packages/core/src/tree.test.ts");
    return checkSpecifications([...others, attack]).map((finding) => `${finding.path} ${finding.message}`);
  };
  expect(messages("")).toContain("packages/core/SPEC.md T1 is expressed by no test");
  expect(messages(`test("T1: a path leaves the tree", f);`)).not.toContain(
    "packages/core/SPEC.md T1 is expressed by no test",
  );
});
