import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { SourceModule } from "../sources/module.ts";
import type { Finding } from "./finding.ts";
import { type DeclaredTest, declaredTests } from "./test-titles.ts";

/** Fixtures and contract suites: the rules that they express are those of other packages. */
const testKit = "packages/test-kit";

const rule = /^- \*\*([A-Z]+[0-9]+)\*\* /;
/** `W3: …`, `W3, W4: …` at the start of a test's name or of a suite around it. */
const citation = /^([A-Z]+[0-9]+(?:(?:, | and )[A-Z]+[0-9]+)*)(?::|$)/;

/** Every rule of a package's SPEC.md is expressed by a test of it, and every test names the rule that it expresses. */
export function checkSpecifications(modules: readonly SourceModule[]): Finding[] {
  const findings: Finding[] = [];
  const homes = new Set(modules.map((module) => homeOf(module.path)).filter((home) => home !== undefined));
  for (const home of homes) {
    const tests = modules.filter((module) => module.isTest && homeOf(module.path) === home).flatMap(declaredTests);
    const page = `${home}/SPEC.md`;
    const rules = rulesOf(page);
    if (rules.size === 0) {
      if (
        home !== testKit &&
        modules.some((module) => homeOf(module.path) === home && !module.path.endsWith("/index.ts"))
      ) {
        findings.push({ path: page, message: "expected numbered rules, found none" });
      }
      continue;
    }
    const cited = new Set(
      modules
        .filter((module) => speaksFor(module.path, home))
        .flatMap(declaredTests)
        .flatMap(rulesNamed),
    );
    for (const test of tests) {
      const names = rulesNamed(test);
      if (names.length === 0)
        findings.push({ path: test.path, line: test.line, message: `cites no rule: ${test.title}` });
      for (const name of names) {
        cited.add(name);
        if (!rules.has(name))
          findings.push({ path: test.path, line: test.line, message: `cites ${name}, which ${page} does not have` });
      }
    }
    for (const [name, line] of rules) {
      if (!cited.has(name)) findings.push({ path: page, line, message: `${name} is expressed by no test` });
    }
  }
  return findings;
}

/** The rules that a title begins with, its own or that of a suite around it. */
function rulesNamed(test: DeclaredTest): string[] {
  return test.title.split(" > ").flatMap((part) => citation.exec(part)?.[1]?.split(/, | and /) ?? []);
}

/** Attacks on a package, and the contract suite that its backends run, express its rules too. */
function speaksFor(path: string, home: string): boolean {
  const name = home.replace(/^packages\//, "");
  return path.startsWith(`attacks/${name}/`) || path.startsWith(`${testKit}/src/${name}-contract/`);
}

/** Directory that a SPEC.md speaks for: a package, or the tools. */
function homeOf(path: string): string | undefined {
  return /^(packages\/[^/]+|tools)\//.exec(path)?.[1];
}

function rulesOf(page: string): Map<string, number> {
  const path = join(repositoryRoot, page);
  const rules = new Map<string, number>();
  if (!existsSync(path)) return rules;
  for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
    const name = rule.exec(line)?.[1];
    if (name !== undefined) rules.set(name, index + 1);
  }
  return rules;
}
