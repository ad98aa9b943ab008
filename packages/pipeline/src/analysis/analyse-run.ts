import { join } from "node:path";
import { applyVex, scanRefusal } from "@touchmark/advisories";
import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import type { ReportKind, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import type { Sbom, SbomSubject } from "@touchmark/formats/sbom";
import { openDirectoryTree, openFileTree, type ScannedTree, writeSbom } from "@touchmark/sbom";
import type { RecordedBundle } from "../evidence/recorder.ts";
import { type ArtifactFacts, type StepOutcomeFacts, signerIds } from "../evidence/run-statements.ts";
import type { TakenImage } from "../images/take-image.ts";
import type { RunSession } from "../run-session.ts";
import { analysisStatement, licencesStatement, sbomStatement, vulnsStatement } from "./analysis-statements.ts";
import { imageTree } from "./image-tree.ts";
import { keptVex, vexFor } from "./kept-vex.ts";
import { catalogueTree, decideAll, scanSbom } from "./scan.ts";
import { readScanConfiguration } from "./scan-configuration.ts";
import { severityCounts } from "./severity-counts.ts";
import { readReports } from "./step-reports.ts";
import { plainUrl, unaccountedComponents } from "./unaccounted.ts";

/** An artifact, analysed, with the bundles that say so. */
export interface AnalysedArtifact {
  readonly name: string;
  readonly result: ScanResult;
  readonly gate: ScanGateResult;
  readonly bundles: readonly RecordedBundle[];
}

/**
 * Catalogues every artifact of a run from what is in it, looks its components up, judges, and signs what was found. What
 * a gate refuses is signed all the same; then the run is refused.
 * @throws SCAN_… of the gate; SCAN_CONFIG_INVALID; ADVISORY_…
 */
export async function analyseRun(
  session: RunSession,
  artifacts: readonly ArtifactFacts[],
  images: readonly TakenImage[],
  outcomes: readonly StepOutcomeFacts[],
): Promise<readonly AnalysedArtifact[]> {
  const { factory, plan } = session;
  const configuration = readScanConfiguration(factory);
  const policies = [configuration.gate, plan.pipeline.analyse.gate].flatMap((policy) => policy ?? []);
  const advisories = await session.advisories();
  const known = knownComponents(session, outcomes);
  const reports = await reportKinds(session, outcomes);
  const { kept, ignored } = await keptVex(factory);
  for (const { digest, message } of ignored) {
    session.listener({ type: "note", text: `VEX document ${digest} does not count: ${message}` });
  }
  const analysed: AnalysedArtifact[] = [];
  for (const artifact of artifacts) {
    const startedAt = session.facts.now();
    const { tree, kind } = await treeOf(session, artifact, images);
    const sbom = await catalogueTree({ tree, ...catalogued(session, artifact, kind), signal: session.signal });
    const now = session.facts.now();
    const scanned = scanSbom(sbom, { now, policies, ...(advisories === undefined ? {} : { database: advisories }) });
    const about = { project: session.facts.project, artifact: artifact.digest, now };
    const { result: applied } = applyVex(scanned, vexFor(kept, about));
    const result: ScanResult = { ...applied, reports, unaccounted: await unaccounted(sbom, known) };
    const gate = decideAll(result, policies, now);
    const policy = policies.length === 0 ? undefined : sha256(canonicalJson(JSON.parse(JSON.stringify(policies))));
    const bundles = await record(session, artifact, result, gate, policy, startedAt, known.fetched.size);
    analysed.push({ name: artifact.name, result, gate, bundles });
    session.listener({
      type: "analysed",
      artifact: artifact.name,
      components: sbom.components.length - 1,
      ...(advisories === undefined ? {} : { findings: severityCounts(result.findings) }),
      verdict: gate.verdict,
      warnings: gate.results.flatMap(({ outcome, message }) => (outcome === "warned" ? [message] : [])),
    });
  }
  for (const { gate } of analysed) {
    const refusal = scanRefusal(gate);
    if (refusal !== undefined) throw refusal;
  }
  return analysed;
}

/** Kinds of reports that the steps wrote, each read. */
async function reportKinds({ factory }: RunSession, outcomes: readonly StepOutcomeFacts[]): Promise<ReportKind[]> {
  const found = new Set<ReportKind>();
  for (const { step, output } of outcomes) {
    for (const { definition } of await readReports(factory.trees, step, output)) found.add(definition.kind);
  }
  return [...found].sort();
}

function catalogued(session: RunSession, artifact: ArtifactFacts, kind: SbomSubject["kind"]) {
  const { committedAt } = session.facts.source;
  return {
    subject: { kind, name: artifact.name, digest: artifact.digest },
    created: committedAt.toISOString(),
  } as const;
}

async function treeOf(
  { factory, images: runImages, outcomes }: RunSession,
  artifact: ArtifactFacts,
  images: readonly TakenImage[],
): Promise<{ tree: ScannedTree; kind: SbomSubject["kind"] }> {
  const image = images.find(({ facts }) => facts === artifact);
  if (image !== undefined) {
    const own = await runImages?.places.own();
    if (own === undefined) throw new TypeError("an image was made without a registry");
    const [first] = image.assembly.images;
    return {
      tree: await imageTree(own.repository(image.repository), first?.manifest ?? artifact.digest),
      kind: "image",
    };
  }
  if (artifact.treeDigest !== undefined) {
    return { tree: openDirectoryTree(factory.trees.root(artifact.treeDigest)), kind: "artifact" };
  }
  const output = outcomes.get(artifact.step)?.output;
  if (output === undefined) throw new TypeError(`artifact ${artifact.name} is of no step`);
  // Under its own name, which catalogers look at; its bytes are those that were stored a moment ago.
  return { tree: openFileTree(join(factory.trees.root(output), artifact.path)), kind: "artifact" };
}

interface Known {
  readonly fetched: ReadonlySet<string>;
  readonly source: () => Promise<Sbom>;
}

/** What the run may rightly ship: what it fetched, and what the source revision holds, catalogued when it is needed. */
function knownComponents(session: RunSession, outcomes: readonly StepOutcomeFacts[]): Known {
  const fetched = new Set<string>();
  for (const outcome of outcomes) {
    for (const { record: material } of outcome.fetched?.session.admitted ?? []) {
      if (material.facts.purl !== undefined) fetched.add(plainUrl(material.facts.purl));
    }
  }
  let catalogued: Promise<Sbom> | undefined;
  const { facts, factory } = session;
  return {
    fetched,
    source: () => {
      catalogued ??= catalogueTree({
        tree: openDirectoryTree(factory.trees.root(facts.source.treeDigest)),
        subject: { kind: "directory", name: facts.project, digest: facts.source.treeDigest },
        signal: session.signal,
      });
      return catalogued;
    },
  };
}

async function unaccounted(sbom: Sbom, { fetched, source }: Known): Promise<readonly string[]> {
  if (sbom.components.length <= 1) return [];
  return unaccountedComponents(sbom, { fetched, source: await source() });
}

async function record(
  session: RunSession,
  artifact: ArtifactFacts,
  result: ScanResult,
  gate: ScanGateResult,
  policy: Digest | undefined,
  startedAt: Date,
  materials: number,
): Promise<readonly RecordedBundle[]> {
  const { facts, recorder } = session;
  const spiffeId = signerIds.builder(facts);
  const { name } = artifact;
  const before = recorder.predecessors("source", ...session.plan.steps.map((step) => `step/${step.name}/link`));
  const found = await recorder.record([
    {
      name: `sbom/${name}`,
      spiffeId,
      statement: sbomStatement(artifact, writeSbom(result.sbom, "cyclonedx-json").bytes),
    },
    { name: `licences/${name}`, spiffeId, statement: licencesStatement(facts, before, artifact, result, policy) },
    ...(result.advisories === undefined
      ? []
      : [
          {
            name: `vulnerabilities/${name}`,
            spiffeId,
            statement: vulnsStatement(artifact, result, facts.version, startedAt),
          },
        ]),
  ]);
  const [sbom, licences, vulnerabilities] = found.map((bundle) => bundle.digest);
  if (sbom === undefined || licences === undefined)
    throw new TypeError("the recorder answered fewer bundles than drafts");
  const bundles = { sbom, licences, ...(vulnerabilities === undefined ? {} : { vulnerabilities }) };
  const predecessors = [...before, ...found.map((bundle) => ({ name: bundle.name, digest: bundle.digest }))];
  const gateFacts = { ...gate, ...(policy === undefined ? {} : { policy }) };
  const statement = analysisStatement(facts, predecessors, artifact, result, bundles, gateFacts, materials);
  return [...found, ...(await recorder.record([{ name: `analysis/${name}`, spiffeId, statement }]))];
}
