import { RE2JS } from "re2js";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";

const longestPattern = 1_000;
const largestProgram = 5_000;
const remembered = 256;
/** Steps that one character may cost at one instruction, measured against those of the evaluator. */
const perInstruction = 0.1;

/** Patterns that were compiled of late. A pattern is its own key: nothing of an evaluation stays behind. */
const patterns = new Map<string, RE2JS>();

/** A regular expression of RE2: linear time, and a program of bounded size. */
export function regex(frame: Frame, pattern: string): RE2JS {
  // The same for a pattern that is remembered: what an evaluation costs depends on nothing before it.
  frame.read(pattern.length);
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > longestPattern) {
    raise("CEL_REGEX", `expected a pattern of at most ${longestPattern} characters`, frame.at);
  }
  const compiled = compile(frame, pattern);
  if (compiled.programSize() > largestProgram) {
    raise("CEL_REGEX", `expected a pattern of at most ${largestProgram} instructions`, frame.at);
  }
  if (patterns.size >= remembered) patterns.clear();
  patterns.set(pattern, compiled);
  return compiled;
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
