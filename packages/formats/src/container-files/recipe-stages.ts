import type { Position } from "../pipeline/definition.ts";
import { ContainerFileError } from "./finding.ts";
import type { Instruction, Recipe } from "./recipe-reader.ts";
import { type SourceText } from "./source-text.ts";
import { type Expanded, expand, type Lookup } from "./variables.ts";

/** A word of an instruction with its quotes, and where it stands. */
export interface RecipeWord {
  readonly raw: string;
  readonly at: Position;
}

/** `NAME=value` of ENV, LABEL and ARG; the value as written. */
export interface RecipePair {
  readonly name: string;
  readonly value: string | undefined;
  readonly at: Position;
}

/** What one FROM begins. */
export interface Stage {
  readonly index: number;
  readonly name: string | undefined;
  readonly at: Position;
  /** The image as written, arguments put in. */
  readonly image: Expanded & { readonly at: Position };
  /** The stage of this file that it starts from. */
  readonly base: Stage | undefined;
  readonly instructions: readonly Instruction[];
  /** Arguments and variables with a value in the file, at the end of the stage. */
  readonly lookup: Lookup;
}

/** Arguments that builders define themselves. */
export const givenArguments = new Set(
  "TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT TARGETSTAGE HTTP_PROXY http_proxy HTTPS_PROXY https_proxy FTP_PROXY ftp_proxy NO_PROXY no_proxy ALL_PROXY all_proxy SOURCE_DATE_EPOCH".split(
    " ",
  ),
);

/** Splits into words at blanks, quotes kept. */
export function wordsOf(source: SourceText, escape: string): RecipeWord[] {
  const { text } = source;
  const words: RecipeWord[] = [];
  let start = -1;
  let quote = "";
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === undefined || (quote === "" && /\s/.test(c))) {
      if (start !== -1) words.push({ raw: text.slice(start, i), at: source.at(start) });
      start = -1;
      continue;
    }
    if (start === -1) start = i;
    if (c === escape && quote !== "'") i++;
    else if (quote === "" && (c === '"' || c === "'")) quote = c;
    else if (c === quote) quote = "";
  }
  return words;
}

/** Pairs of ENV, LABEL or ARG, the old form `ENV NAME value` too. */
export function pairsOf({ name: kind, rest }: Instruction, escape: string): RecipePair[] {
  const words = wordsOf(rest, escape);
  const [first] = words;
  if (first !== undefined && kind !== "ARG" && !first.raw.includes("=")) {
    const value = rest.text.trim().slice(first.raw.length).trim();
    return [{ name: first.raw, value, at: first.at }];
  }
  return words.map(({ raw, at }) => {
    const equal = raw.indexOf("=");
    const name = (equal === -1 ? raw : raw.slice(0, equal)).replace(/^["']|["']$/g, "");
    return { name, value: equal === -1 ? undefined : raw.slice(equal + 1), at };
  });
}

/** The stages of a recipe. @throws CONTAINER_FILE_MALFORMED */
export function readStages({ instructions, escape }: Recipe): Stage[] {
  const globals = new Map<string, string | undefined>();
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  const byName = new Map<string, Stage>();
  let known = new Map<string, string | undefined>();
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.name === "FROM") {
      known = new Map();
      const values = known;
      const next = beginStage(instruction, stages.length, { globals, byName, escape, values });
      stages.push(next);
      if (next.name !== undefined) byName.set(next.name, next);
      continue;
    }
    stage?.instructions.push(instruction);
    if (instruction.onBuild || (instruction.name !== "ARG" && instruction.name !== "ENV")) continue;
    const values = stage === undefined ? globals : known;
    for (const { name, value } of pairsOf(instruction, escape)) {
      const given = value === undefined && stage !== undefined ? globals.get(name) : undefined;
      const result = value === undefined ? given : expand(value, (each) => values.get(each), escape);
      const text = typeof result === "string" || result === undefined ? result : result.text;
      if (text !== undefined || !values.has(name)) values.set(name, text);
    }
  }
  return stages;
}

interface StageContext {
  readonly globals: ReadonlyMap<string, string | undefined>;
  readonly byName: ReadonlyMap<string, Stage>;
  readonly escape: string;
  readonly values: ReadonlyMap<string, string | undefined>;
}

function beginStage(
  { rest, at }: Instruction,
  index: number,
  { globals, byName, escape, values }: StageContext,
): Stage & { instructions: Instruction[] } {
  const words = wordsOf(rest, escape);
  const [image, as, name] = words;
  const fits = words.length === 1 || (words.length === 3 && as?.raw.toLowerCase() === "as");
  if (image === undefined || !fits) {
    throw new ContainerFileError("CONTAINER_FILE_MALFORMED", at, "expected FROM IMAGE or FROM IMAGE AS NAME");
  }
  const named = name?.raw.toLowerCase();
  const text = expand(image.raw, (each) => globals.get(each), escape);
  const base = byName.get(text.text.toLowerCase());
  const inherited = base?.lookup;
  return {
    index,
    name: named,
    at,
    image: { ...text, at: image.at },
    base,
    instructions: [],
    lookup: (each) => values.get(each) ?? inherited?.(each),
  };
}

/** A stage and the stages that it starts from, itself first. */
export function lineageOf(stage: Stage): Stage[] {
  const all: Stage[] = [];
  for (let each: Stage | undefined = stage; each !== undefined; each = each.base) all.push(each);
  return all;
}
