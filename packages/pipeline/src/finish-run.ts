import type { Digest } from "@touchmark/core";
import { takeArtifact } from "./artifact.ts";
import { imageResources, imageStatement } from "./evidence/image-statements.ts";
import { reconciliationStatement } from "./evidence/materials-statement.ts";
import type { Draft, RecordedBundle } from "./evidence/recorder.ts";
import {
  type ArtifactFacts,
  credentialStatement,
  environmentStatement,
  provenanceStatement,
  releaseStatement,
  type StepOutcomeFacts,
  signerIds,
} from "./evidence/run-statements.ts";
import { decisionNames } from "./gates/decision-names.ts";
import { hostPackages } from "./host-packages.ts";
import type { TakenImage } from "./images/take-image.ts";
import { isAccounted } from "./materials/fetch-report.ts";
import { reconcileRun } from "./materials/reconcile-run.ts";
import type { RunSession } from "./run-session.ts";

/** An artifact with the bundles that are about it. */
export interface ReleasedArtifact extends ArtifactFacts {
  readonly bundles: readonly Digest[];
  /** Of an image: repository of the factory's own registry. */
  readonly repository?: string;
  /** Of an image: everything that it consists of. */
  readonly content?: readonly Digest[];
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
  const images = await takeImages(session, outcomes);
  for (const { facts: made } of images) {
    artifacts.push(made);
    session.listener({ type: "artifact", name: made.name, digest: made.digest, bytes: made.bytes });
  }
  const analysed = await analyse(session, artifacts, images, outcomes);
  await recordReports(session, outcomes);
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
    ...images.map(({ facts: { name }, assembly }) => ({
      name: `image/${name}`,
      spiffeId: builder,
      statement: imageStatement(facts, all, assembly),
    })),
    { name: "environment", spiffeId: builder, statement: environmentStatement(facts, all, outcomes, packages) },
    ...artifacts.map((artifact) => ({
      name: `provenance/${artifact.name}`,
      spiffeId: builder,
      statement: provenanceOf(session, all, artifact, images, outcomes, isHermetic),
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
  const released = artifacts.map((artifact) => ({
    ...artifact,
    bundles: bundlesAbout(artifact, [...analysed, ...closing]),
  }));
  const decided = await release(session, released, {
    name: "release",
    spiffeId: builder,
    statement: releaseStatement(facts, recorder.predecessors(), released, outcomes, recorder.bundles),
  });
  const placeOf = (name: string): Pick<ReleasedArtifact, "repository" | "content"> => {
    const image = images.find(({ facts: made }) => made.name === name);
    return image === undefined ? {} : { repository: image.repository, content: image.content };
  };
  return released.map((artifact) => ({
    ...artifact,
    ...placeOf(artifact.name),
    bundles: [...artifact.bundles, ...decided(artifact.name)],
  }));
}

/**
 * Signs and logs the release manifest, and keeps it only when the gate lets every artifact leave: a manifest that nobody
 * has releases nothing. Bundles about an artifact by its name: the manifest, and the gate's decision.
 */
async function release(
  session: RunSession,
  released: readonly ArtifactFacts[],
  draft: Draft,
): Promise<(artifact: string) => readonly Digest[]> {
  const { recorder } = session;
  const held = await recorder.sign([draft]);
  const { publishGate } = await import("./gates/publish-gate.ts");
  const drafts = await publishGate(session, released, held.bytes[0] ?? new Uint8Array());
  const kept = await held.keep();
  const decisions = drafts.length === 0 ? [] : await recorder.record(drafts);
  return (artifact) =>
    [...kept, ...decisions.filter(({ name }) => name === decisionNames.publish(artifact))].map(({ digest }) => digest);
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
  images: readonly TakenImage[],
  outcomes: readonly StepOutcomeFacts[],
  isHermetic: (steps: readonly StepOutcomeFacts[]) => boolean,
) {
  const sources = images.find(({ facts }) => facts.name === artifact.name)?.steps ?? [artifact.step];
  const steps = contributors(session, sources, outcomes);
  const users = new Set([`base/${artifact.name}`, ...steps.map(({ step }) => `step/${step.name}`)]);
  const resources = imageResources(session.images, users);
  return provenanceStatement(session.facts, predecessors, artifact, steps, isHermetic(steps), resources);
}

/** Says what the artifacts consist of; nothing is loaded where nobody wants to know. @throws SCAN_… */
async function analyse(
  session: RunSession,
  artifacts: readonly ArtifactFacts[],
  images: readonly TakenImage[],
  outcomes: readonly StepOutcomeFacts[],
): Promise<readonly RecordedBundle[]> {
  if (!session.plan.pipeline.analyse.wanted || artifacts.length === 0) return [];
  const { analyseRun } = await import("./analysis/analyse-run.ts");
  return (await analyseRun(session, artifacts, images, outcomes)).flatMap(({ bundles }) => bundles);
}

/** Signs what steps reported, as their own word. */
async function recordReports(session: RunSession, outcomes: readonly StepOutcomeFacts[]): Promise<void> {
  if (outcomes.every(({ step }) => step.definition.reports.length === 0)) return;
  const { recordStepReports } = await import("./analysis/step-reports.ts");
  await recordStepReports(session, outcomes);
}

/** Puts the image artifacts together. */
async function takeImages(session: RunSession, outcomes: readonly StepOutcomeFacts[]): Promise<readonly TakenImage[]> {
  const { images, factory, facts, plan } = session;
  const taken: TakenImage[] = [];
  if (images === undefined || plan.pipeline.images.length === 0) return taken;
  const { takeImage } = await import("./images/take-image.ts");
  const outputs = new Map(outcomes.map(({ step, output }) => [step.name, output]));
  const { project, pipeline, source } = facts;
  for (const definition of plan.pipeline.images) {
    const ingredients = { factory, images, project, pipeline, outputs, source, parameters: plan.parameters };
    taken.push(await takeImage(ingredients, definition));
  }
  return taken;
}

/** Statements whose subject is an artifact, by the first part of their names. */
const aboutArtifact = ["provenance", "image", "sbom", "vulnerabilities", "licences", "analysis"];

function bundlesAbout({ name }: ArtifactFacts, closing: readonly RecordedBundle[]): Digest[] {
  const names = aboutArtifact.map((what) => `${what}/${name}`);
  return closing.filter((bundle) => names.includes(bundle.name)).map((bundle) => bundle.digest);
}

/** The steps that an artifact rests on: its own, and all that those read from. */
function contributors(
  session: RunSession,
  sources: readonly string[],
  outcomes: readonly StepOutcomeFacts[],
): readonly StepOutcomeFacts[] {
  const wanted = new Set(sources);
  for (const planned of [...session.plan.steps].reverse()) {
    if (wanted.has(planned.name)) for (const name of planned.after) wanted.add(name);
  }
  return outcomes.filter((outcome) => wanted.has(outcome.step.name));
}
