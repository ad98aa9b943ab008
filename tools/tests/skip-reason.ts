import { readFileSync } from "node:fs";

/** Why a test was skipped: the condition that its source gives to `skipIf`, in the words of the source. */
export function skipReason(file: string, lines: readonly number[]): string {
  const source = readFileSync(file, "utf8").split("\n");
  for (const line of lines) {
    // The position of a call may be its last line: look a few lines up.
    for (let at = line; at > Math.max(0, line - 6); at--) {
      const condition = conditionOf(source.slice(at - 1, at + 4).join(" "));
      if (condition !== undefined) return inWords(condition);
    }
  }
  return "no reason given";
}

function conditionOf(text: string): string | undefined {
  const start = text.search(/\.(skipIf|runIf)\(/);
  if (start < 0) return undefined;
  const open = text.indexOf("(", start);
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) {
      const condition = text
        .slice(open + 1, at)
        .trim()
        .replace(/,$/, "");
      return text.startsWith(".runIf", start) ? `!(${condition})` : condition;
    }
  }
  return undefined;
}

function inWords(condition: string): string {
  const [, missing] = /^!\(?([\w.]+)\)?$|^([\w.]+) === undefined$/.exec(condition) ?? [];
  const name = missing ?? /^([\w.]+) === undefined$/.exec(condition)?.[1];
  return name === undefined ? `because ${condition}` : `${name} is not here`;
}
