import type { Decision } from "../decision.ts";
import type { Branch } from "./branch.ts";
import { explain } from "./explanation.ts";

/** The explanation of a decision as Markdown, for a pull request or a report. Nothing in it can be markup of others. */
export function explainMarkdown(decision: Decision): string {
  const top = explain(decision);
  const lines = [`**${escape(top.label ?? "")}** ${escape(top.text)}`, ""];
  for (const child of top.children) list(child, "", lines);
  return `${lines.join("\n")}\n`;
}

function list({ label, text, isCode, children }: Branch, indent: string, lines: string[]): void {
  const shown = isCode === true ? code(text) : escape(text);
  lines.push(`${indent}- ${label === undefined ? "" : `**${escape(label)}** `}${shown}`);
  for (const child of children) list(child, `${indent}  `, lines);
}

/** Whatever Markdown or HTML could read as markup, and what sites turn into links, mentions or references. */
function escape(text: string): string {
  return text
    .replace(/[&<>@#]|:(?=\/\/)|(?<=www)\./gi, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/[\\`*_[\]~|]/g, "\\$&");
}

/** A code span that no run of backticks inside can end. */
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence} ${text} ${fence}`;
}
