import type { Position } from "../pipeline/definition.ts";
import { ContainerFileError } from "./finding.ts";
import { type SourceText, slice, TextBuilder } from "./source-text.ts";

/** An option of an instruction: `--from=build`. */
export interface RecipeFlag {
  readonly name: string;
  /** Undefined when none is written. */
  readonly value: string | undefined;
  readonly at: Position;
}

/** A here-document of an instruction. */
export interface Heredoc {
  readonly name: string;
  readonly body: SourceText;
}

/** One instruction of a Dockerfile, lines joined. */
export interface Instruction {
  /** In capitals. */
  readonly name: string;
  readonly at: Position;
  /** Last line of it, here-documents included. */
  readonly endLine: number;
  readonly flags: readonly RecipeFlag[];
  /** What follows name and options. */
  readonly rest: SourceText;
  /** The words of the JSON form. */
  readonly list: readonly string[] | undefined;
  readonly heredocs: readonly Heredoc[];
  /** It runs in images that are built from this one. */
  readonly onBuild: boolean;
}

/** A Dockerfile as its instructions. */
export interface Recipe {
  /** `\` or a backtick. */
  readonly escape: string;
  readonly syntax: { readonly text: string; readonly at: Position } | undefined;
  readonly instructions: readonly Instruction[];
}

const MAX_INSTRUCTIONS = 5000;
const names = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
const heredocMark = /(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_.]*)\2(?=\s|$)/g;

/**
 * Reads a Dockerfile: directives, continuation lines, here-documents, options, JSON forms, ONBUILD.
 * @throws CONTAINER_FILE_MALFORMED | CONTAINER_FILE_TOO_COMPLEX
 */
export function readRecipe(text: string): Recipe {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const { escape, syntax } = readDirectives(lines);
  const instructions: Instruction[] = [];
  let i = 0;
  let staged = false;
  while (i < lines.length) {
    if (isSkipped(lines[i] ?? "")) {
      i++;
      continue;
    }
    const first = i;
    const builder = new TextBuilder();
    for (;;) {
      const line = lines[i] ?? "";
      const end = continuationOf(line, escape);
      builder.add(end === undefined ? line : line.slice(0, end), { line: i + 1, column: 1 });
      i++;
      if (end === undefined) break;
      while (i < lines.length && isSkipped(lines[i] ?? "")) i++;
      if (i >= lines.length) break;
    }
    const source = builder.build();
    const heredocs: Heredoc[] = [];
    for (const mark of heredocMarks(source.text)) {
      const found = readHeredoc(lines, i, mark);
      if (found === undefined) {
        const at = { line: first + 1, column: 1 };
        throw malformed(at, `expected the line ${mark.name}, which ends a here-document, found the end of the file`);
      }
      heredocs.push(found.heredoc);
      i = found.next;
    }
    const instruction = readInstruction(source, heredocs, i, false);
    staged ||= instruction.name === "FROM";
    if (!staged && instruction.name !== "ARG") {
      throw malformed(instruction.at, `expected FROM first, found ${instruction.name}`);
    }
    instructions.push(instruction);
    if (instructions.length > MAX_INSTRUCTIONS) {
      throw new ContainerFileError(
        "CONTAINER_FILE_TOO_COMPLEX",
        instruction.at,
        `expected at most ${MAX_INSTRUCTIONS} instructions`,
      );
    }
  }
  if (!staged) {
    throw malformed({ line: 1, column: 1 }, "expected FROM, found no stage");
  }
  return { escape, syntax, instructions };
}

function malformed(at: Position, message: string): ContainerFileError {
  return new ContainerFileError("CONTAINER_FILE_MALFORMED", at, message);
}

function isSkipped(line: string): boolean {
  const plain = line.trimStart();
  return plain === "" || plain.startsWith("#");
}

/** Where the mark of a continuation stands, undefined when the line ends the instruction. */
function continuationOf(line: string, escape: string): number | undefined {
  const end = line.trimEnd().length - 1;
  if (end < 0 || line[end] !== escape) return undefined;
  return end > 0 && line[end - 1] === escape ? undefined : end;
}

function readDirectives(lines: readonly string[]): Pick<Recipe, "escape" | "syntax"> {
  let escape = "\\";
  let syntax: Recipe["syntax"];
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const found = /^\s{0,80}#\s{0,80}([A-Za-z]{1,20})\s{0,80}=\s{0,80}(\S{1,1000})\s{0,80}$/.exec(line);
    const name = found?.[1]?.toLowerCase();
    if (found === null || !(name === "escape" || name === "syntax" || name === "check")) break;
    const at = { line: index + 1, column: 1 };
    if (seen.has(name)) throw malformed(at, `expected the directive ${name} once`);
    seen.add(name);
    const value = found[2] ?? "";
    if (name === "syntax") syntax = { text: value, at };
    if (name === "escape") {
      if (value !== "\\" && value !== "`") throw malformed(at, "expected a backslash or a backtick as escape");
      escape = value;
    }
  }
  return { escape, syntax };
}

interface HeredocMark {
  readonly name: string;
  readonly tabs: boolean;
}

function heredocMarks(text: string): HeredocMark[] {
  if (!/^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i.test(text.slice(0, 200)) || !text.includes("<<")) return [];
  return [...text.matchAll(heredocMark)].map((found) => ({ name: found[3] ?? "", tabs: found[1] === "-" }));
}

function readHeredoc(
  lines: readonly string[],
  start: number,
  { name, tabs }: HeredocMark,
): { readonly heredoc: Heredoc; readonly next: number } | undefined {
  const builder = new TextBuilder();
  for (let i = start; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const indent = tabs ? line.length - line.replace(/^\t+/, "").length : 0;
    if (line.slice(indent) === name) return { heredoc: { name, body: builder.build() }, next: i + 1 };
    builder.add(`${line.slice(indent)}\n`, { line: i + 1, column: indent + 1 });
  }
  return undefined;
}

function readInstruction(
  source: SourceText,
  heredocs: readonly Heredoc[],
  endLine: number,
  onBuild: boolean,
): Instruction {
  const [head = "", indent = "", word = ""] = /^(\s*)(\S+)\s*/.exec(source.text) ?? [];
  const at = source.at(indent.length);
  const name = word.toUpperCase();
  if (!names.has(name)) throw malformed(at, `expected an instruction, found ${JSON.stringify(word.slice(0, 40))}`);
  if (name === "ONBUILD") {
    const inner = readInstruction(slice(source, head.length), heredocs, endLine, true);
    if (onBuild || inner.name === "FROM" || inner.name === "MAINTAINER") {
      throw malformed(at, `expected another instruction after ONBUILD, found ${inner.name}`);
    }
    return { ...inner, at };
  }
  const flags: RecipeFlag[] = [];
  let offset = head.length;
  const option = /--([a-z][a-z-]{0,40})(?:=((?:"[^"]*"|[^\s"])*))?(?:\s+|$)/y;
  for (;;) {
    option.lastIndex = offset;
    const found = option.exec(source.text);
    if (found === null) break;
    flags.push({ name: found[1] ?? "", value: found[2]?.replaceAll('"', ""), at: source.at(offset) });
    offset += found[0].length;
  }
  const rest = slice(source, offset);
  if (rest.text.trim() === "" && heredocs.length === 0) throw malformed(at, `expected something after ${name}`);
  return { name, at, endLine, flags, rest, list: listOf(rest.text), heredocs, onBuild };
}

/** The JSON form; what begins like one and is none is the shell form, as builders take it. */
function listOf(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}
