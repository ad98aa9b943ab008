import type { YamlLimits } from "../pipeline/yaml-reader.ts";

/** Limits against hostile documents: tests carry evidence, so there is room. */
export const documentLimits: YamlLimits = { bytes: 512 * 1024, values: 50_000, depth: 64, aliases: "refused" };

/** The library walks brackets to their end before it counts levels: thousands of them are told beforehand. */
export function isBracketed(text: string): boolean {
  let level = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    // Not below zero: what closes nothing must not hide what opens.
    level = Math.max(0, level + (bracket === "[" || bracket === "{" ? 1 : -1));
    if (level > 512) return true;
  }
  return false;
}
