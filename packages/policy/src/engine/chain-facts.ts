import type { Digest } from "@touchmark/core";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { CelInput } from "../cel/value.ts";
import { inputDigest } from "./canonical-input.ts";
import type { ChainView } from "./scope.ts";

/** Facts of a verified chain as rules see them: `chain`. What a chain does not know is left out. */
export function chainFacts(chain: VerifiedChain): CelInput {
  const { run, project, pipeline, builder, source, artifact } = chain;
  return {
    run,
    project,
    pipeline,
    builder,
    source: { uri: source.uri, commit: source.commit, treeDigest: source.treeDigest },
    artifact: { name: artifact.name, digest: artifact.digest, step: artifact.step, path: artifact.path },
    steps: chain.steps.map((step) => ({
      name: step.name,
      network: step.network,
      observed: step.observed,
      tier: step.tier,
      cached: step.cachedFrom !== undefined,
      cachedFrom: step.cachedFrom,
      image: step.image,
      unaccounted: step.unaccounted,
      output: step.output,
      run: step.run,
    })),
    hermetic: chain.hermetic,
    notHermetic: chain.notHermetic,
    workingTree: chain.workingTree,
    insecureOptions: chain.insecureOptions,
    images: chain.images as unknown as readonly CelInput[],
    analyses: chain.analyses as unknown as readonly CelInput[],
    decisions: chain.decisions.map(({ point, subject, digest, policies, expires, bundle }) => ({
      ...{ point, subject, digest, policies, bundle },
      expires: new Date(expires),
    })),
    statements: chain.statements.map(({ digest, predicateType, signer }) => ({ digest, predicateType, signer })),
    notChecked: chain.notChecked,
  };
}

/** A verified chain as the engine sees it. */
export function chainView(chain: VerifiedChain): ChainView {
  const bundles = new Set<Digest>(chain.statements.map((statement) => statement.digest));
  const { uri, commit, treeDigest } = chain.source;
  return {
    facts: chainFacts(chain),
    artifact: chain.artifact.digest,
    source: { uri, revision: commit, tree: treeDigest },
    has: (bundle) => bundles.has(bundle),
  };
}

/** Chains once each, with their digests, in an order that does not depend on that in which they were given. */
export function chainsInOrder(chains: readonly ChainView[]): ReadonlyMap<Digest, ChainView> {
  const digests = chains.map((chain) => [inputDigest(chain.facts), chain] as const);
  return new Map(digests.sort(([left], [right]) => (left < right ? -1 : 1)));
}
