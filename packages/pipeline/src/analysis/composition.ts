import type { AdvisoryDatabase } from "@touchmark/advisories";
import { scanRefusal } from "@touchmark/advisories";
import { canonicalJson, type Digest, type FactoryError, sha256 } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import type { ScanGatePolicy, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { type Composition, type Predecessor, statementOf } from "@touchmark/formats/predicates";
import type { AdmittedMaterial } from "@touchmark/materials";
import { normaliseDeclared } from "@touchmark/sbom";
import { chainOf, type RunFacts } from "../evidence/run-facts.ts";
import { signerIds } from "../evidence/run-statements.ts";
import { outputSubject } from "../evidence/step-statements.ts";
import type { FetchReport } from "../materials/fetch-report.ts";
import type { RunSession } from "../run-session.ts";
import { type NamedPackage, sbomOfPackages } from "./package-sbom.ts";
import { decideAll, scanSbom } from "./scan.ts";
import { readScanConfiguration } from "./scan-configuration.ts";
import { severityCounts } from "./severity-counts.ts";

/** Evidence that says how a package was built, and evidence that says whose it is. */
const provenanceKinds: ReadonlySet<string> = new Set(["npm-provenance", "pypi-attestation", "touchmark-provenance"]);

/** Where ecosystems put SBOMs into archives: PEP 770, and the suffixes that CycloneDX and SPDX recommend. */
const supplierSbom =
  /(?:^|\/)(?:[^/]+\.dist-info\/sboms\/[^/]+|META-INF\/sbom\/[^/]+|[^/]*(?:\.cdx|\.spdx)\.(?:json|xml)|[^/]+\.spdx)$/;

/** What a fetch step brought, analysed before any other step may read it. */
interface ComposedStep {
  readonly result: ScanResult;
  readonly gate: ScanGateResult;
  readonly refusal?: FactoryError;
  readonly statement: Statement<unknown>;
}

/** What composition analysis is made with. */
interface CompositionOptions {
  readonly now: Date;
  readonly database?: AdvisoryDatabase;
  /** Rules over what comes in; absent: nothing is asked. */
  readonly policy?: ScanGatePolicy;
}

/**
 * Composition, vulnerabilities and licences of everything that came into a step. Without rules the statement says what
 * is known and `not-evaluated`; with rules a refusal ends the run before the next step.
 */
function composeStep(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  step: string,
  output: Digest,
  fetched: FetchReport,
  options: CompositionOptions,
): ComposedStep {
  const { now, database, policy } = options;
  const packages = packagesOf(fetched);
  const policies = policy === undefined ? [] : [policy];
  const sbom = sbomOfPackages(
    step,
    packages.map(({ named }) => named),
  );
  const scanned = scanSbom(sbom, { now, policies, ...(database === undefined ? {} : { database }) });
  const withoutSupplierSbom = packages.filter((each) => !each.hasSupplierSbom).map(({ named }) => named.purl);
  const result: ScanResult = { ...scanned, withoutSupplierSbom };
  const gate = decideAll(result, policies, now);
  const refusal = scanRefusal(gate);
  const found = new Map<string, string[]>();
  for (const { id, component, severity } of result.findings) {
    found.set(component, [...(found.get(component) ?? []), `${id} ${severity.class}`]);
  }
  const rows = packages.map(({ named, evidence, hasSupplierSbom }) => {
    const vouched = evidence.filter(({ outcome }) => outcome === "verified");
    return {
      purl: named.purl,
      ...(named.sha256 === undefined ? {} : { digest: `sha256:${named.sha256}` as const }),
      ...(named.licence === undefined ? {} : { licence: named.licence }),
      findings: found.get(named.purl) ?? [],
      provenance: vouched.some(({ kind }) => provenanceKinds.has(kind)),
      supplierSbom: hasSupplierSbom,
      signature: vouched.length > 0,
    };
  });
  const share = (holds: (row: (typeof rows)[number]) => boolean): number => rows.filter(holds).length;
  const predicate: Omit<Composition, "run" | "createdAt" | "predecessors"> = {
    step,
    packages: rows,
    shares: {
      packages: rows.length,
      provenance: share((row) => row.provenance),
      supplierSbom: share((row) => row.supplierSbom),
      signature: share((row) => row.signature),
      licence: share((row) => row.licence !== undefined),
    },
    vulnerabilities:
      result.advisories === undefined
        ? { evaluated: false, reason: "no advisory source is configured" }
        : { evaluated: true, database: result.advisories.digest as Digest, counts: severityCounts(result.findings) },
    gate: {
      ...(policy === undefined ? {} : { policy: sha256(canonicalJson(JSON.parse(JSON.stringify(policy)))) }),
      verdict: gate.verdict,
      results: gate.results.map(({ rule, outcome, message, code }) => ({
        ...{ rule, outcome, message: message.slice(0, 16_000) },
        ...(code === undefined ? {} : { code }),
      })),
    },
  };
  return {
    result,
    gate,
    ...(refusal === undefined ? {} : { refusal }),
    statement: statementOf("composition", [outputSubject(step, output)], {
      ...chainOf(facts, predecessors),
      ...predicate,
    }),
  };
}

/** Signs the composition of what a step fetched; answers why the user's rules refuse it. @throws SCAN_CONFIG_INVALID | ADVISORY_… */
export async function composeFetch(
  session: RunSession,
  step: string,
  output: Digest,
  fetched: FetchReport,
): Promise<FactoryError | undefined> {
  const { facts, recorder, factory } = session;
  const { dependencies } = readScanConfiguration(factory);
  const database = await session.advisories();
  const { statement, refusal } = composeStep(
    facts,
    recorder.predecessors("source", `step/${step}/link`, `step/${step}/materials`),
    step,
    output,
    fetched,
    {
      now: facts.now(),
      ...(database === undefined ? {} : { database }),
      ...(dependencies === undefined ? {} : { policy: dependencies }),
    },
  );
  await recorder.record([{ name: `step/${step}/composition`, spiffeId: signerIds.builder(facts), statement }]);
  return refusal;
}

/** Package archives that came in, each URL once. */
function packagesOf({ session }: FetchReport) {
  const packages = new Map<
    string,
    { readonly named: NamedPackage; readonly evidence: AdmittedMaterial["evidence"]; readonly hasSupplierSbom: boolean }
  >();
  for (const { record, evidence, archive, announced } of session.admitted) {
    const { purl, kind } = record.facts;
    if (purl === undefined || (kind !== "archive" && kind !== "git" && kind !== "download")) continue;
    const words = archive?.licence ?? announced.find((each) => each.licence !== undefined)?.licence;
    const licence = words === undefined ? undefined : normaliseDeclared(words).expression;
    const named = {
      purl,
      sha256: record.digest.slice("sha256:".length),
      ...(licence === undefined ? {} : { licence }),
    };
    // The archive's digest is what was signed: an SBOM inside it is the supplier's own word.
    const isSigned = evidence.some(({ outcome }) => outcome === "verified");
    const hasSupplierSbom = isSigned && [...(archive?.digests.keys() ?? [])].some((path) => supplierSbom.test(path));
    packages.set(purl, { named, evidence, hasSupplierSbom });
  }
  return [...packages.values()].sort((a, b) => (a.named.purl < b.named.purl ? -1 : 1));
}
