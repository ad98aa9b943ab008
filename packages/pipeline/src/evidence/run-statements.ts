import { arch, cpus, release, totalmem, type } from "node:os";
import type { Digest, TreeEntry } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import {
  type CacheHit,
  type Predecessor,
  provenancePredicate,
  type Release,
  type Resource,
  statementOf,
  subjectOf,
} from "@touchmark/formats/predicates";
import { builderId, type CredentialIssuance, nodeId, stepId } from "@touchmark/identity";
import type { CredentialUse } from "@touchmark/materials";
import { FILTERED, filterEnvironment } from "../client-environment.ts";
import type { FetchReport } from "../materials/fetch-report.ts";
import type { PlannedStep } from "../plan.ts";
import { artifactFileName } from "./artifact-name.ts";
import { materialResources } from "./materials-statement.ts";
import type { RecordedBundle } from "./recorder.ts";
import { chainOf, type RunFacts, timeOf } from "./run-facts.ts";
import { outputSubject } from "./step-statements.ts";

/** An artifact as evidence names it. */
export interface ArtifactFacts {
  readonly name: string;
  readonly kind: string;
  readonly step: string;
  readonly path: string;
  readonly digest: Digest;
  readonly treeDigest?: Digest;
  readonly bytes: number;
}

/** A step as the last statements of its run name it, executed or cached. */
export interface StepOutcomeFacts {
  readonly step: PlannedStep;
  readonly output: Digest;
  readonly tier: string;
  readonly observer: string;
  readonly complete: boolean;
  readonly network: "none" | "proxy" | "open";
  /** What came in, for a step with a recording proxy. */
  readonly fetched?: FetchReport;
  /** Entries of the output; empty for a cached step. */
  readonly made: readonly TreeEntry[];
  /** Files of others that it read, and that have no digest. */
  readonly unaccounted: number;
  /** Bundle of the link that vouches for the output. */
  readonly link: Digest;
  readonly trace?: Digest;
  /** Set when an earlier run performed it. */
  readonly cached?: Digest;
  /** Files of the host that it used. */
  readonly files: readonly { readonly path: string; readonly digest: Digest }[];
}

/** Packages of the host that own the files used. */
export interface PackageFacts {
  readonly manager: "dpkg" | "rpm" | "apk" | "none";
  readonly list: readonly { readonly name: string; readonly version: string; readonly architecture?: string }[];
  readonly ownerOf: (path: string) => string | undefined;
}

/** A cached step: builder's word that an earlier link vouches for it. */
export function cacheHitStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  hit: Omit<CacheHit, "run" | "createdAt" | "predecessors">,
): Statement<unknown> {
  return statementOf("cache-hit", [outputSubject(hit.step, hit.output)], { ...chainOf(facts, predecessors), ...hit });
}

/** Machine and toolchain of the run: every file of the host that was really used. */
export function environmentStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  steps: readonly StepOutcomeFacts[],
  packages: PackageFacts,
): Statement<unknown> {
  const files = new Map(steps.flatMap((step) => step.files.map((file) => [file.path, file.digest] as const)));
  const variables = steps.map(({ step }) => {
    const shown = Object.entries(filterEnvironment(step.environment));
    return {
      step: step.name,
      values: Object.fromEntries(shown.filter(([, value]) => value !== FILTERED)),
      withheld: shown.filter(([, value]) => value === FILTERED).map(([name]) => name),
    };
  });
  return statementOf("environment", [subjectOf("source", facts.source.treeDigest)], {
    ...chainOf(facts, predecessors),
    platform: {
      system: type(),
      release: release(),
      architecture: arch(),
      processors: cpus().length,
      memoryBytes: totalmem(),
    },
    runtime: { name: "node", version: process.versions.node },
    packages: { manager: packages.manager, list: [...packages.list] },
    files: [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, digest]) => {
        const owner = packages.ownerOf(path);
        return { path, digest, ...(owner === undefined ? {} : { package: owner }) };
      }),
    complete: steps.every((step) => step.complete),
    toolchains: [...new Set(steps.flatMap(({ step }) => step.definition.toolchains))].map((name) => ({
      name,
      path: name,
    })),
    variables,
    tools: [],
  });
}

/** Every certificate that this run's signatures rest on, and every secret of others that was sent for its steps. */
export function credentialStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  issuer: string,
  issued: readonly CredentialIssuance[],
  uses: readonly CredentialUse[],
): Statement<unknown> {
  return statementOf("credential-issuance", [subjectOf("source", facts.source.treeDigest)], {
    ...chainOf(facts, predecessors),
    issuer,
    certificates: issued.map((each) => ({
      ...each,
      certificate: each.certificate as Digest,
      publicKey: each.publicKey as Digest,
      issuer: each.issuer as Digest,
    })),
    ...(uses.length === 0 ? {} : { uses }),
  });
}

/** SLSA provenance of one artifact. */
export function provenanceStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  artifact: ArtifactFacts,
  steps: readonly StepOutcomeFacts[],
  hermetic: boolean,
  images: readonly Resource[] = [],
): Statement<unknown> {
  const withNetwork = (kind: "proxy" | "open"): string[] =>
    steps.filter((step) => step.network === kind).map(({ step }) => step.name);
  return statementOf(
    "provenance",
    [subjectOf(artifactFileName(artifact), artifact.digest)],
    provenancePredicate({
      chain: chainOf(facts, predecessors),
      builder: builderId(facts.trustDomain),
      version: facts.version,
      external: {
        source: facts.request.source,
        pipeline: facts.request.pipeline,
        parameters: facts.request.parameters,
        insecure: facts.request.insecureOptions,
      },
      internal: {
        artifact: { name: artifact.name, step: artifact.step, path: artifact.path },
        pipelineFile: facts.pipelineFile.digest,
        hermetic,
        openNetwork: withNetwork("open"),
        recordedNetwork: withNetwork("proxy"),
        workingTree: facts.source.workingTree,
        isolation: Object.fromEntries(steps.map(({ step, tier }) => [step.name, tier])),
        observation: Object.fromEntries(
          steps.map(({ step, observer, complete: whole }) => [step.name, { tier: observer, complete: whole }]),
        ),
        cached: Object.fromEntries(
          steps.flatMap(({ step, cached }) => (cached === undefined ? [] : [[step.name, cached]])),
        ),
      },
      source: facts.source,
      dependencies: [
        { name: facts.pipelineFile.path, digest: { sha256: facts.pipelineFile.digest.slice(7) } },
        ...steps.map(({ step, output, network }) => ({
          name: `output/${step.name}`,
          digest: { sha256: output.slice(7) },
          ...(network === "open" ? { annotations: { network: "open", recorded: false } } : {}),
        })),
        ...images,
        ...distinct(steps.flatMap(({ fetched }) => (fetched === undefined ? [] : materialResources(fetched)))),
      ],
      startedOn: timeOf(facts.startedAt),
      finishedOn: timeOf(facts.now()),
      byproducts: [],
    }),
  );
}

/** Each resource once: two steps may have fetched the same package. */
function distinct(resources: readonly Resource[]): readonly Resource[] {
  return [...new Map(resources.map((each) => [`${each.name} ${each.digest?.["sha256"]}`, each])).values()];
}

/** The release manifest: every output and every bundle. What it does not list does not exist; what it lists must be there. */
export function releaseStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  artifacts: readonly (ArtifactFacts & { readonly bundles: readonly Digest[] })[],
  steps: readonly StepOutcomeFacts[],
  bundles: readonly RecordedBundle[],
): Statement<unknown> {
  const predicate: Omit<Release, "run" | "createdAt" | "predecessors"> = {
    project: facts.project,
    pipeline: facts.pipeline,
    source: { uri: facts.source.uri, commit: facts.source.commit, treeDigest: facts.source.treeDigest },
    artifacts: artifacts.map((artifact) => ({ ...artifact, bundles: [...artifact.bundles] })),
    steps: steps.map(({ step, output, link, trace }) => ({
      name: step.name,
      output,
      link,
      ...(trace === undefined ? {} : { trace }),
    })),
    bundles: bundles.map(({ name, predicateType, digest, logIndex }) => ({ name, predicateType, digest, logIndex })),
  };
  const subjects =
    artifacts.length === 0
      ? [subjectOf("source", facts.source.treeDigest)]
      : artifacts.map((artifact) => subjectOf(artifactFileName(artifact), artifact.digest));
  return statementOf("release", subjects, { ...chainOf(facts, predecessors), ...predicate });
}

/** The node's identity and a step's, for signing. */
export const signerIds = {
  builder: (facts: RunFacts) => builderId(facts.trustDomain),
  node: (facts: RunFacts) => nodeId(facts.trustDomain),
  step: (facts: RunFacts, step: string) => stepId(facts.trustDomain, facts.project, facts.pipeline, step),
};
