import { chainMembers, digest, gitId, name, prose, time, uri } from "./common.ts";
import { described, list, type Of, object, oneOf } from "./shape.ts";

/** control-test/v1: the controls of a pipeline were attacked, and what came of each attempt. */
export const controlTest = object({
  ...chainMembers,
  project: name,
  pipeline: name,
  source: object({ uri, commit: gitId }),
  baseline: described("Artifact that the unchanged pipeline released.", digest),
  startedAt: time,
  finishedAt: time,
  version: described("Version of the factory.", name),
  experiments: list(
    object({
      id: name,
      kind: oneOf("violation", "control-off", "stopped", "altered"),
      control: prose,
      attempt: prose,
      practices: list(name, { max: 100 }),
      outcome: described("`held`: refused. `leaked`: it came through.", oneOf("held", "leaked", "broken", "skipped")),
      detail: described("Code of the refusal, or why it was skipped.", prose),
    }),
    { min: 1, max: 1000 },
  ),
  outcome: oneOf("passed", "failed"),
});
export type ControlTest = Of<typeof controlTest>;
