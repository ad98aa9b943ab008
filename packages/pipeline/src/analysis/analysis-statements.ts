import type { Digest } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import { STATEMENT_TYPE } from "@touchmark/formats/evidence";
import type { Finding, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { type Analysis, type Predecessor, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { chainOf, type RunFacts, timeOf } from "../evidence/run-facts.ts";
import { severityCounts } from "./severity-counts.ts";

/** Predicate type of an SBOM in CycloneDX (in-toto attestation predicates, cyclonedx). */
export const CYCLONEDX_TYPE = "https://cyclonedx.org/bom";
/** Predicate type of a list of vulnerabilities (in-toto attestation predicates, vulns v0.2). */
export const VULNS_TYPE = "https://in-toto.io/attestation/vulns/v0.2";

/** What is analysed: its name and digest in statements. */
export interface AnalysedSubject {
  readonly name: string;
  readonly digest: Digest;
}

/** An SBOM as a statement: the predicate is the document itself. */
export function sbomStatement({ name, digest }: AnalysedSubject, document: Uint8Array): Statement<unknown> {
  const predicate: unknown = JSON.parse(new TextDecoder().decode(document));
  return { _type: STATEMENT_TYPE, subject: [subjectOf(name, digest)], predicateType: CYCLONEDX_TYPE, predicate };
}

/** The findings as vulns v0.2 has them. */
export function vulnsStatement(
  { name, digest }: AnalysedSubject,
  result: ScanResult,
  version: string,
  startedAt: Date,
): Statement<unknown> {
  const { advisories } = result;
  const predicate = {
    scanner: {
      uri: `https://touchmark.dev/scanner/${version}`,
      version,
      db: {
        ...(advisories === undefined
          ? {}
          : { uri: `urn:touchmark:advisories:${advisories.digest}`, lastUpdate: advisories.compiledAt }),
        ...(advisories === undefined ? {} : { version: advisories.digest }),
      },
      result: result.findings.map(vulnerability),
    },
    metadata: { scanStartedOn: timeOf(startedAt), scanFinishedOn: result.at },
  };
  return { _type: STATEMENT_TYPE, subject: [subjectOf(name, digest)], predicateType: VULNS_TYPE, predicate };
}

function vulnerability(finding: Finding) {
  const {
    id,
    severity,
    otherSeverities,
    component,
    aliases,
    fixState,
    fixedVersions,
    evidence,
    decisions,
    epss,
    knownExploited,
  } = finding;
  return {
    id,
    severity: [severity, ...otherSeverities].map((each) => ({
      method: each.vector?.split("/", 1)[0] ?? "class",
      score: each.vector ?? each.class,
    })),
    annotations: [
      {
        component,
        class: severity.class,
        ...(severity.score === undefined ? {} : { score: severity.score }),
        aliases,
        fixState,
        fixedVersions,
        advisories: evidence.map(({ source, advisory, digest: bytes }) => ({ source, advisory, digest: bytes })),
        ...(epss === undefined ? {} : { epss }),
        ...(knownExploited === undefined ? {} : { knownExploited }),
        ...(decisions.length === 0 ? {} : { decisions }),
      },
    ],
  };
}

/** Licences of the components, as judged. */
export function licencesStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  { name, digest }: AnalysedSubject,
  result: ScanResult,
  policy: Digest | undefined,
): Statement<unknown> {
  const components = new Map(result.sbom.components.map((component) => [component.ref, component]));
  const join = (list: readonly { expression?: string; text?: string }[] | undefined): string | undefined =>
    list === undefined || list.length === 0
      ? undefined
      : list
          .map(({ expression, text }) => expression ?? text ?? "")
          .join(" AND ")
          .slice(0, 16_000);
  return statementOf("licences", [subjectOf(name, digest)], {
    ...chainOf(facts, predecessors),
    ...(policy === undefined ? {} : { policy }),
    components: result.licences.map((licence) => {
      const component = components.get(licence.component);
      const declared = join(component?.declaredLicences);
      const detected = join(component?.detectedLicences);
      return {
        component: licence.component,
        ...(declared === undefined || declared === "" ? {} : { declared }),
        ...(detected === undefined || detected === "" ? {} : { detected }),
        class: licence.class,
        reason: licence.reason.slice(0, 16_000) || "no reason was given",
      };
    }),
  });
}

/** Bundles of what was found, by which the factory's own word on an artifact names them. */
export interface AnalysisBundles {
  readonly sbom: Digest;
  readonly vulnerabilities?: Digest;
  readonly licences: Digest;
}

/** The factory's own word on what an artifact consists of. */
export function analysisStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  { name, digest }: AnalysedSubject,
  result: ScanResult,
  bundles: AnalysisBundles,
  gate: ScanGateResult & { readonly policy?: Digest },
  materials: number,
): Statement<unknown> {
  const { sbom, advisories, licences } = result;
  const classes = (which: string): number => licences.filter((each) => each.class === which).length;
  const predicate: Omit<Analysis, "run" | "createdAt" | "predecessors"> = {
    artifact: name,
    digest,
    sbom: {
      bundle: bundles.sbom,
      components: sbom.components.length,
      edges: sbom.dependencies.reduce((sum, { to }) => sum + to.length, 0),
      ...(sbom.created === undefined ? {} : { created: sbom.created }),
      losses: sbom.losses
        .slice(0, 10_000)
        .map(({ path, code, message }) => ({ path: path || ".", code, message: message.slice(0, 1000) || code })),
    },
    materials,
    vulnerabilities: {
      ...(bundles.vulnerabilities === undefined ? {} : { bundle: bundles.vulnerabilities }),
      evaluated: advisories !== undefined,
      ...(advisories === undefined
        ? { reason: "no advisory source is configured" }
        : { database: advisories.digest as Digest, counts: severityCounts(result.findings) }),
    },
    licences: {
      bundle: bundles.licences,
      allowed: classes("allowed"),
      warned: classes("warned"),
      denied: classes("denied"),
      unknown: classes("unknown"),
    },
    unaccounted: [...(result.unaccounted ?? [])],
    unowned: (sbom.unowned ?? []).map(({ path }) => path),
    gate: {
      ...(gate.policy === undefined ? {} : { policy: gate.policy }),
      verdict: gate.verdict,
      results: gate.results.map(({ rule, outcome, message, code }) => ({
        rule,
        outcome,
        message: message.slice(0, 16_000),
        ...(code === undefined ? {} : { code }),
      })),
    },
  };
  return statementOf("analysis", [subjectOf(name, digest)], { ...chainOf(facts, predecessors), ...predicate });
}
