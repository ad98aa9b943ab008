/** One line of a trace, taken apart but not yet understood. All text is Latin-1: one character per byte. */
export type TraceLine =
  | {
      readonly kind: "call";
      readonly pid: number;
      readonly name: string;
      readonly args: string;
      readonly result: string;
    }
  | { readonly kind: "failed-open"; readonly pid: number }
  | { readonly kind: "unfinished"; readonly pid: number; readonly name: string; readonly args: string }
  | { readonly kind: "resumed"; readonly pid: number; readonly name: string; readonly rest: string }
  | { readonly kind: "moved"; readonly pid: number; readonly to: number; readonly name: string; readonly args: string }
  | { readonly kind: "exited"; readonly pid: number; readonly code: number }
  | { readonly kind: "killed"; readonly pid: number; readonly signal: string }
  | { readonly kind: "superseded"; readonly pid: number; readonly by: number }
  | { readonly kind: "signal"; readonly pid: number; readonly signal: string; readonly detail: string }
  | { readonly kind: "stopped"; readonly pid: number }
  /** The task was killed at the entry of a call, before the call ran, so that strace could not read which one it was. */
  | { readonly kind: "vanishing"; readonly pid: number };

const UNFINISHED = " <unfinished ...>";

/**
 * Takes one line apart. A step chooses file names, arguments and socket names, so nothing is searched for inside of
 * them: strace quotes strings (`"` and `\` escaped) and escapes `<` and `>` in paths of descriptors, hence the marks
 * that count are those at the very start and at the very end of a line, or found by `argumentsEnd`.
 * @returns undefined when the line is in no form that strace writes
 */
export function parseTraceLine(line: string): TraceLine | undefined {
  let at = 0;
  let pid = 0;
  for (; at < line.length; at++) {
    const digit = line.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    pid = pid * 10 + digit;
  }
  if (at === 0 || at > 10 || line.charCodeAt(at) !== 32) return undefined;
  while (line.charCodeAt(at) === 32) at++;
  if (/^(?:<\.\.\. )?\?\?\?/.test(line.slice(at, at + 8))) {
    const vanishing = /^(?:\?\?\?\((?: <unfinished \.\.\.>|\) += \?)|<\.\.\. \?\?\? resumed>\) += \?)$/.test(
      line.slice(at),
    );
    return vanishing ? { kind: "vanishing", pid } : undefined;
  }
  switch (line.charCodeAt(at)) {
    case 43: // +
      return endLine(pid, line.slice(at));
    case 45: // -
      return signalLine(pid, line.slice(at));
    case 60: // <
      return resumedLine(pid, line.slice(at));
    default:
      return callLine(pid, line, at);
  }
}

function callLine(pid: number, line: string, start: number): TraceLine | undefined {
  const open = line.indexOf("(", start);
  if (open < 0 || open - start > 40) return undefined;
  const name = line.slice(start, open);
  if (!/^[a-z0-9_]+$/.test(name)) return undefined;
  if (line.endsWith(" = -1 ENOENT (No such file or directory)") && isOpen(name)) return { kind: "failed-open", pid };
  if (line.endsWith(UNFINISHED))
    return { kind: "unfinished", pid, name, args: line.slice(open + 1, -UNFINISHED.length) };
  const moved = / <pid changed to (\d{1,10}) \.\.\.>$/.exec(line);
  if (moved?.[1] !== undefined && name.startsWith("exec"))
    return { kind: "moved", pid, to: Number(moved[1]), name, args: line.slice(open + 1, moved.index) };
  return completeCall(pid, name, line.slice(open + 1));
}

/** Joins the arguments and the end of a call; `text` is what follows the opening parenthesis. */
export function completeCall(pid: number, name: string, text: string): TraceLine | undefined {
  const end = argumentsEnd(text);
  if (end < 0) return undefined;
  const result = /^\) += (.+)$/s.exec(text.slice(end));
  if (result?.[1] === undefined) return undefined;
  return { kind: "call", pid, name, args: text.slice(0, end), result: result[1] };
}

function isOpen(name: string): boolean {
  return name === "openat" || name === "open" || name === "openat2";
}

function endLine(pid: number, text: string): TraceLine | undefined {
  let match = /^\+\+\+ exited with (\d{1,3}) \+\+\+$/.exec(text);
  if (match?.[1] !== undefined) return { kind: "exited", pid, code: Number(match[1]) };
  match = /^\+\+\+ killed by (SIG[A-Z0-9_]+|\d+)(?: \(core dumped\))? \+\+\+$/.exec(text);
  if (match?.[1] !== undefined) return { kind: "killed", pid, signal: match[1] };
  match = /^\+\+\+ superseded by execve in pid (\d{1,10}) \+\+\+$/.exec(text);
  if (match?.[1] !== undefined) return { kind: "superseded", pid, by: Number(match[1]) };
  return undefined;
}

function signalLine(pid: number, text: string): TraceLine | undefined {
  const match = /^--- (?:(stopped by) )?(SIG[A-Z0-9_]+)(?: \{(.*)\})? ---$/s.exec(text);
  if (match?.[2] === undefined) return undefined;
  if (match[1] !== undefined) return { kind: "stopped", pid };
  return { kind: "signal", pid, signal: match[2], detail: match[3] ?? "" };
}

function resumedLine(pid: number, text: string): TraceLine | undefined {
  const match = /^<\.\.\. ([a-z0-9_]+) resumed>(.*)$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { kind: "resumed", pid, name: match[1], rest: match[2] };
}

/** Index of the parenthesis that closes the argument list, or -1. Strings and descriptor paths are stepped over. */
export function argumentsEnd(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 34: // "
        at = stringEnd(text, at);
        if (at < 0) return -1;
        break;
      case 60: // < of a descriptor's path; shifts (1<<3) have two
        if (text.charCodeAt(at + 1) === 60) at++;
        else {
          at = text.indexOf(">", at);
          if (at < 0) return -1;
        }
        break;
      case 40: // (
      case 91: // [
      case 123: // {
        depth++;
        break;
      case 47: // comment
        if (text.charCodeAt(at + 1) === 42) {
          at = text.indexOf("*/", at);
          if (at < 0) return -1;
          at++;
        }
        break;
      case 41: // )
        if (depth === 0) return at;
        depth--;
        break;
      case 93:
      case 125:
        if (depth === 0) return -1;
        depth--;
        break;
    }
  }
  return -1;
}

/** Index of the quote that ends the string beginning at `at`, or -1. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92) i++;
    else if (code === 34) return i;
  }
  return -1;
}

/** Splits an argument list at its top-level commas. */
export function splitArguments(args: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < args.length; at++) {
    const code = args.charCodeAt(at);
    if (code === 34) {
      at = stringEnd(args, at);
      if (at < 0) break;
    } else if (code === 60 && args.charCodeAt(at + 1) !== 60) {
      at = args.indexOf(">", at);
      if (at < 0) break;
    } else if (code === 60) at++;
    else if (code === 40 || code === 91 || code === 123) depth++;
    else if (code === 41 || code === 93 || code === 125) depth--;
    else if (code === 44 && depth === 0) {
      parts.push(args.slice(start, at));
      start = args.charCodeAt(at + 1) === 32 ? at + 2 : at + 1;
    }
  }
  parts.push(args.slice(start));
  return parts;
}
