import { RE2JS } from "re2js";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";

const longestPattern = 1_000;
const largestProgram = 5_000;
const remembered = 256;
/** Steps that one character may cost at one instruction, measured against those of the evaluator. */
const perInstruction = 0.1;
/** Steps that compiling a pattern costs: at all, for a character, for an instruction. */
const perPattern = 50;
const perCharacter = 20;
const perCompiled = 5;

/** Patterns that were compiled of late. A pattern is its own key: nothing of an evaluation stays behind. */
const patterns = new Map<string, RE2JS>();

/** A regular expression of RE2: linear time, and a program of bounded size. */
export function regex(frame: Frame, pattern: string): RE2JS {
  // The same for a pattern that is remembered: what an evaluation costs depends on nothing before it.
  frame.spend(perPattern + pattern.length * perCharacter);
  const program = compiled(frame, pattern);
  frame.spend(program.programSize() * perCompiled);
  return program;
}

function compiled(frame: Frame, pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > longestPattern) {
    raise("CEL_REGEX", `expected a pattern of at most ${longestPattern} characters`, frame.at);
  }
  const program = compile(frame, pattern);
  if (program.programSize() > largestProgram) {
    frame.spend(program.programSize() * perCompiled);
    raise("CEL_REGEX", `expected a pattern of at most ${largestProgram} instructions`, frame.at);
  }
  if (patterns.size >= remembered) patterns.clear();
  patterns.set(pattern, program);
  return program;
}

function compile(frame: Frame, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const message = error instanceof Error ? error.message : "it does not compile";
    return raise("CEL_REGEX", `expected a pattern of RE2: ${message}`, frame.at);
  }
}

/** Spends what matching may cost: every character may meet every instruction. */
export function spendMatch(frame: Frame, program: RE2JS, text: string): void {
  frame.spend(1 + Math.ceil(text.length * (1 + program.programSize()) * perInstruction));
}

/** Whether some part of the text matches. */
export function isMatch(frame: Frame, text: string, pattern: string): boolean {
  const program = regex(frame, pattern);
  spendMatch(frame, program, text);
  return program.matcher(text).find();
}

/** Matching against a pattern that the expression itself holds: compiled once, so that only matching has a price. */
export function matcherOf(pattern: string): (frame: Frame, text: string) => boolean {
  let program: RE2JS | undefined;
  return (frame, text) => {
    program ??= compiled(frame, pattern);
    spendMatch(frame, program, text);
    return program.matcher(text).find();
  };
}
