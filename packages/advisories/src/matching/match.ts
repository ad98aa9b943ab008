import type { Finding, NotEvaluated } from "@touchmark/formats/findings";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import type { AdvisoryDatabase } from "../advisory.ts";
import { compareSeverityClasses } from "../severity/severity.ts";
import { matchErrors } from "./errors.ts";
import { type Evaluator, evaluator, type Judgement } from "./evaluate.ts";
import { type FindingFacts, findingFacts } from "./finding.ts";
import { nextClean } from "./fix-advice.ts";
import { notEvaluatedOf } from "./not-evaluated.ts";
import { type DependencyPaths, dependencyPaths } from "./paths.ts";
import { distributionIndex, isSystemPackage, type Target, targetsOf } from "./targets.ts";
import { vulnerabilitiesOf } from "./vulnerabilities.ts";

/** How an SBOM is matched. */
export interface MatchOptions {
  /** RFC 3339: advisories that were withdrawn by then, and distributions that were unsupported. */
  readonly at: string;
  /**
   * Language packages that a system package owns are left to the distribution's advisories, where there are some
   * (default true); they are among `notEvaluated`, with the reason `owned`.
   */
  readonly skipOwned?: boolean;
}

/** What the advisories say of an SBOM. */
export interface Matches {
  /** By severity (critical first, unscored after critical), then id, then component. */
  readonly findings: readonly Finding[];
  readonly notEvaluated: readonly NotEvaluated[];
}

/** Every component of an SBOM against a database. Pure. @throws MATCH_TIME_INVALID */
export function matchSbom(sbom: Sbom, database: AdvisoryDatabase, options: MatchOptions): Matches {
  return matchComponents(sbom, database, options, () => true);
}

/** The same for those components alone whose targets `concerns` any of. */
export function matchComponents(
  sbom: Sbom,
  database: AdvisoryDatabase,
  options: MatchOptions,
  concerns: (targets: readonly Target[], component: Component) => boolean,
): Matches {
  if (Number.isNaN(Date.parse(options.at))) {
    throw matchErrors.make(
      "MATCH_TIME_INVALID",
      `expected an RFC 3339 time, found ${JSON.stringify(options.at.slice(0, 40))}`,
    );
  }
  const available = database.ecosystems();
  const ecosystemsOf = distributionIndex(available);
  const evaluate = evaluator(database, options.at);
  const scene: MatchScene = { sbom, evaluate, at: options.at, paths: lazyPaths(sbom), known: [new Map(), new Map()] };
  const owners = options.skipOwned === false ? undefined : new Map(sbom.components.map((each) => [each.ref, each]));
  const findings: Finding[] = [];
  const notEvaluated: NotEvaluated[] = [];
  for (const component of sbom.components) {
    const targets = targetsOf(component, sbom.distribution, ecosystemsOf, (name) => available.has(name));
    if (typeof targets === "string") {
      const stated = notEvaluatedOf(component, targets, sbom);
      if (stated !== undefined) notEvaluated.push(stated);
      continue;
    }
    const owner = owners === undefined ? undefined : ownerOf(component, owners);
    if (owner !== undefined && typeof targetsOf(owner, sbom.distribution, ecosystemsOf, () => false) !== "string") {
      notEvaluated.push({
        component: component.ref,
        reason: "owned",
        message: `Belongs to ${owner.ref}, for which the distribution's advisories speak.`,
      });
      continue;
    }
    if (!concerns(targets, component)) continue;
    matchOne(scene, component, targets, findings, notEvaluated);
  }
  return { findings: findings.sort(compareFindings), notEvaluated };
}

interface MatchScene {
  readonly sbom: Sbom;
  readonly evaluate: Evaluator;
  readonly at: string;
  readonly paths: () => DependencyPaths;
  /** Findings of components with the same targets, of supported releases and of others. */
  readonly known: readonly [Map<Judgement, readonly FindingFacts[]>, Map<Judgement, readonly FindingFacts[]>];
}

function matchOne(
  scene: MatchScene,
  component: Component,
  targets: readonly Target[],
  findings: Finding[],
  notEvaluated: NotEvaluated[],
): void {
  const judgement = scene.evaluate.judge(targets, component.architecture);
  if (judgement.open.length > 0) notEvaluated.push(openOf(component, judgement.open));
  if (judgement.hits.length === 0) return;
  const isUnsupported = isSystemPackage(component) && isPastEnd(scene, component);
  const known = scene.known[isUnsupported ? 1 : 0];
  let facts = known.get(judgement);
  if (facts === undefined) {
    facts = factsOf(scene.evaluate, targets, judgement, isUnsupported);
    known.set(judgement, facts);
  }
  for (const fact of facts) {
    const advice = { ...fact.advice, direct: scene.paths().directOf(component.ref) };
    findings.push({ ...fact, component: component.ref, advice });
  }
}

function factsOf(evaluate: Evaluator, targets: readonly Target[], judgement: Judgement, isUnsupported: boolean) {
  const vulnerabilities = vulnerabilitiesOf(judgement);
  if (vulnerabilities.length === 0) return [];
  const clean = nextClean(evaluate, targets, judgement);
  return vulnerabilities.map((each) => findingFacts(each, evaluate.database, clean, isUnsupported));
}

function openOf(component: Component, open: Judgement["open"]): NotEvaluated {
  const reasons = [...new Set(open.map(({ why }) => why))].sort();
  const shown = open.slice(0, 10).map(({ advisory }) => advisory);
  const more = open.length > shown.length ? ` and ${open.length - shown.length} more` : "";
  const why = reasons.includes("version-unreadable") ? "version-unreadable" : (reasons[0] ?? "range-unreadable");
  return {
    component: component.ref,
    reason: why,
    message: `Version ${component.version} could not be compared with ${shown.join(", ")}${more}: ${reasons.join(", ")}.`,
  };
}

function isPastEnd({ sbom, evaluate, at }: MatchScene, component: Component): boolean {
  const distribution = component.distribution ?? sbom.distribution;
  if (distribution === undefined) return false;
  // Releases are listed by the numbers that name them: `3.20` for 3.20.3, `12` for 12.5.
  const [major = "", minor = ""] = distribution.version.split(".");
  const spellings = [distribution.version, `${major}.${minor}`, major];
  const ends = spellings.map((version) => evaluate.database.endOfLife(distribution.id, version));
  const end = ends.find((each) => each !== undefined);
  return end !== undefined && Date.parse(end) <= Date.parse(at);
}

function ownerOf(component: Component, components: ReadonlyMap<string, Component>): Component | undefined {
  if (isSystemPackage(component)) return undefined;
  const ref = component.properties.find(({ name }) => name === "touchmark:owned-by")?.value;
  const owner = ref === undefined ? undefined : components.get(ref);
  // What claims to belong to something that is no system package is matched as itself.
  return owner !== undefined && isSystemPackage(owner) ? owner : undefined;
}

function lazyPaths(sbom: Sbom): () => DependencyPaths {
  let made: DependencyPaths | undefined;
  return () => {
    made ??= dependencyPaths(sbom);
    return made;
  };
}

/** Order of findings in a result. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareSeverityClasses(a.severity.class, b.severity.class) || byText(a.id, b.id) || byText(a.component, b.component)
  );
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
