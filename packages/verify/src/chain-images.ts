import type { Release, WorkerImages } from "@touchmark/formats/predicates";
import { chainErrors } from "./chain-errors.ts";
import { type ChainStatement, isOf, only, subjectDigest } from "./chain-statements.ts";
import type { VerifiedStep } from "./chain-steps.ts";

/** An image of a verified chain, as the factory admitted it. */
export type VerifiedImage = Pick<
  WorkerImages["images"][number],
  "reference" | "digest" | "use" | "users" | "insecure" | "scan"
>;

/**
 * Every step that ran in an image ran in one that the run's own record admits for it, and each image that the record
 * admits for a step is the one that it ran in.
 * @throws CHAIN_IMAGE_UNKNOWN | CHAIN_STATEMENT_MISSING | CHAIN_STATEMENT_DUPLICATE
 */
export function checkStepImages(
  chain: readonly ChainStatement[],
  release: ChainStatement<"release">,
  steps: readonly VerifiedStep[],
): readonly VerifiedImage[] {
  const images = admitted(chain, release);
  for (const step of steps) {
    const forStep = images.filter((image) => image.use === "step" && image.users.includes(step.name));
    const found = forStep.map((image) => image.manifest as string);
    const expected = step.image === undefined ? [] : [step.image];
    if (found.length !== expected.length || found[0] !== expected[0]) {
      throw chainErrors.make(
        "CHAIN_IMAGE_UNKNOWN",
        `step ${step.name} ran ${step.image === undefined ? "in no image" : `in ${step.image}`}, and the run admits ${found.join(", ") || "none"} for it`,
      );
    }
  }
  return images.map(({ reference, digest, use, users, insecure, scan }) => ({
    ...{ reference, digest, use, users, insecure, scan },
  }));
}

function admitted(chain: readonly ChainStatement[], release: ChainStatement<"release">): WorkerImages["images"] {
  const own = chain.filter(isOf("worker-images")).filter((each) => each.run === release.run);
  if (own.length === 0) return [];
  return only(chain, "worker-images", (each) => each.run === release.run).predicate.images;
}

/**
 * An image artifact is described by one statement, whose layers are of the outputs that the release lists and whose
 * base the run admitted. @throws CHAIN_IMAGE_MISMATCH | CHAIN_IMAGE_UNKNOWN
 */
export function checkImageArtifact(
  chain: readonly ChainStatement[],
  release: ChainStatement<"release">,
  row: Release["artifacts"][number],
): void {
  if (row.kind !== "image") return;
  const about = chain.filter(isOf("image")).filter((each) => each.run === release.run);
  const [statement, ...more] = about.filter((each) => subjectDigest(each) === row.digest);
  const mismatch = (why: string) => chainErrors.make("CHAIN_IMAGE_MISMATCH", `the image ${row.name} ${why}`);
  if (statement === undefined || more.length > 0) throw mismatch("is described by no one statement");
  const { digest, artifact, images } = statement.predicate;
  if (digest !== row.digest || artifact !== row.name) throw mismatch("is described under another name or digest");
  const outputs = new Map(release.predicate.steps.map((step) => [step.name, step.output]));
  const bases = new Set(
    admitted(chain, release)
      .filter((image) => image.use === "base" && image.users.includes(row.name))
      .map((image) => image.manifest),
  );
  for (const { base, layers } of images) {
    const wrong = layers.find((layer) => outputs.get(layer.step) !== layer.output);
    if (wrong !== undefined) throw mismatch(`has a layer of another output of step ${wrong.step} than the release`);
    if (base !== undefined && !bases.has(base.manifest)) {
      throw chainErrors.make(
        "CHAIN_IMAGE_UNKNOWN",
        `the image ${row.name} stands on ${base.reference}, ${base.manifest}, which the run did not admit`,
      );
    }
  }
}
