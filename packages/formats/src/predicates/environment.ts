import { bytes, chainMembers, digest, name, path } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, record, text, whole } from "./shape.ts";

/** environment/v1: the machine and the toolchain that a run used. A material of every artifact. */
export const environment = object({
  ...chainMembers,
  platform: object({
    system: described("Kernel name.", name),
    release: described("Kernel release.", name),
    architecture: name,
    distribution: optional(name),
    processors: whole({ min: 1 }),
    memoryBytes: optional(bytes),
  }),
  runtime: described("What the factory itself ran on.", object({ name, version: name, digest: optional(digest) })),
  packages: described(
    "Packages that the host's package database lists.",
    object({
      manager: oneOf("dpkg", "rpm", "apk", "none"),
      list: list(object({ name, version: name, architecture: optional(name) }), { max: 100_000 }),
    }),
  ),
  files: described(
    "Every file of the host that a step really read or executed, with its digest.",
    list(object({ path, digest, package: optional(name) }), { max: 1_000_000 }),
  ),
  complete: described("False when a trace was incomplete, so that files may be missing.", flag),
  toolchains: described(
    "Directories outside the system that the pipeline declared.",
    list(object({ name, path, digest: optional(digest) }), { max: 1000 }),
  ),
  variables: described(
    "Environment of each step. Values that look secret are left out and their names listed.",
    list(
      object({
        step: name,
        values: record(text({ empty: true, max: 65_536 }), /^[^=\u0000]{1,256}$/),
        withheld: list(name, { max: 10_000 }),
      }),
      { max: 10_000 },
    ),
  ),
  tools: described(
    "Programs that isolate and observe.",
    list(object({ name, version: text({ max: 256, empty: true }), path: optional(path), digest: optional(digest) }), {
      max: 100,
    }),
  ),
});
export type Environment = Of<typeof environment>;
