import type { Finding, SeverityClass } from "@touchmark/formats/findings";

/** How many findings there are of each class. */
export function severityCounts(findings: readonly Finding[]): Readonly<Record<SeverityClass, number>> {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unscored: 0 };
  for (const { severity } of findings) counts[severity.class]++;
  return counts;
}
