import { type Digest, isFactoryError } from "@touchmark/core";
import type { RunRecord } from "@touchmark/store";
import type { ScannedImage } from "../analysis/scan-images.ts";
import { signerIds } from "../evidence/run-statements.ts";
import { outcomeOf } from "../gates/gate-outcome.ts";
import type { Plan } from "../plan.ts";
import type { RunRequest } from "../run.ts";
import type { RunSession, StepError } from "../run-session.ts";
import { errorFacts } from "../run-step.ts";
import type { Publication } from "./publish-artifact.ts";

/** What a run does about images, before its first step and after its last; nothing is loaded where there are none. */

/** True where the gate of the request is asked with images that were looked up. */
export function wantsImages({ steps, pipeline }: Plan): boolean {
  return steps.some(({ definition }) => definition.image !== undefined) || pipeline.images.length > 0;
}

/** Looks up and judges every image before the first step; a refusal ends the run before anything ran. */
export async function admitImages(session: RunSession, request: RunRequest): Promise<StepError | undefined> {
  const { plan, facts, recorder, listener } = session;
  if (!wantsImages(plan)) return undefined;
  const { openRunImages } = await import("./run-images.ts");
  try {
    session.images = await openRunImages(session.factory, plan, {
      environment: request.environment,
      offline: request.offline === true,
      insecureImage: request.insecureImage === true,
      note: (text) => listener({ type: "note", text }),
    });
  } catch (thrown) {
    if (!isFactoryError(thrown) || thrown.nature === "bug") throw thrown;
    return errorFacts(thrown);
  }
  const asked = await outcomeOf(() => session.gates.request(session.images));
  if (session.images.admitted.length === 0) {
    if (asked.passed !== undefined) await recorder.record([asked.passed.draft]);
    return asked.refusal;
  }
  const { workerImagesStatement } = await import("../evidence/image-statements.ts");
  const predecessors = recorder.predecessors("trigger", "source");
  let scanned: ReadonlyMap<Digest, ScannedImage>;
  try {
    const { scanImages } = await import("../analysis/scan-images.ts");
    scanned = await scanImages(session.factory, session.images, await session.advisories(), session.signal);
  } catch (thrown) {
    if (!isFactoryError(thrown) || thrown.nature === "bug") throw thrown;
    return errorFacts(thrown);
  }
  const statement = workerImagesStatement(facts, predecessors, session.images, scanned);
  await recorder.record([
    { name: "images", spiffeId: signerIds.builder(facts), statement },
    ...(asked.passed === undefined ? [] : [asked.passed.draft]),
  ]);
  if (asked.refusal !== undefined) return asked.refusal;
  const refusal = [...scanned.values()].find((each) => each.refusal !== undefined)?.refusal;
  return refusal === undefined ? undefined : errorFacts(refusal);
}

/** Sends what was released where the pipeline says. What fails can be done again: `touchmark publish`. */
export async function publishReleased(
  session: RunSession,
  request: RunRequest,
  record: RunRecord,
): Promise<{ readonly published: readonly Publication[]; readonly error?: StepError }> {
  const { factory, plan, listener } = session;
  if (plan.pipeline.images.length === 0 && plan.pipeline.publish.length === 0) return { published: [] };
  const { openPublishing, publishRun } = await import("./publish-run.ts");
  const places = session.images?.places ?? openPublishing(factory, request.environment);
  const published: Publication[] = [];
  try {
    await publishRun(factory, { places, plan, policies: session.gates.policies }, record, (publication) => {
      published.push(publication);
      const { artifact, reference, tags, bundles } = publication;
      listener({ type: "published", artifact, reference, tags, bundles });
    });
    return { published };
  } catch (thrown) {
    if (!isFactoryError(thrown) || thrown.nature === "bug") throw thrown;
    return { published, error: errorFacts(thrown) };
  } finally {
    if (places !== session.images?.places) await places.close();
  }
}
