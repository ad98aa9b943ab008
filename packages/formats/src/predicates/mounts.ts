import { chainMembers, digest, name, path } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

/** One thing that a step saw. */
export const mount = object({
  at: described("Path inside the sandbox.", path),
  kind: oneOf("input", "output", "system", "toolchain", "temporary", "kernel", "generated", "link", "image"),
  from: optional(
    described("`source`, the name of a step, or a host path; absent when it was made for this step.", path),
  ),
  access: oneOf("read-only", "copy-on-write", "read-write"),
  digest: optional(described("Digest of the input tree, measured by the control plane when the step started.", digest)),
});

/** Storage and network of one step. */
export const stepStorage = object({
  step: name,
  mounts: list(mount, { max: 10_000 }),
  output: object({
    at: path,
    digest: optional(described("Digest of the output tree, measured after the worker was dead.", digest)),
    sharedWith: described("The steps that read this output; nobody else does.", list(name, { max: 10_000 })),
  }),
  network: object({
    declared: oneOf("none", "fetch"),
    enforced: described(
      "What the sandbox gave: no interface at all (`none`), a loopback of its own that leads to the recording proxy alone (`proxy`), or the network of the host, open and unrecorded (`open`).",
      oneOf("none", "proxy", "open"),
    ),
    namespace: optional(described("Inode number of the network namespace.", text({ pattern: /^\d+$/, max: 20 }))),
    attempts: described("Network calls that the observer saw.", whole()),
    recorded: described("True when what crossed the network was recorded and admitted.", flag),
  }),
});

/** mounts-and-network/v1: which storage was shared between which steps, and which network each had. */
export const mountsAndNetwork = object({
  ...chainMembers,
  steps: list(stepStorage, { min: 1, max: 10_000 }),
  hermetic: described("True when no step had a network and every trace is complete.", flag),
});
export type MountsAndNetwork = Of<typeof mountsAndNetwork>;
export type StepStorage = Of<typeof stepStorage>;
