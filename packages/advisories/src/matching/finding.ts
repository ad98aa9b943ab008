import type { Finding, FindingEvidence } from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";
import type { Evaluator, Hit } from "./evaluate.ts";
import { fixedVersions, fixStateOf, nearestFixed } from "./fix-advice.ts";
import type { DependencyPaths } from "./paths.ts";
import { severityOf } from "./severities.ts";
import type { Vulnerability } from "./vulnerabilities.ts";

const mostReferences = 100;

/** What a finding needs to know beside its vulnerability. */
export interface FindingScene {
  readonly evaluate: Evaluator;
  readonly component: Component;
  readonly paths: DependencyPaths;
  /** Next version with no finding at all, the same for all findings of a component. */
  readonly clean: string | undefined;
  /** The component's distribution is no longer supported. */
  readonly isUnsupported: boolean;
}

/** The finding that a vulnerability of a component is. */
export function findingOf(vulnerability: Vulnerability, scene: FindingScene): Finding {
  const { id, aliases, hits } = vulnerability;
  const { database } = scene.evaluate;
  const { severity, others } = severityOf(vulnerability, database);
  const fixed = fixedVersions(hits);
  const nearest = nearestFixed(vulnerability, fixed);
  const advisories = [...new Set(hits.map(({ advisory }) => advisory))];
  // The record of the vulnerability itself speaks before bulletins that mention it.
  advisories.sort((a, b) => Number(b.id === id) - Number(a.id === id) || (a.id < b.id ? -1 : 1));
  const published = earliest(advisories.map((each) => each.published));
  const modified = latest(advisories.map((each) => each.modified));
  const exploitation = [id, ...aliases].map((each) => database.exploitation(each)).find((each) => each !== undefined);
  return {
    id,
    aliases,
    component: scene.component.ref,
    severity,
    otherSeverities: others,
    summary: advisories.find(({ summary }) => summary !== "")?.summary ?? "",
    ...(published !== undefined && { published }),
    ...(modified !== undefined && { modified }),
    fixState: fixStateOf(hits, fixed, scene.isUnsupported),
    fixedVersions: fixed,
    advice: {
      ...(nearest !== undefined && { nearest }),
      ...(scene.clean !== undefined && { clean: scene.clean }),
      direct: scene.paths.directOf(scene.component.ref),
    },
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
