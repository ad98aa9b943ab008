import { type Digest, digestHex } from "@touchmark/core";
import { type Chain, chain, digest, path, type Resource, resource, time, uri } from "./common.ts";
import { anyObject, described, flag, list, type Of, object, openObject, optional, record, text } from "./shape.ts";
import { parameter } from "./trigger.ts";

/** Build type of this factory's pipelines; documented in docs/formats/buildtype-pipeline-v1.md. */
export const PIPELINE_BUILD_TYPE = "https://touchmark.dev/buildtypes/pipeline/v1";

/** External parameters of the build type: everything that the caller decided, and nothing else. */
export const pipelineParameters = object({
  source: described("Where the source was asked from, and which revision.", object({ uri: text(), revision: text() })),
  pipeline: object({ file: path, name: text({ max: 1024 }) }),
  parameters: record(parameter, /^[A-Za-z0-9_.-]{1,128}$/),
  insecure: described("Options that weaken security, as given.", list(text({ max: 1024 }), { max: 64 })),
});
export type PipelineParameters = Of<typeof pipelineParameters>;

/** Internal parameters of the build type: how the factory ran it. */
export const pipelineInternals = object({
  artifact: object({ name: text({ max: 1024 }), step: text({ max: 1024 }), path }),
  pipelineFile: digest,
  hermetic: described(
    "Measured: every trace is complete, and no step had a network but a recording proxy whose every answer is accounted for.",
    flag,
  ),
  recordedNetwork: described(
    "Steps whose only way out was the recording proxy; their materials are among the resolved dependencies.",
    list(text({ max: 1024 }), { max: 10_000 }),
  ),
  openNetwork: described("Steps that had the host's network, unrecorded.", list(text({ max: 1024 }), { max: 10_000 })),
  workingTree: described("Uncommitted changes were built.", flag),
  isolation: described("Sandbox tier of each step.", record(text({ max: 64 }))),
  observation: described(
    "Observer tier and completeness of each step.",
    record(object({ tier: text({ max: 64 }), complete: flag })),
  ),
  cached: described("Steps whose output came from an earlier run, and the bundle that vouches for it.", record(digest)),
});
export type PipelineInternals = Of<typeof pipelineInternals>;

/** SLSA provenance v1. */
export const provenance = openObject({
  buildDefinition: openObject({
    buildType: uri,
    externalParameters: anyObject,
    internalParameters: optional(anyObject),
    resolvedDependencies: optional(list(resource)),
  }),
  runDetails: openObject({
    builder: openObject({
      id: uri,
      version: optional(record(text())),
      builderDependencies: optional(list(resource)),
    }),
    metadata: optional(
      openObject({ invocationId: optional(text()), startedOn: optional(time), finishedOn: optional(time) }),
    ),
    byproducts: optional(list(resource)),
  }),
  touchmark_chain: optional(chain),
});
export type Provenance = Of<typeof provenance>;

/** What the provenance of one artifact states. */
export interface ProvenanceContent {
  readonly chain: Chain;
  /** SPIFFE id of the builder. */
  readonly builder: string;
  /** Version of the factory. */
  readonly version: string;
  readonly external: PipelineParameters;
  readonly internal: PipelineInternals;
  readonly source: { readonly uri: string; readonly commit: string; readonly treeDigest: Digest };
  /** Further materials: environment statement, outputs of fetch steps. */
  readonly dependencies: readonly Resource[];
  readonly startedOn: string;
  readonly finishedOn: string;
  /** Logs and traces, by digest. */
  readonly byproducts: readonly Resource[];
}

/** Builds SLSA provenance of the pipeline build type. */
export function provenancePredicate(content: ProvenanceContent): Provenance {
  pipelineParameters.check(content.external, "externalParameters");
  pipelineInternals.check(content.internal, "internalParameters");
  return {
    buildDefinition: {
      buildType: PIPELINE_BUILD_TYPE,
      externalParameters: content.external,
      internalParameters: content.internal,
      resolvedDependencies: [
        {
          name: "source",
          uri: `${content.source.uri}@${content.source.commit}`,
          digest: { gitCommit: content.source.commit },
          annotations: { treeDigest: { sha256: digestHex(content.source.treeDigest) } },
        },
        ...content.dependencies,
      ],
    },
    runDetails: {
      builder: { id: content.builder, version: { touchmark: content.version } },
      metadata: { invocationId: content.chain.run, startedOn: content.startedOn, finishedOn: content.finishedOn },
      byproducts: content.byproducts,
    },
    touchmark_chain: content.chain,
  };
}
