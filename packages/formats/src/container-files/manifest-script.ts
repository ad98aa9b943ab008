import type { Report } from "./finding.ts";
import { lintScript } from "./script-rules.ts";
import { isShell, readShell } from "./shell-reader.ts";
import { textAt } from "./source-text.ts";
import { itemsOf, type YamlTree } from "./yaml-tree.ts";

/** Judges a command of a manifest: a shell's script, or words. */
export function lintCommandOf(parts: readonly (YamlTree | undefined)[], report: Report): void {
  const words = parts.flatMap((part) => (part?.kind === "text" ? [part] : itemsOf(part)));
  const [first] = words;
  if (first?.kind !== "text") return;
  if (words.length === 1) {
    lintScript(readShell(textAt(first.text, first.at)), report);
    return;
  }
  if (!isShell(first.text.slice(first.text.lastIndexOf("/") + 1))) return;
  for (const word of words.slice(1)) {
    if (word.kind !== "text" || word.text.startsWith("-")) continue;
    lintScript(readShell(textAt(word.text, word.at)), report);
    return;
  }
}
