import { canonicalJson, type Digest, isDigest, sha256 } from "@touchmark/core";
import { PIPELINE_BUILD_TYPE, predicateType } from "@touchmark/formats/predicates";
import { checkAnalyses, isDocument, type VerifiedAnalysis } from "./chain-analyses.ts";
import { checkDecisions, decisionsAfter, type VerifiedDecision } from "./chain-decisions.ts";
import { chainErrors } from "./chain-errors.ts";
import { notHermetic } from "./chain-hermetic.ts";
import { checkImageArtifact, checkStepImages, type VerifiedImage } from "./chain-images.ts";
import { notChecked } from "./chain-not-checked.ts";
import { checkPredecessors, checkRuns } from "./chain-order.ts";
import {
  type ChainStatement,
  type Evidence,
  gather,
  isOf,
  only,
  readChainStatement,
  subjectDigest,
} from "./chain-statements.ts";
import { checkSteps, type VerifiedStep } from "./chain-steps.ts";
import { prepareExpectations } from "./expectation.ts";
import type { TrustRoot } from "./trust-root.ts";
import type { VerifiedStatement } from "./verified.ts";
import { verifyBundle } from "./verify-bundle.ts";

export type { VerifiedAnalysis } from "./chain-analyses.ts";
export type { VerifiedDecision } from "./chain-decisions.ts";
export { type ChainErrorCode, chainErrors } from "./chain-errors.ts";
export type { VerifiedStep } from "./chain-steps.ts";

/** What a chain must lead from and to. */
export interface ChainExpectations {
  readonly artifact: Digest;
  /** SPIFFE id of the builder; its trust domain is that of every signer. */
  readonly builder: string;
  /** URI of the source, compared as a whole. */
  readonly source: string;
  /** Issuer in the certificates. Default: `https://` and the trust domain, which is also the factory's default. */
  readonly issuer?: string | undefined;
  readonly commit?: string | undefined;
  readonly project?: string | undefined;
  readonly pipeline?: string | undefined;
  /** What the chain must show beyond being whole. */
  readonly require?: readonly "hermetic"[] | undefined;
}

declare const chainBrand: unique symbol;

/** A whole chain from source through steps to an artifact. Only `verifyChain` makes one. */
export interface VerifiedChain {
  readonly run: string;
  readonly project: string;
  readonly pipeline: string;
  readonly builder: string;
  readonly source: { readonly uri: string; readonly commit: string; readonly treeDigest: Digest };
  readonly artifact: { readonly name: string; readonly digest: Digest; readonly step: string; readonly path: string };
  readonly steps: readonly VerifiedStep[];
  /** Every bundle of the chain, with the release manifest. */
  readonly statements: readonly { readonly digest: Digest; readonly predicateType: string; readonly signer: string }[];
  /** Statements that were given and are not of this run; they were not judged. */
  readonly unlisted: readonly Digest[];
  /** Measured: nothing came into any step that is not accounted for. */
  readonly hermetic: boolean;
  /** Why it is not hermetic; empty when it is. */
  readonly notHermetic: readonly string[];
  /** Uncommitted changes were built, as an insecure option asked. */
  readonly workingTree: boolean;
  readonly insecureOptions: readonly string[];
  /** Images that steps ran in, or that the artifact stands on. */
  readonly images: readonly VerifiedImage[];
  /** What the artifacts of the release consist of, and what a gate said; empty where nobody wanted to know. */
  readonly analyses: readonly VerifiedAnalysis[];
  /** What the factory's gates decided for the run; empty where it had none. */
  readonly decisions: readonly VerifiedDecision[];
  readonly notChecked: readonly string[];
  readonly [chainBrand]: true;
}

const minted = new WeakSet<object>();

/** True when this very object came out of `verifyChain`, and is no copy. */
export function isVerifiedChain(value: unknown): value is VerifiedChain {
  return typeof value === "object" && value !== null && minted.has(value);
}

/**
 * Verifies every bundle of an evidence directory and the chain that they make.
 * @throws as `verifyBundle` and `verifyChain` do
 */
export function verifyRun(
  bundles: readonly Uint8Array[],
  trustRoot: TrustRoot,
  expectations: ChainExpectations & { readonly now?: Date; readonly witnessPolicy?: string | undefined },
): VerifiedChain {
  const { trustDomain } = readBuilder(expectations);
  const domain = trustDomain.replaceAll(".", "\\.");
  const expected = prepareExpectations({
    artifact: "unbound",
    identityPattern: `spiffe:\\/\\/${domain}\\/.+`,
    issuer: issuerOf(expectations, trustDomain),
    witnessPolicy: expectations.witnessPolicy,
    now: expectations.now,
  });
  return verifyChain(
    bundles.map((bundle) => verifyBundle(bundle, trustRoot, expected)),
    expectations,
  );
}

/**
 * Checks that verified statements are the one unbroken chain of a run: source, steps by materials and products,
 * artifact, with the signers that each kind demands and nothing of the release manifest missing.
 * @throws CHAIN_*
 */
export function verifyChain(statements: readonly VerifiedStatement[], expectations: ChainExpectations): VerifiedChain {
  const { trustDomain, builder } = readBuilder(expectations);
  const evidence = gather(statements);
  const release = findRelease(evidence, expectations.artifact);
  const { chain, documents } = collect(evidence, release);
  const issuer = issuerOf(expectations, trustDomain);
  const context: Context = { chain, release, trustDomain, issuer, builder, expectations };
  for (const statement of chain) checkSigner(context, statement);
  checkRuns(chain, release);
  checkPredecessors(chain, release, documents);
  const trigger = checkTrigger(context);
  const source = checkSource(context);
  only(chain, "node-attestation", (each) => each.run === release.run);
  only(chain, "environment", (each) => each.run === release.run);
  const steps = checkSteps(chain, release);
  const artifact = checkArtifact(context, steps);
  const images = checkStepImages(chain, release, steps);
  checkImageArtifact(chain, release, artifact.row);
  const analyses = checkAnalyses(chain, documents, release, { builder, issuer });
  const after = decisionsAfter(evidence, release, { builder, issuer });
  const decisions = checkDecisions(chain, release, after);
  checkProvenance(context, steps, source, trigger);
  checkCredentials(context);
  const { request } = trigger.predicate;
  const loose = notHermetic(chain, release.run, steps);
  if (expectations.require?.includes("hermetic") && loose.length > 0) {
    throw chainErrors.make("CHAIN_NOT_HERMETIC", `expected a hermetic build, found: ${loose.join("; ")}`);
  }
  const facts: Omit<VerifiedChain, typeof chainBrand> = {
    run: release.run,
    project: release.predicate.project,
    pipeline: release.predicate.pipeline,
    builder,
    source: release.predicate.source,
    artifact: artifact.row,
    steps,
    statements: [
      ...[...chain, ...after].map((each) => ({
        digest: each.digest,
        predicateType: predicateType(each.kind),
        signer: each.signer,
      })),
      ...[...documents].map(([digest, { statement }]) => ({
        digest,
        predicateType: statement.predicateType,
        signer: builder,
      })),
    ],
    unlisted: [...evidence.keys()].filter(
      (digest) => !documents.has(digest) && ![...chain, ...after].some((each) => each.digest === digest),
    ),
    hermetic: loose.length === 0,
    notHermetic: loose,
    workingTree: source.predicate.workingTree,
    insecureOptions: request.insecureOptions,
    images,
    analyses,
    decisions,
    notChecked: notChecked(artifact, steps),
  };
  const verified = Object.freeze(facts) as VerifiedChain;
  minted.add(verified);
  return verified;
}

interface Context {
  /** Every statement of the chain, the release manifest with them. */
  readonly chain: readonly ChainStatement[];
  readonly release: ChainStatement<"release">;
  readonly trustDomain: string;
  readonly issuer: string;
  readonly builder: string;
  readonly expectations: ChainExpectations;
}

function readBuilder({ artifact, builder, source }: ChainExpectations): { trustDomain: string; builder: string } {
  const match = /^spiffe:\/\/([a-z0-9.-]+)\/[^?#\s]+$/.exec(builder);
  if (match === null || !isDigest(artifact) || typeof source !== "string" || source === "") {
    throw chainErrors.make(
      "CHAIN_EXPECTATION_INVALID",
      "expected the artifact's digest, the builder as spiffe://<trust domain>/<path>, and the source's URI",
    );
  }
  return { trustDomain: match[1] as string, builder };
}

function issuerOf(expectations: ChainExpectations, trustDomain: string): string {
  return expectations.issuer ?? `https://${trustDomain}`;
}

function findRelease(evidence: Evidence, artifact: Digest): ChainStatement<"release"> {
  const releases: ChainStatement<"release">[] = [];
  for (const verified of evidence.values()) {
    if (verified.statement.predicateType !== predicateType("release")) continue;
    const statement = readChainStatement(verified);
    if (statement === undefined || !isOf("release")(statement)) continue;
    const listed = statement.predicate.artifacts.some((row) => row.digest === artifact);
    const subject = verified.statement.subject.some((each) => `sha256:${each.digest["sha256"]}` === artifact);
    if (listed && subject) releases.push(statement);
  }
  const [release, ...more] = releases;
  if (release === undefined) throw chainErrors.make("CHAIN_RELEASE_MISSING", `no release manifest lists ${artifact}`);
  if (more.length > 0) throw chainErrors.make("CHAIN_RELEASE_AMBIGUOUS", `several release manifests list ${artifact}`);
  return release;
}

/** Every bundle that the manifest lists, and nothing else. */
function collect(
  evidence: Evidence,
  release: ChainStatement<"release">,
): { chain: readonly ChainStatement[]; documents: ReadonlyMap<Digest, VerifiedStatement> } {
  const chain: ChainStatement[] = [];
  const documents = new Map<Digest, VerifiedStatement>();
  for (const row of release.predicate.bundles) {
    const verified = evidence.get(row.digest);
    if (verified === undefined) {
      throw chainErrors.make("CHAIN_BUNDLE_MISSING", `the bundle of ${row.name}, ${row.digest}, is missing`);
    }
    const index = verified.logEntries.some((entry) => entry.logIndex === row.logIndex);
    if (verified.statement.predicateType !== row.predicateType || !index) {
      throw chainErrors.make("CHAIN_BUNDLE_MISDESCRIBED", `the bundle of ${row.name} is not what the manifest says`);
    }
    if (isDocument(verified)) {
      documents.set(row.digest, verified);
      continue;
    }
    const statement = readChainStatement(verified);
    if (statement === undefined) {
      throw chainErrors.make(
        "CHAIN_PREDICATE_MALFORMED",
        `the manifest lists a predicate without a schema: ${row.predicateType}`,
      );
    }
    chain.push(statement);
  }
  const listed = new Set(release.predicate.bundles.map((row) => row.digest));
  const absent = release.predicate.artifacts.flatMap((row) => row.bundles).find((digest) => !listed.has(digest));
  if (absent !== undefined) {
    throw chainErrors.make(
      "CHAIN_BUNDLE_MISSING",
      `an artifact's bundle, ${absent}, is not among those of the release`,
    );
  }
  return { chain: [...chain, release], documents };
}

/** Steps sign their own link and trace, the node itself, the builder all else. */
function checkSigner({ release, trustDomain, issuer, builder }: Context, statement: ChainStatement): void {
  const { project, pipeline } = release.predicate;
  let expected = builder;
  if (statement.kind === "node-attestation") expected = `spiffe://${trustDomain}/node`;
  else if (isOf("link")(statement)) {
    expected = `spiffe://${trustDomain}/project/${project}/pipeline/${pipeline}/step/${statement.predicate.name}`;
  } else if (isOf("runtime-trace")(statement)) {
    const step = /^run\/[^/]+\/step\/([^/]+)$/.exec(statement.predicate.monitoredProcess.event)?.[1];
    expected = `spiffe://${trustDomain}/project/${project}/pipeline/${pipeline}/step/${step}`;
  }
  if (statement.signer !== expected || statement.issuer !== issuer) {
    throw chainErrors.make(
      "CHAIN_SIGNER_UNEXPECTED",
      `expected ${expected} of ${issuer} to sign ${statement.kind}, found ${statement.signer} of ${statement.issuer}`,
    );
  }
}

function checkTrigger({ chain, release, builder }: Context): ChainStatement<"trigger"> {
  const trigger = only(chain, "trigger", (each) => each.run === release.run);
  const { request, factory } = trigger.predicate;
  if (subjectDigest(trigger) !== sha256(canonicalJson(request))) {
    throw chainErrors.make("CHAIN_REQUEST_MISMATCH", "the trigger's subject is not the request that it describes");
  }
  if (factory.builder !== builder) {
    throw chainErrors.make("CHAIN_BUILDER_MISMATCH", `expected the builder ${builder}, found ${factory.builder}`);
  }
  if (request.pipeline.name !== release.predicate.pipeline) {
    throw chainErrors.make("CHAIN_PIPELINE_MISMATCH", "the request was for another pipeline than the release is of");
  }
  return trigger;
}

function checkSource({ chain, release, expectations }: Context): ChainStatement<"source"> {
  const source = only(chain, "source", (each) => each.run === release.run);
  const { uri, commit, treeDigest } = source.predicate;
  const released = release.predicate.source;
  const mismatch = (name: string, expected: string, found: string) =>
    chainErrors.make("CHAIN_SOURCE_MISMATCH", `expected the ${name} ${expected}, found ${found}`);
  if (uri !== expectations.source) throw mismatch("source", expectations.source, uri);
  if (expectations.commit !== undefined && commit !== expectations.commit) {
    throw mismatch("commit", expectations.commit, commit);
  }
  if (subjectDigest(source) !== treeDigest) throw mismatch("tree", treeDigest, subjectDigest(source) ?? "none");
  if (released.uri !== uri || released.commit !== commit || released.treeDigest !== treeDigest) {
    throw mismatch("source of the release", `${uri}@${commit}`, `${released.uri}@${released.commit}`);
  }
  const { project, pipeline } = release.predicate;
  for (const [name, expected, found] of [
    ["project", expectations.project, project],
    ["pipeline", expectations.pipeline, pipeline],
  ] as const) {
    if (expected !== undefined && found !== expected) {
      throw chainErrors.make("CHAIN_PIPELINE_MISMATCH", `expected the ${name} ${expected}, found ${found}`);
    }
  }
  return source;
}

type ArtifactRow = ChainStatement<"release">["predicate"]["artifacts"][number];

function checkArtifact(
  { release, expectations }: Context,
  steps: readonly VerifiedStep[],
): { row: ArtifactRow; named: boolean } {
  const row = release.predicate.artifacts.find((each) => each.digest === expectations.artifact) as ArtifactRow;
  const step = steps.find((each) => each.name === row.step);
  const notProduced = (why: string) =>
    chainErrors.make(
      "CHAIN_ARTIFACT_NOT_PRODUCED",
      `the artifact ${row.name} is no product of step ${row.step}: ${why}`,
    );
  if (step === undefined) throw notProduced("the release has no such step");
  // A link names each file up to a limit; beyond it, and for directories, only the digest of the tree.
  if (step.products.size === 0 || row.treeDigest !== undefined || row.kind === "image") return { row, named: false };
  if (step.products.get(row.path) !== row.digest)
    throw notProduced(`its link has another file at ${row.path}, or none`);
  return { row, named: true };
}

function checkProvenance(
  { chain, release, builder, expectations }: Context,
  steps: readonly VerifiedStep[],
  source: ChainStatement<"source">,
  trigger: ChainStatement<"trigger">,
): void {
  const about = (each: ChainStatement) =>
    each.run === release.run &&
    each.verified.statement.subject.some((subject) => `sha256:${subject.digest["sha256"]}` === expectations.artifact);
  const { predicate } = only(chain, "provenance", about, "the artifact");
  const { buildDefinition, runDetails } = predicate;
  if (runDetails.builder.id !== builder) {
    throw chainErrors.make("CHAIN_BUILDER_MISMATCH", `expected the builder ${builder}, found ${runDetails.builder.id}`);
  }
  const mismatch = (why: string) => chainErrors.make("CHAIN_PROVENANCE_MISMATCH", `the provenance ${why}`);
  if (buildDefinition.buildType !== PIPELINE_BUILD_TYPE)
    throw mismatch(`is of the build type ${buildDefinition.buildType}`);
  const { request } = trigger.predicate;
  const asked = {
    source: request.source,
    pipeline: request.pipeline,
    parameters: request.parameters,
    insecure: request.insecureOptions,
  };
  if (canonicalJson(buildDefinition.externalParameters) !== canonicalJson(asked)) {
    throw chainErrors.make("CHAIN_REQUEST_MISMATCH", "the provenance has other parameters than the request");
  }
  const { commit, pipelineFile } = source.predicate;
  if (buildDefinition.internalParameters?.["pipelineFile"] !== pipelineFile.digest) {
    throw chainErrors.make("CHAIN_PIPELINE_MISMATCH", "the provenance names another pipeline file than the source");
  }
  const materials = new Map(
    (buildDefinition.resolvedDependencies ?? []).map((each) => [each.name ?? "", each.digest ?? {}]),
  );
  if (materials.get("source")?.["gitCommit"] !== commit) throw mismatch("names another commit than the source");
  const outputs = new Map(steps.map((step) => [`output/${step.name}`, step.output]));
  for (const [name, digest] of materials) {
    if (name.startsWith("output/") && outputs.get(name) !== `sha256:${digest["sha256"]}`) {
      throw mismatch(`names another ${name} than the release`);
    }
  }
}

/** Each certificate that signed before the credentials were listed must be listed. */
function checkCredentials({ chain, release }: Context): void {
  const credentials = only(chain, "credential-issuance", (each) => each.run === release.run);
  const listed = new Set<string>(credentials.predicate.certificates.map((row) => row.certificate));
  const before = new Set(credentials.predecessors.map(({ digest }) => digest));
  for (const statement of chain) {
    const { signer } = statement.verified;
    if (statement.run !== release.run || !before.has(statement.digest) || signer.kind !== "certificate") continue;
    if (!listed.has(signer.certificate)) {
      throw chainErrors.make(
        "CHAIN_CREDENTIAL_UNLISTED",
        `${statement.kind} was signed with the certificate ${signer.certificate}, which the run does not list`,
      );
    }
  }
}
