import { type Check, NotOffered } from "./check.ts";
import { everyAnswerChecks } from "./every-answer.ts";
import { pullBlobChecks } from "./pull-blobs.ts";
import { pullManifestChecks } from "./pull-manifests.ts";
import { pushBlobChecks } from "./push-blobs.ts";
import { pushChunkChecks } from "./push-chunks.ts";
import { pushManifestChecks } from "./push-manifests.ts";
import { referrerListChecks } from "./referrer-lists.ts";
import { removeChecks } from "./remove.ts";
import { Scene } from "./scene.ts";
import { tagListChecks } from "./tag-lists.ts";

/** Every check, in the order of the sections. */
export const checks: readonly Check[] = [
  ...[...pullManifestChecks, ...pullBlobChecks, ...pushBlobChecks, ...pushChunkChecks, ...pushManifestChecks],
  ...[...tagListChecks, ...referrerListChecks, ...everyAnswerChecks, ...removeChecks],
].toSorted((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));

/** What a check came to. `not offered`: the specification leaves it to the registry, and it does not have it. */
export interface Outcome {
  readonly check: Check;
  readonly state: "passed" | "failed" | "not offered";
  readonly reason?: string;
}

/** Runs the checks against a registry, one after the other, in repositories of their own. */
export async function runSuite(options: {
  readonly url: string;
  readonly user?: string | undefined;
  /** Repositories of the run lie below it. Default `conformance`. */
  readonly prefix?: string | undefined;
  readonly only?: (check: Check) => boolean;
}): Promise<readonly Outcome[]> {
  const scene = new Scene(options.url, options.user, options.prefix ?? "conformance");
  const outcomes: Outcome[] = [];
  try {
    for (const check of checks.filter(options.only ?? (() => true))) outcomes.push(await outcomeOf(check, scene));
  } finally {
    scene.caller.close();
  }
  return outcomes;
}

async function outcomeOf(check: Check, scene: Scene): Promise<Outcome> {
  try {
    await check.run(scene);
    return { check, state: "passed" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { check, state: error instanceof NotOffered ? "not offered" : "failed", reason };
  }
}
