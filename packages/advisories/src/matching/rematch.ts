import type { Finding, NotEvaluated, ScanResult } from "@touchmark/formats/findings";
import type { AdvisoryDatabase } from "../advisory.ts";
import type { ChangedPackage } from "../database/changes.ts";
import { exploitationOf } from "./exploitation.ts";
import { compareFindings, type MatchOptions, matchComponents } from "./match.ts";
import { lookupName } from "./names.ts";
import { isSystemPackage } from "./targets.ts";

/** Reasons that hang on the version and the advisories, not on what a component is. */
const judged: ReadonlySet<string> = new Set(["version-unreadable", "range-unreadable", "git-range"]);

/**
 * The result of an earlier scan by a newer database, when only the advisories of `changed` packages differ: components
 * of other packages keep their findings, with exploitation as it is now known, and without decisions as after a match. Advisories that are withdrawn between
 * the two times must be among the changed ones, which a changed record always is. @throws MATCH_TIME_INVALID
 */
export function rematch(
  previous: ScanResult,
  changed: readonly ChangedPackage[],
  database: AdvisoryDatabase,
  options: MatchOptions,
): ScanResult {
  const names = new Set(changed.map(({ ecosystem, name }) => `${ecosystem}\n${lookupName(ecosystem, name)}`));
  const fresh = new Set(
    previous.notEvaluated.filter(({ reason }) => reason === "ecosystem-without-data").map(({ component }) => component),
  );
  const system = new Set(previous.sbom.components.filter(isSystemPackage).map(({ ref }) => ref));
  const open = previous.findings.filter((each) => hangsOnMore(each, system.has(each.component)));
  const loose = new Set(open.map(({ component }) => component));
  const done = new Set<string>();
  const matches = matchComponents(previous.sbom, database, options, (targets, { ref }) => {
    const isConcerned =
      fresh.has(ref) || loose.has(ref) || targets.some(({ ecosystem, name }) => names.has(`${ecosystem}\n${name}`));
    if (isConcerned) done.add(ref);
    return isConcerned;
  });
  const unanswered = new Set(matches.notEvaluated.map(({ component }) => component));
  const kept = previous.findings.filter(({ component }) => !done.has(component) && !unanswered.has(component));
  const stated = previous.notEvaluated.filter(({ component, reason }) => judged.has(reason) && !done.has(component));
  return {
    ...previous,
    at: options.at,
    advisories: database.facts,
    findings: [...kept.map((finding) => exploitedNow(finding, database)), ...matches.findings].sort(compareFindings),
    notEvaluated: inOrder(previous, [
      ...matches.notEvaluated,
      ...stated.filter(({ component }) => !unanswered.has(component)),
    ]),
  };
}

/** A finding that more decides than the advisories of its package: a score of another record, the end of a release. */
function hangsOnMore({ severity, evidence, fixState }: Finding, isSystem: boolean): boolean {
  const isOwn = evidence.some(({ source, advisory }) => severity.from === `${source} ${advisory}`);
  return !isOwn || (isSystem && fixState !== "fixed");
}

function exploitedNow({ epss: _, knownExploited: __, ...finding }: Finding, database: AdvisoryDatabase): Finding {
  const found = exploitationOf(database, [finding.id, ...finding.aliases]);
  return {
    ...finding,
    decisions: [],
    ...(found?.epss !== undefined && { epss: found.epss }),
    ...(found?.knownExploited !== undefined && { knownExploited: found.knownExploited }),
  };
}

/** In the order of the SBOM's components, as a whole scan states them. */
function inOrder({ sbom }: ScanResult, stated: readonly NotEvaluated[]): readonly NotEvaluated[] {
  const places = new Map(sbom.components.map(({ ref }, i) => [ref, i]));
  return [...stated].sort((a, b) => (places.get(a.component) ?? 0) - (places.get(b.component) ?? 0));
}
