import { expect, test } from "vitest";
import { parseModule } from "../sources/module.ts";
import { repositoryModules } from "../sources/repository-modules.ts";
import { checkLayers } from "./layers.ts";

/** Findings for one more module, beside the repository's own. */
function findingsOf(path: string, text: string): string[] {
  const modules = [...repositoryModules(), parseModule(path, text)];
  return checkLayers(modules)
    .filter((finding) => finding.path === path)
    .map((finding) => finding.message);
}

test.each([
  ["a higher layer", `import { x } from "@touchmark/pipeline";`],
  ["a type of a higher layer", `import type { X } from "@touchmark/pipeline";`],
  ["a type of a higher layer, inline", `export type Y = import("@touchmark/pipeline").X;`],
  ["a higher layer, on demand", `export const x = () => import("@touchmark/pipeline");`],
  ["a higher layer, passed on", `export { x } from "@touchmark/pipeline";`],
  ["the same layer", `import { x } from "@touchmark/sign";`],
])("L1: verify may not import %s", (_, text) => {
  expect(findingsOf("packages/verify/src/x.ts", text)).toEqual([expect.stringMatching(/not in a lower layer/)]);
});

test.each([
  ["a file of another package", `import { x } from "../../core/src/digest.ts";`, /lies outside/],
  ["a path that is not exported", `import { x } from "@touchmark/core/src/digest.ts";`, /does not export/],
  ["an undeclared package", `import { z } from "zod";`, /does not declare/],
  ["a package that hoisting would permit", `import { Command } from "commander";`, /does not declare/],
  ["itself by name", `import { x } from "@touchmark/verify";`, /its own package/],
  ["no such package", `import { x } from "@touchmark/nothing";`, /no such package/],
  ["a file without its extension", `import { x } from "./digest";`, /extension/],
])("L1: verify may not import %s", (_, text, message) => {
  expect(findingsOf("packages/verify/src/x.ts", text)).toEqual([expect.stringMatching(message)]);
});

test("L1: what is declared and lower passes", () => {
  const text = `import { sha256 } from "@touchmark/core";\nimport { createHash } from "node:crypto";\nimport x from "./y.ts";`;
  expect(findingsOf("packages/verify/src/x.ts", text)).toEqual([]);
});

test("L2: seeing nothing is a finding", () => {
  expect(checkLayers([])).toHaveLength(1);
});

test("L3: the test kit serves tests alone", () => {
  const text = `import { x } from "@touchmark/test-kit";`;
  expect(findingsOf("packages/verify/src/x.ts", text)).toEqual([expect.stringMatching(/only tests/)]);
  expect(findingsOf("packages/verify/src/x.test.ts", text)).toEqual([]);
});

test("L3: what is written with the tools of tests serves tests alone", () => {
  const fixture = parseModule("packages/verify/src/fixture.ts", `import { expect } from "vitest";`);
  const user = (path: string) => parseModule(path, `import { x } from "./fixture.ts";`);
  const modules = [
    ...repositoryModules(),
    fixture,
    user("packages/verify/src/x.ts"),
    user("packages/verify/src/x.test.ts"),
  ];
  const findings = checkLayers(modules).filter((finding) => finding.path.startsWith("packages/verify/"));
  expect(findings.map(({ path, message }) => `${path} ${message}`)).toEqual([
    "packages/verify/src/x.ts imports ./fixture.ts, which is a fixture of tests",
  ]);
});
