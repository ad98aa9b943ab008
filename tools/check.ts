// Runs every check of the house, all at once; quiet about what is in order.
//
//   check.ts [--proven] [PATH...]     findings below these paths only; --proven: after all tests, on a machine that has
//                                     every tool, the tests of each met requirement must have run and passed

import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkDocuments, generatedDocuments } from "./checks/documents.ts";
import { checkErrorCodes, readErrorCodes } from "./checks/error-codes.ts";
import { type Finding, findingText } from "./checks/finding.ts";
import { checkHouseRules } from "./checks/house-rules.ts";
import { checkLayers } from "./checks/layers.ts";
import { checkLinks } from "./checks/links.ts";
import { checkLockfile, checkManifests } from "./checks/lockfile.ts";
import { checkRequirements, requirementFacts, unproven } from "./checks/requirements.ts";
import { checkSpecifications } from "./checks/specifications.ts";
import { repositoryRoot } from "./repository.ts";
import { repositoryModules } from "./sources/repository-modules.ts";
import { readResults } from "./tests/results.ts";

const { values, positionals } = parseArgs({ options: { proven: { type: "boolean" } }, allowPositionals: true });
const paths = positionals.map((path) => path.replace(/^\.\/|\/$/g, ""));

/** What a check came to: nothing to say, or lines to show. */
type Outcome = Promise<readonly string[]>;

/** Programs that check the whole repository; each prints nothing or its findings. */
const programs: Readonly<Record<string, readonly string[]>> = {
  types: ["typescript/bin/tsc", "-p", "."],
  lint: [
    "oxlint/bin/oxlint",
    "--type-aware",
    "--format=unix",
    "--deny-warnings",
    ...orAll(["packages", "attacks", "requirements", "bench", "tools"]),
  ],
  format: ["@biomejs/biome/bin/biome", "check", "--colors=off", "--max-diagnostics=40", ...orAll(["."])],
  "dead code": ["knip/bin/knip.js", "--no-progress", "--no-config-hints"],
};

/** Checks of our own, over the parsed sources. */
const own: Readonly<Record<string, () => Promise<readonly Finding[]> | readonly Finding[]>> = {
  layers: () => checkLayers(repositoryModules()),
  "house rules": () => checkHouseRules(repositoryModules()),
  specifications: () => checkSpecifications(repositoryModules()),
  "error codes": async () => {
    const modules = repositoryModules();
    return checkErrorCodes(await readErrorCodes(modules.map((module) => module.path)), modules);
  },
  documents: async () => checkDocuments(await generatedDocuments()),
  links: () => checkLinks(),
  requirements: () => {
    const facts = requirementFacts(repositoryModules(), readResults());
    return [...checkRequirements(facts), ...(values.proven === true ? unproven(facts) : [])];
  },
  lockfile: () => [...checkLockfile(), ...checkManifests()],
};

function orAll(all: readonly string[]): readonly string[] {
  return paths.length > 0 ? paths : all;
}

function isAskedFor(line: string): boolean {
  return paths.length === 0 || paths.some((path) => line.startsWith(path));
}

async function runProgram([script = "", ...words]: readonly string[]): Outcome {
  const child = spawn(process.execPath, [join("node_modules", script), ...words], { cwd: repositoryRoot });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status === 0) return [];
  const lines = output.trimEnd().split("\n");
  const asked = lines.filter(isAskedFor);
  return paths.length === 0 ? lines : asked;
}

async function report(name: string, outcome: Outcome, since: number): Promise<boolean> {
  const lines = await outcome;
  const took = `${((performance.now() - since) / 1000).toFixed(1)} s`;
  console.log(`${lines.length === 0 ? "ok  " : "FAIL"}  ${name.padEnd(14)} ${took}`);
  for (const line of lines) console.log(`      ${line}`);
  return lines.length === 0;
}

const since = performance.now();
const running = Object.entries(programs)
  .filter(([name]) => paths.length === 0 || name !== "dead code")
  .map(([name, words]) => report(name, runProgram(words), performance.now()));
for (const [name, check] of Object.entries(own)) {
  const begun = performance.now();
  const lines = Promise.resolve(check()).then((findings) => findings.map(findingText).filter(isAskedFor));
  running.push(report(name, lines, begun));
}
const outcomes = await Promise.all(running);
const failed = outcomes.filter((isGood) => !isGood).length;
const took = ((performance.now() - since) / 1000).toFixed(1);
console.log(`check: ${outcomes.length - failed} in order, ${failed} not (${took} s)`);
process.exitCode = failed === 0 ? 0 : 1;
