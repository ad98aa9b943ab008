import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isDigest } from "@touchmark/core";
import { fillParameters, parseImageReference, parsePipelineFile } from "@touchmark/formats/pipeline";
import type { RunRecord } from "@touchmark/store";
import type { Factory } from "../factory.ts";
import { findRun, runsOf } from "../lookup.ts";
import { makePlan, type Plan } from "../plan.ts";
import { type PoliciesInForce, policiesInForce } from "../policy/index.ts";
import { PIPELINE_FILE } from "../take-source.ts";
import { runImageErrors } from "./errors.ts";
import { type ImagePlaces, imagePlaces } from "./image-places.ts";
import { readImagesConfiguration } from "./images-configuration.ts";
import { type Publication, publishRelease } from "./publish-artifact.ts";

/** Where a run publishes to, and by which policies. */
export interface RunPublishing {
  readonly places: ImagePlaces;
  readonly plan: Plan;
  readonly policies: PoliciesInForce;
}

/**
 * Publishes what a run made: images into the factory's own registry in any case, and everything where the pipeline says.
 * @throws as `publishRelease`
 */
export async function publishRun(
  factory: Factory,
  { places, plan, policies }: RunPublishing,
  run: RunRecord,
  tell: (publication: Publication) => void,
): Promise<readonly Publication[]> {
  const published: Publication[] = [];
  const publish = async (name: string, to: string, tags: readonly string[]): Promise<void> => {
    const artifact = run.artifacts.find((each) => each.name === name);
    if (artifact === undefined) throw new TypeError(`run ${run.id} made no ${name}`);
    const filled = tags.map((tag) => fillParameters(tag, plan.parameters));
    const target = { to: parseImageReference(to), tags: filled, policies };
    const done = await publishRelease(factory, places, artifact, target);
    published.push(done);
    tell(done);
  };
  for (const artifact of run.artifacts) {
    const { repository } = (artifact.details ?? {}) as { readonly repository?: string };
    if (repository !== undefined) await publish(artifact.name, `factory:${repository}`, ["latest"]);
  }
  for (const { artifact, to, tags } of plan.pipeline.publish) await publish(artifact, to, tags);
  return published;
}

/** Places to publish to, for a run that has no images. */
export function openPublishing(
  factory: Factory,
  environment: Readonly<Record<string, string | undefined>>,
): ImagePlaces {
  return imagePlaces(factory, { environment, configuration: readImagesConfiguration(factory), offline: false });
}

/** What to publish again, or elsewhere. */
export interface PublishOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: where the pipeline of the run says. */
  readonly to?: string;
  readonly tags: readonly string[];
  /** Default: every artifact; with `to`, the only one. */
  readonly artifact?: string;
  /** Default: those in force. */
  readonly policies?: PoliciesInForce;
}

/**
 * Publishes what an earlier run made: a run by its id, or the newest that made an artifact of a digest.
 * @throws RUN_UNKNOWN | PUBLISH_NOTHING and as `publishRelease`
 */
export async function publishFromRun(
  factory: Factory,
  what: string,
  options: PublishOptions,
): Promise<readonly Publication[]> {
  const { run, artifact } = await namedRelease(factory, what);
  const wanted = options.artifact ?? artifact;
  const policies = options.policies ?? (await policiesInForce(factory));
  const places = openPublishing(factory, options.environment);
  const published: Publication[] = [];
  try {
    const targets =
      options.to === undefined
        ? await planned(factory, run)
        : run.artifacts.map(({ name }) => ({ artifact: name, to: options.to ?? "", tags: options.tags }));
    const chosen = targets.filter((target) => wanted === undefined || target.artifact === wanted);
    if (chosen.length === 0 || (options.to !== undefined && chosen.length > 1)) {
      const names = run.artifacts.map(({ name }) => name).join(", ");
      throw runImageErrors.make(
        "PUBLISH_NOTHING",
        `expected one artifact and where it goes, found ${chosen.length} in run ${run.id} (${names || "no artifacts"})`,
      );
    }
    for (const { artifact: name, to, tags } of chosen) {
      const found = run.artifacts.find((each) => each.name === name);
      if (found === undefined) continue;
      published.push(await publishRelease(factory, places, found, { to: parseImageReference(to), tags, policies }));
    }
    return published;
  } finally {
    await places.close();
  }
}

async function namedRelease(factory: Factory, what: string): Promise<{ run: RunRecord; artifact?: string }> {
  if (!isDigest(what)) return { run: await findRun(factory, what) };
  const [run] = (await runsOf(factory, what)).filter(({ state }) => state === "succeeded");
  if (run === undefined) return { run: await findRun(factory, what) };
  const artifact = run.artifacts.find(({ digest }) => digest === what)?.name;
  return { run, ...(artifact === undefined ? {} : { artifact }) };
}

/** Where the pipeline of a run says that its artifacts go, with the parameters of then. */
async function planned(factory: Factory, run: RunRecord) {
  const details = run.details as {
    readonly source?: { readonly treeDigest?: Digest };
    readonly request?: { readonly parameters?: Readonly<Record<string, string>> };
  };
  const tree = details.source?.treeDigest;
  if (tree === undefined || !(await factory.trees.use(tree))) {
    throw runImageErrors.make("PUBLISH_NOTHING", `the source of run ${run.id} is not stored; say where with --to`);
  }
  const text = readFileSync(join(factory.trees.root(tree), PIPELINE_FILE), "utf8");
  const plan = makePlan(parsePipelineFile(text, PIPELINE_FILE), run.pipeline, details.request?.parameters ?? {});
  return plan.pipeline.publish.map(({ artifact, to, tags }) => ({
    ...{ artifact, to },
    tags: tags.map((tag) => fillParameters(tag, plan.parameters)),
  }));
}
