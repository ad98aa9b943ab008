import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { SourceModule } from "../sources/module.ts";
import { fileDigest, type TestRecord, type TestResults } from "../tests/results.ts";
import type { Finding } from "./finding.ts";
import { declaredTests } from "./test-titles.ts";

const statuses = ["met", "partly", "planned", "not-applicable"] as const;

/** A requirement, and what this project has to show for it. */
export interface RequirementRow {
  readonly id: string;
  readonly status: (typeof statuses)[number];
  /** Files that meet it. */
  readonly code: readonly string[];
  /** Tests that show it, each `FILE: TITLE`. */
  readonly tests: readonly string[];
  /** Why it is not met, or not wholly; for a met one, how it is met. */
  readonly reason: string;
}

const page = "docs/requirements.json";
const members = ["id", "status", "code", "tests", "reason"];

/** Everything needed to judge the table, so that a test can judge another one. */
export interface RequirementFacts {
  readonly rows: readonly RequirementRow[];
  readonly ids: readonly string[];
  readonly modules: readonly SourceModule[];
  /** Results of the tests, when they ran. */
  readonly results: TestResults | undefined;
}

/** The committed table, its ids, the tests and their last results. */
export function requirementFacts(modules: readonly SourceModule[], results: TestResults | undefined): RequirementFacts {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, path), "utf8"));
  const ids = (read("docs/requirements-ids.json") as { id: string }[]).map((row) => row.id);
  return { rows: read(page) as RequirementRow[], ids, modules, results };
}

/** Every id has one row, and every row is true: its files exist, its tests exist, and those that ran passed. */
export function checkRequirements(facts: RequirementFacts): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const declared = declaredTitles(facts.modules);
  for (const row of facts.rows) {
    const at = (message: string): void => void findings.push({ path: page, message: `${row.id}: ${message}` });
    if (Object.keys(row).join() !== members.join()) at(`expected the members ${members.join(", ")}`);
    if (!facts.ids.includes(row.id)) at("is no id of docs/requirements-ids.json");
    if (seen.has(row.id)) at("stands twice");
    seen.add(row.id);
    if (!statuses.includes(row.status)) at(`expected a status of ${statuses.join(", ")}, found ${row.status}`);
    if (row.reason.trim() === "") at("gives no reason");
    for (const path of row.code) if (!existsSync(join(repositoryRoot, path))) at(`names ${path}, which does not exist`);
    for (const test of row.tests) {
      const problem = problemOfTest(test, declared, facts.results);
      if (problem !== undefined) at(problem);
    }
    const needsProof = row.status === "met" || row.status === "partly";
    if (needsProof && row.code.length === 0) at(`${row.status}, but names no code`);
    if (needsProof && row.tests.length === 0) at(`${row.status}, but names no test`);
    if (row.status === "not-applicable" && !row.code.some((path) => /^docs\/decisions\/\d{4}-.+\.md$/.test(path))) {
      at("not applicable, but names no decision record");
    }
  }
  for (const id of facts.ids) if (!seen.has(id)) findings.push({ path: page, message: `${id}: has no row` });
  return findings;
}

function declaredTitles(modules: readonly SourceModule[]): ReadonlyMap<string, readonly string[]> {
  const tests = modules.filter((module) => module.isTest);
  return new Map(tests.map((module) => [module.path, declaredTests(module).map((test) => test.title)]));
}

function problemOfTest(
  entry: string,
  declared: ReadonlyMap<string, readonly string[]>,
  results: TestResults | undefined,
): string | undefined {
  const { file, title } = citation(entry);
  const titles = declared.get(file);
  if (titles === undefined) return `expected FILE: TITLE of a test file, found ${JSON.stringify(entry)}`;
  const ran = currentTests(file, results);
  const cases = ran?.filter((test) => answers(test.title, title)) ?? [];
  // Titles that are made at run time are known from a run alone.
  if (cases.length === 0 && !titles.some((candidate) => answers(title, candidate) || answers(candidate, title))) {
    return `names the test ${JSON.stringify(title)}, which ${file} does not have`;
  }
  if (ran === undefined) return undefined;
  if (cases.length === 0) return `the test ${JSON.stringify(title)} of ${file} did not run`;
  if (cases.some((test) => test.state === "failed")) return `the test ${JSON.stringify(title)} of ${file} failed`;
  return undefined;
}

/** The met rows whose tests did not all run and pass here: a machine with every tool must have none. */
export function unproven({ rows, results }: RequirementFacts): Finding[] {
  const isProven = (entry: string): boolean => {
    const { file, title } = citation(entry);
    const cases = currentTests(file, results)?.filter((test) => answers(test.title, title)) ?? [];
    return cases.some((test) => test.state === "passed") && !cases.some((test) => test.state === "failed");
  };
  return rows
    .filter((row) => row.status === "met")
    .flatMap((row) => row.tests.filter((entry) => !isProven(entry)).map((entry) => ({ row, entry })))
    .map(({ row, entry }) => ({ path: page, message: `${row.id}: did not run and pass here: ${entry}` }));
}

function citation(entry: string): { file: string; title: string } {
  const [, file = "", title = ""] = /^(\S+?): (.+)$/.exec(entry) ?? [];
  return { file, title };
}

/** What the last run of a file recorded; nothing when the file changed since, because that proves nothing. */
function currentTests(file: string, results: TestResults | undefined): readonly TestRecord[] | undefined {
  const record = results?.[file];
  return record !== undefined && record.digest === fileDigest(file) ? record.tests : undefined;
}

/** True when a test is the cited one: by its whole title, without the suites around it, or as a case of a table. */
function answers(title: string, cited: string): boolean {
  if (title === cited || title.endsWith(` > ${cited}`)) return true;
  if (!cited.includes("…") && !/%[sdifjo#]|\$\w/.test(cited)) return false;
  const parts = cited.split(/…|%[sdifjo#]|\$[\w.]+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^(.* > )?${parts.join(".*")}$`, "s").test(title);
}
