import { bytes, chainMembers, digest, name, path } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, whole } from "./shape.ts";

const image = object({
  name: described("Where it was read or written.", name),
  digest: described("Of the manifest.", digest),
  layers: whole(),
  files: described("Regular files, links and devices in the assembled tree.", whole()),
  bytes: described("Of the regular files in the assembled tree.", bytes),
});

/**
 * slimming/v1: what was taken out of an image. Whatever inspects the smaller image no longer sees these files; with the
 * list, what was there can still be told.
 */
export const slimming = object({
  ...chainMembers,
  platform: name,
  source: described("The image as it was.", image),
  result: described("The image as it is; the subject.", image),
  rules: object({
    remove: described("Patterns of paths that went.", list(path, { max: 10_000 })),
    keep: described("Patterns of paths that stayed all the same.", list(path, { max: 10_000 })),
    trace: optional(
      described(
        "Recorded steps: what none of them read went.",
        list(object({ run: name, step: name, digest: described("Of the bundle with the trace.", digest) }), {
          max: 100,
        }),
      ),
    ),
  }),
  removed: described(
    "Every path that went, in byte order.",
    list(
      object({
        path,
        kind: oneOf("file", "directory", "symlink", "hardlink", "device", "fifo"),
        digest: optional(described("SHA-256 of a regular file.", digest)),
        bytes: optional(described("Size of a regular file.", bytes)),
        link: optional(described("Where a link leads.", path)),
        package: optional(described("Debian package that owned it, as the image's own database says.", name)),
      }),
      { max: 200_000 },
    ),
  ),
  packages: described(
    "Debian packages that lost files, with the version that the image's own database named.",
    list(
      object({
        name,
        version: name,
        architecture: name,
        removed: described("Paths of it that went.", whole()),
        kept: described("Paths of it that stayed.", whole()),
        whole: described("Nothing but directories is left of it.", flag),
      }),
      { max: 100_000 },
    ),
  ),
  sbom: described("No SBOM was made; `removed` and `packages` are what one can be derived from.", oneOf("none")),
});
export type Slimming = Of<typeof slimming>;
