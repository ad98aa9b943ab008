import type { Decision } from "../decision.ts";
import type { Branch, Tone } from "./branch.ts";
import { explain } from "./explanation.ts";

/** How a tree is drawn. */
export interface TreeOptions {
  /** True: with colours of a terminal. */
  readonly colour?: boolean;
}

/** The explanation of a decision as a tree for a terminal. Nothing in it can draw on the terminal but its own colours. */
export function explainTree(decision: Decision, { colour = false }: TreeOptions = {}): string {
  const lines: string[] = [];
  draw(explain(decision), { head: "", rest: "" }, colour, lines);
  return `${lines.join("\n")}\n`;
}

function draw(
  branch: Branch,
  { head, rest }: { readonly head: string; readonly rest: string },
  colour: boolean,
  lines: string[],
): void {
  const { tone, label, text, children } = branch;
  const painted = label === undefined ? paint(tone, text, colour) : `${paint(tone, label, colour)}  ${text}`;
  lines.push(`${head}${painted}`);
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1;
    draw(child, { head: `${rest}${isLast ? "└─ " : "├─ "}`, rest: `${rest}${isLast ? "   " : "│  "}` }, colour, lines);
  }
}

const colours: Readonly<Record<Tone, string>> = { good: "32", bad: "31", warn: "33", plain: "1", dim: "2" };

function paint(tone: Tone, text: string, colour: boolean): string {
  return colour ? `\u001b[${colours[tone]}m${text}\u001b[0m` : text;
}
