import type { Severity } from "@touchmark/formats/findings";
import type { Advisory, AdvisoryDatabase, AdvisorySeverity } from "../advisory.ts";
import { compareSeverityClasses, readSeverity } from "../severity/severity.ts";
import type { Hit } from "./evaluate.ts";
import type { Vulnerability } from "./vulnerabilities.ts";

/** Newer versions of CVSS before older ones, vectors before words. */
const preference: readonly AdvisorySeverity["type"][] = ["CVSS_V4", "CVSS_V3", "CVSS_V2", "words"];

/**
 * How severe a vulnerability is: the worst that any of its advisories says, each by its newest kind of score, that for
 * the package before that for all. Only where none of them says anything, other records of the same vulnerability are
 * asked. What nobody scored is `unscored`.
 */
export function severityOf(
  { id, aliases, hits }: Vulnerability,
  database: AdvisoryDatabase,
): { readonly severity: Severity; readonly others: readonly Severity[] } {
  let found = hits.flatMap((hit) => bySource(hit.advisory, hit));
  if (found.length === 0) {
    const asked = [id, ...aliases].flatMap((each) => database.find(each));
    found = asked.filter((each) => each.withdrawn === undefined).flatMap((each) => bySource(each));
  }
  found.sort((a, b) => compareSeverityClasses(a.class, b.class) || (b.score ?? 0) - (a.score ?? 0) || byFrom(a, b));
  const [severity, ...rest] = found;
  if (severity === undefined) return { severity: { class: "unscored", from: "none" }, others: [] };
  const seen = new Set([said(severity)]);
  const others = rest.filter((each) => {
    const isNew = !seen.has(said(each));
    seen.add(said(each));
    return isNew;
  });
  return { severity, others };
}

function bySource(advisory: Advisory, hit?: Hit): Severity[] {
  const from = `${advisory.source} ${advisory.id}`;
  const own = hit === undefined ? [] : hit.affected.severities;
  return best(own, from) ?? best(advisory.severities, from) ?? [];
}

function best(published: readonly AdvisorySeverity[], from: string): Severity[] | undefined {
  for (const type of preference) {
    const read = published.filter((each) => each.type === type).map((each) => readSeverity(each, from));
    const known = read.filter((each) => each !== undefined);
    if (known.length > 0) return known;
  }
  return undefined;
}

function said({ class: kind, score, vector }: Severity): string {
  return `${kind} ${score ?? ""} ${vector ?? ""}`;
}

function byFrom(a: Severity, b: Severity): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : 0;
}
