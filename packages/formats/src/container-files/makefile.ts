import type { Position } from "../pipeline/definition.ts";
import { ContainerFileError, type Report } from "./finding.ts";
import { lintScript } from "./script-rules.ts";
import { readShell } from "./shell-reader.ts";
import { type SourceText, TextBuilder } from "./source-text.ts";

const MAX_VALUE = 500;
const MAX_RECIPE = 2 * 1024 * 1024;
const assignment =
  /^\s{0,40}(?:export\s+|override\s+)?([A-Za-z_][A-Za-z0-9_.-]{0,100})\s{0,40}(?:::?:?|\?|\+|!)?=\s{0,40}(.*)$/;

/** Judges the recipes of a Makefile, and what `$(shell …)` runs while it is read. */
export function lintMakefile(text: string, report: Report): void {
  const lines = text.split(/\r?\n/);
  const variables = new Map<string, string>();
  let recipe = new TextBuilder();
  const flush = () => {
    if (recipe.length > 0) judge(recipe.build(), report);
    recipe = new TextBuilder();
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const at: Position = { line: i + 1, column: 1 };
    if (line.startsWith("\t")) {
      const indent = /^\t[\t @+-]*/.exec(line)?.[0].length ?? 1;
      addExpanded(recipe, `${line.slice(indent)}\n`, { line: i + 1, column: indent + 1 }, variables);
      continue;
    }
    // Recipes go on over blank lines, comments and conditionals.
    if (/^\s*(?:#|$|ifeq|ifneq|ifdef|ifndef|else|endif)/.test(line)) continue;
    flush();
    let whole = line;
    while (whole.endsWith("\\") && i + 1 < lines.length && whole.length < 65_536)
      whole = `${whole.slice(0, -1)} ${(lines[++i] ?? "").trim()}`;
    const found = assignment.exec(whole);
    const value = found?.[2] ?? "";
    for (const shell of shellCalls(whole)) {
      const builder = new TextBuilder();
      addExpanded(builder, shell, at, variables);
      judge(builder.build(), report);
    }
    if (found !== null) {
      const name = found[1] ?? "";
      if (!value.includes("$(shell"))
        variables.set(name, inserted(value.slice(0, MAX_VALUE), variables).slice(0, MAX_VALUE));
      continue;
    }
    const semicolon = whole.indexOf(";");
    if (semicolon !== -1 && /^[^:]{1,400}:/.test(whole)) {
      addExpanded(recipe, `${whole.slice(semicolon + 1)}\n`, { line: at.line, column: semicolon + 2 }, variables);
    }
  }
  flush();
}

function judge(source: SourceText, report: Report): void {
  lintScript(readShell(source), report);
}

/** Arguments of `$(shell …)`, parentheses counted. */
function shellCalls(line: string): string[] {
  const calls: string[] = [];
  let from = line.indexOf("$(shell ");
  while (from !== -1 && calls.length < 100) {
    let depth = 1;
    let end = from + 8;
    for (; end < line.length && depth > 0; end++) {
      if (line[end] === "(") depth++;
      else if (line[end] === ")") depth--;
    }
    calls.push(line.slice(from + 8, depth === 0 ? end - 1 : end));
    from = line.indexOf("$(shell ", end);
  }
  return calls;
}

const reference = /\$(?:\$|\(([A-Za-z_][A-Za-z0-9_.-]{0,100})\)|\{([A-Za-z_][A-Za-z0-9_.-]{0,100})\})/g;

function inserted(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(reference, (whole, round?: string, curly?: string) => {
    if (whole === "$$") return "$";
    const name = round ?? curly ?? "";
    return variables.get(name) ?? `\${${name.replace(/[.-]/g, "_")}}`;
  });
}

/** Adds a piece of a recipe, its variables put in; every character keeps its place. */
function addExpanded(
  builder: TextBuilder,
  text: string,
  { line, column }: Position,
  variables: ReadonlyMap<string, string>,
): void {
  let last = 0;
  for (const found of text.matchAll(reference)) {
    if (builder.length > MAX_RECIPE) {
      const expected = `expected at most ${MAX_RECIPE} characters of commands once variables are put in`;
      throw new ContainerFileError("CONTAINER_FILE_TOO_COMPLEX", { line, column }, expected);
    }
    builder.add(text.slice(last, found.index), { line, column: column + last });
    builder.add(inserted(found[0], variables), { line, column: column + found.index });
    last = found.index + found[0].length;
  }
  builder.add(text.slice(last), { line, column: column + last });
}
