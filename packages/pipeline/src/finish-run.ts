import type { Digest } from "@touchmark/core";
import { takeArtifact } from "./artifact.ts";
import { reconciliationStatement } from "./evidence/materials-statement.ts";
import type { RecordedBundle } from "./evidence/recorder.ts";
import {
  type ArtifactFacts,
  credentialStatement,
  environmentStatement,
  provenanceStatement,
  releaseStatement,
  type StepOutcomeFacts,
  signerIds,
} from "./evidence/run-statements.ts";
import { hostPackages } from "./host-packages.ts";
import { isAccounted } from "./materials/fetch-report.ts";
import { reconcileRun } from "./materials/reconcile-run.ts";
import type { RunSession } from "./run-session.ts";

/** An artifact with the bundles that are about it. */
export interface ReleasedArtifact extends ArtifactFacts {
  readonly bundles: readonly Digest[];
}

/** Takes the artifacts, and signs what closes the run: environment, credentials, provenance, release manifest. */
export async function finishRun(session: RunSession): Promise<readonly ReleasedArtifact[]> {
  const { facts, recorder, factory } = session;
  const builder = signerIds.builder(facts);
  const epoch = Math.floor(facts.source.committedAt.getTime() / 1000);
  const outcomes = session.plan.steps.flatMap((step) => session.outcomes.get(step.name) ?? []);
  const artifacts: ArtifactFacts[] = [];
  for (const definition of session.plan.pipeline.artifacts) {
    const output = session.outcomes.get(definition.from)?.output;
    if (output === undefined) continue;
    const artifact = await takeArtifact(factory, definition, output, epoch);
    artifacts.push(artifact);
    session.listener({ type: "artifact", name: artifact.name, digest: artifact.digest, bytes: artifact.bytes });
  }
  const all = recorder.predecessors();
  const packages = hostPackages(
    factory,
    outcomes.flatMap((outcome) => outcome.files.map((file) => file.path)),
  );
  // The key that signs what follows exists before its certificate is listed, and signs the release manifest too.
  await recorder.renew(builder);
  const reconciled = await reconcileRun(session, outcomes);
  const isHermetic = (steps: readonly StepOutcomeFacts[]): boolean =>
    steps.every((step) => isAccountedFor(step) && (reconciled.get(step.step.name)?.result.accounted ?? true));
  const closing = await recorder.record([
    ...(reconciled.size === 0
      ? []
      : [
          {
            name: "reconciliation",
            spiffeId: builder,
            statement: reconciliationStatement(facts, all, reconciled, isHermetic(outcomes)),
          },
        ]),
    { name: "environment", spiffeId: builder, statement: environmentStatement(facts, all, outcomes, packages) },
    ...artifacts.map((artifact) => ({
      name: `provenance/${artifact.name}`,
      spiffeId: builder,
      statement: provenanceOf(session, all, artifact, outcomes, isHermetic),
    })),
  ]);
  await recorder.record([
    {
      name: "credentials",
      spiffeId: builder,
      statement: credentialStatement(
        facts,
        recorder.predecessors(),
        session.identity.issuer,
        session.identity.issuances().slice(session.issuedBefore),
        outcomes.flatMap(({ fetched }) => fetched?.credentials ?? []),
      ),
    },
  ]);
  const released = artifacts.map((artifact) => ({ ...artifact, bundles: bundlesAbout(artifact, closing) }));
  const [release] = await recorder.record([
    {
      name: "release",
      spiffeId: builder,
      statement: releaseStatement(facts, recorder.predecessors(), released, outcomes, recorder.bundles),
    },
  ]);
  return released.map((artifact) => ({
    ...artifact,
    bundles: release === undefined ? artifact.bundles : [...artifact.bundles, release.digest],
  }));
}

/** A step's own part of the hermetic claim: all was seen, each file has a digest, and no answer went unrecorded. */
function isAccountedFor({ complete, network, unaccounted, fetched }: StepOutcomeFacts): boolean {
  const isFetched = network === "proxy" && fetched !== undefined && isAccounted(fetched);
  return complete && unaccounted === 0 && (network === "none" || isFetched);
}

function provenanceOf(
  session: RunSession,
  predecessors: ReturnType<RunSession["recorder"]["predecessors"]>,
  artifact: ArtifactFacts,
  outcomes: readonly StepOutcomeFacts[],
  isHermetic: (steps: readonly StepOutcomeFacts[]) => boolean,
) {
  const steps = contributors(session, artifact.step, outcomes);
  return provenanceStatement(session.facts, predecessors, artifact, steps, isHermetic(steps));
}

function bundlesAbout(artifact: ArtifactFacts, closing: readonly RecordedBundle[]): Digest[] {
  return closing.filter((bundle) => bundle.name === `provenance/${artifact.name}`).map((bundle) => bundle.digest);
}

/** The steps that an artifact rests on: its own, and all that those read from. */
function contributors(
  session: RunSession,
  step: string,
  outcomes: readonly StepOutcomeFacts[],
): readonly StepOutcomeFacts[] {
  const wanted = new Set([step]);
  for (const planned of [...session.plan.steps].reverse()) {
    if (wanted.has(planned.name)) for (const name of planned.after) wanted.add(name);
  }
  return outcomes.filter((outcome) => wanted.has(outcome.step.name));
}
