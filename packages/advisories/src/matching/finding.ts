import type { Finding, FindingEvidence, FixAdvice } from "@touchmark/formats/findings";
import type { AdvisoryDatabase } from "../advisory.ts";
import type { Hit } from "./evaluate.ts";
import { exploitationOf } from "./exploitation.ts";
import { fixedVersions, fixStateOf, nearestFixed } from "./fix-advice.ts";
import { severityOf } from "./severities.ts";
import type { Vulnerability } from "./vulnerabilities.ts";

const mostReferences = 100;

/** A finding before it is known of which component: packages that are built from one share all the rest. */
export type FindingFacts = Omit<Finding, "component" | "advice"> & { readonly advice: Omit<FixAdvice, "direct"> };

/**
 * What a vulnerability is, without its component.
 * @param clean next version with no finding at all, the same for all findings of a component
 * @param isUnsupported the release of the distribution has come to its end
 */
export function findingFacts(
  vulnerability: Vulnerability,
  database: AdvisoryDatabase,
  clean: string | undefined,
  isUnsupported: boolean,
): FindingFacts {
  const { id, aliases, hits } = vulnerability;
  const { severity, others } = severityOf(vulnerability, database);
  const fixed = fixedVersions(hits);
  const nearest = nearestFixed(vulnerability, fixed);
  const advisories = [...new Set(hits.map(({ advisory }) => advisory))];
  // The record of the vulnerability itself speaks before bulletins that mention it.
  advisories.sort((a, b) => Number(b.id === id) - Number(a.id === id) || (a.id < b.id ? -1 : 1));
  const published = earliest(advisories.map((each) => each.published));
  const modified = latest(advisories.map((each) => each.modified));
  const exploitation = exploitationOf(database, [id, ...aliases]);
  return {
    id,
    aliases,
    severity,
    otherSeverities: others,
    summary: advisories.find(({ summary }) => summary !== "")?.summary ?? "",
    ...(published !== undefined && { published }),
    ...(modified !== undefined && { modified }),
    fixState: fixStateOf(hits, fixed, isUnsupported),
    fixedVersions: fixed,
    advice: { ...(nearest !== undefined && { nearest }), ...(clean !== undefined && { clean }) },
    ...(exploitation?.epss !== undefined && { epss: exploitation.epss }),
    ...(exploitation?.knownExploited !== undefined && { knownExploited: exploitation.knownExploited }),
    cwes: distinct(advisories.flatMap(({ cwes }) => cwes)),
    references: distinct(advisories.flatMap(({ references }) => references)).slice(0, mostReferences),
    evidence: hits.map(evidenceOf).sort(byText),
    decisions: [],
  };
}

function evidenceOf({ advisory, affected, affection }: Hit): FindingEvidence {
  return {
    source: advisory.source,
    advisory: advisory.id,
    digest: advisory.digest,
    ecosystem: affected.ecosystem,
    package: affected.name,
    matched: affection.matched,
    comparison: affection.comparison,
  };
}

function byText(a: FindingEvidence, b: FindingEvidence): number {
  const [one, other] = [`${a.source}\n${a.advisory}\n${a.ecosystem}`, `${b.source}\n${b.advisory}\n${b.ecosystem}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort((a, b) => Date.parse(a) - Date.parse(b))[0];
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort((a, b) => Date.parse(b) - Date.parse(a))[0];
}
