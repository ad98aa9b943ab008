import { type AdvisoryDatabase, decideScan, matchSbom } from "@touchmark/advisories";
import type { ScanGatePolicy, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { type LicencePolicy, licencePolicy } from "@touchmark/formats/licences";
import type { Sbom, SbomSubject } from "@touchmark/formats/sbom";
import { allCatalogers, catalogue, judgeLicences, type ScannedTree } from "@touchmark/sbom";

/** What a scan is made with. */
export interface ScanOptions {
  readonly now: Date;
  /** Absent: vulnerabilities are not evaluated. */
  readonly database?: AdvisoryDatabase;
  /** Rules whose licence lists judge; without them every licence is `unknown` or of no class. */
  readonly policies: readonly ScanGatePolicy[];
}

/** How a tree is catalogued. */
export interface CatalogueRequest {
  readonly tree: ScannedTree;
  readonly subject: SbomSubject;
  /** RFC 3339; the source date, so that the same input gives the same bytes. */
  readonly created?: string;
  readonly signal?: AbortSignal;
  onProgress?(seen: number): void;
}

/** What a tree consists of, by every cataloger there is. */
export function catalogueTree(request: CatalogueRequest): Promise<Sbom> {
  const { tree, subject, created, signal, onProgress } = request;
  return catalogue(tree, {
    catalogers: allCatalogers(),
    subject,
    ...(created === undefined ? {} : { created }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress.bind(request) }),
  });
}

/** Everything that is known of an SBOM: the same whether it was just made or read from a document. */
export function scanSbom(sbom: Sbom, options: ScanOptions): ScanResult {
  const at = options.now.toISOString();
  const { database } = options;
  const matches = database === undefined ? { findings: [], notEvaluated: [] } : matchSbom(sbom, database, { at });
  return {
    sbom,
    at,
    ...(database === undefined ? {} : { advisories: database.facts }),
    findings: matches.findings,
    licences: judgeLicences(sbom, licenceLists(options.policies)),
    notEvaluated: matches.notEvaluated,
  };
}

/**
 * What each of some gates says; verdicts are never merged: the results of all stand beside each other, those of the
 * second and further ones under `project-`, and any that refuses refuses.
 */
export function decideAll(
  result: ScanResult,
  policies: readonly ScanGatePolicy[],
  now: Date,
  base?: ScanResult,
): ScanGateResult {
  const decided = policies.map((policy) =>
    decideScan(result, policy, { now, ...(base === undefined ? {} : { base }) }),
  );
  const results = decided.flatMap((gate, i) =>
    gate.results.map((each) => (i === 0 ? each : { ...each, rule: `project-${each.rule}` })),
  );
  const verdicts = decided.map(({ verdict }) => verdict);
  const verdict = verdicts.includes("refused") ? "refused" : verdicts.includes("passed") ? "passed" : "not-evaluated";
  return { verdict, results };
}

/** The lists of all rules together: what one denies is denied, and what is allowed must be allowed by each. */
function licenceLists(policies: readonly ScanGatePolicy[]): LicencePolicy {
  const rules = policies.flatMap(({ licences }) => licences ?? []);
  const deny = new Set(rules.flatMap((each) => each.deny));
  const warn = new Set(rules.flatMap((each) => each.warn).filter((each) => !deny.has(each)));
  const allowing = rules.flatMap(({ allow }) => (allow === undefined ? [] : [allow]));
  const [first = [], ...more] = allowing;
  const allow = first.filter((each) => !deny.has(each) && !warn.has(each) && more.every((list) => list.includes(each)));
  return licencePolicy({
    allow,
    warn: [...warn],
    deny: [...deny],
    // Without a list of allowed ones, a known licence that nobody denies is allowed.
    unlisted: allowing.length > 0 ? "denied" : "allowed",
    missing: "unknown",
  });
}
