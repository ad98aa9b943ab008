import { chainMembers, digest, name, spiffeId } from "./common.ts";
import { described, list, type Of, object } from "./shape.ts";

/** cache-hit/v1: a step was not run again, because an earlier link with the same key vouches for its output. */
export const cacheHit = object({
  ...chainMembers,
  step: name,
  key: described("Digest of command, environment, inputs, sandbox profile and limits, equal in both runs.", digest),
  output: described("Digest of the output tree.", digest),
  materials: described(
    "The inputs by name and tree digest, as this run has them.",
    list(object({ name, digest }), { max: 10_000 }),
  ),
  original: object({
    run: described("The run that performed the step.", name),
    functionary: described("Identity that signed its link.", spiffeId),
    link: described("Digest of the bundle of its link, verified again for this run.", digest),
    bundles: described("Every bundle about the original step.", list(digest, { max: 1000 })),
  }),
});
export type CacheHit = Of<typeof cacheHit>;
