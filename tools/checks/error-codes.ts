import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../repository.ts";
import { literalText, type SourceModule, walk } from "../sources/module.ts";
import type { Finding } from "./finding.ts";

/** A row of an error table, with where it stands. */
export interface ErrorCode {
  readonly package: string;
  readonly path: string;
  readonly code: string;
  readonly nature: string;
  readonly meaning: string;
  readonly hint?: string;
}

interface Row {
  readonly nature: string;
  readonly meaning: string;
  readonly hint?: string;
}

/** Where error tables stand: `errors.ts`, or `NOUN-errors.ts` in a package with several. */
export const errorTableFile = /^packages\/[^/]+\/src\/(.*\/)?([\w-]+-)?errors\.ts$/;

/** Reads every error table by importing it. */
export async function readErrorCodes(paths: readonly string[]): Promise<ErrorCode[]> {
  const codes: ErrorCode[] = [];
  for (const path of paths.filter((candidate) => errorTableFile.test(candidate))) {
    const exports = (await import(pathToFileURL(join(repositoryRoot, path)).href)) as Record<string, unknown>;
    for (const table of Object.values(exports)) {
      if (typeof table !== "object" || table === null || !("rows" in table)) continue;
      for (const [code, row] of Object.entries(table.rows as Record<string, Row>)) {
        codes.push({ package: path.split("/")[1] ?? "", path, code, ...row });
      }
    }
  }
  return codes;
}

/** Every code is spelled well, unique, raised by code and expected by some test; every test expects codes that exist. */
export function checkErrorCodes(codes: readonly ErrorCode[], modules: readonly SourceModule[]): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  const inTests = new Set<string>();
  const inCode = new Set<string>();
  for (const module of modules) {
    if (errorTableFile.test(module.path) || module.path.startsWith("tools/")) continue;
    const isTest = module.isTest || /^(attacks|requirements)\//.test(module.path);
    for (const code of codeWords(module)) (isTest ? inTests : inCode).add(code);
  }
  for (const { code, path, meaning } of codes) {
    const at = (message: string): void => void findings.push({ path, message: `${code}: ${message}` });
    if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(code)) at("expected UPPER_SNAKE of two words or more");
    if (!meaning.endsWith(".")) at("its meaning is no sentence");
    const other = seen.get(code);
    if (other !== undefined) at(`stands in ${other} as well`);
    seen.set(code, path);
    if (!inCode.has(code)) at("no code raises it");
    if (!inTests.has(code)) at("no test raises it");
  }
  return findings;
}

/** The strings of a module that look like codes, whole or as words of a longer string. */
function* codeWords(module: SourceModule): Generator<string> {
  for (const node of walk(module.program)) {
    const text = literalText(node);
    if (text !== undefined) yield* text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [];
  }
}

const exitCodes: Readonly<Record<string, number>> = { invalid: 2, refused: 3, unavailable: 4, bug: 70 };

/** The page of all codes, `docs/errors.md`. */
export function errorsPage(codes: readonly ErrorCode[]): string {
  const packages = [...new Set(codes.map((row) => row.package))].sort();
  const parts = [
    "# Error codes",
    "",
    "Made from the error tables of the packages by `npm run docs`; `npm run check` compares. A command that fails prints",
    "nature, code and message, and exits with the number of the nature. A step whose own command fails is no error of",
    "these: the run is `failed`, exit 1.",
    "",
    "| Nature | Meaning | Exit |",
    "|---|---|---|",
    `| invalid | the caller's input | ${exitCodes["invalid"]} |`,
    `| refused | verification or policy said no | ${exitCodes["refused"]} |`,
    `| unavailable | transient: try again | ${exitCodes["unavailable"]} |`,
    `| bug | ours: please report it | ${exitCodes["bug"]} |`,
  ];
  for (const name of packages) {
    parts.push("", `## ${name}`, "", "| Code | Nature | Meaning | What to do |", "|---|---|---|---|");
    const rows = codes.filter((row) => row.package === name).sort((a, b) => (a.code < b.code ? -1 : 1));
    for (const row of rows)
      parts.push(`| \`${row.code}\` | ${row.nature} | ${cell(row.meaning)} | ${cell(row.hint ?? "")} |`);
  }
  return `${parts.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
