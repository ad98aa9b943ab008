import { evaluation } from "./analysis.ts";
import { bytes, chainMembers, digest, name, path, prose, runId } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text } from "./shape.ts";

/** Text of a reference: `HOST/NAME[:TAG][@DIGEST]`, `factory:NAME…`, or `scratch`. */
const reference = text({ max: 1024 });
const platform = text({ pattern: /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/, max: 64 });

const assembledLayer = object({
  digest: described("Digest of the layer as it is stored.", digest),
  diffId: described("Digest of the layer uncompressed.", digest),
  mediaType: text({ max: 256 }),
  step: described("The step whose output it is.", name),
  output: described("Digest of that output tree.", digest),
  path: described("What of the output it holds.", path),
  to: described("Where it stands in the image.", path),
  compressor: described("Program, version and level, or `none`: with another one the digest may differ.", prose),
});

const assembledImage = object({
  platform,
  manifest: digest,
  config: digest,
  base: optional(
    object({
      reference,
      manifest: described("Manifest of the base for this platform.", digest),
      layers: described("How many layers are the base's.", bytes),
    }),
  ),
  layers: described("Layers above the base, from the bottom up.", list(assembledLayer, { max: 1000 })),
});

/** image/v1: of what an image was put together, layer by layer. */
export const image = object({
  ...chainMembers,
  artifact: described("Name of the artifact.", name),
  digest: described("Digest of the manifest, or of the index for several platforms.", digest),
  format: described("Version of the layer format: the same inputs give the same bytes for as long as it stays.", bytes),
  images: list(assembledImage, { max: 64 }),
  allowed: described("What the definition allows beside the rule.", list(text({ max: 64 }), { max: 16 })),
});
export type ImageAssembly = Of<typeof image>;

const voucher = object({
  by: described(
    "Whose word it is: a chain of this factory, or a signature that a trust rule of the user names.",
    oneOf("factory", "sigstore", "cosign", "notation"),
  ),
  identity: described("SPIFFE id, certificate identity, or digest of the key.", prose),
  predicateType: optional(text({ max: 1024 })),
  bundle: optional(described("Digest of the evidence.", digest)),
  run: optional(described("Run of this factory that made the image.", runId)),
});

const admittedImage = object({
  reference: described("As the pipeline names it.", reference),
  digest: described("What the name meant when it was looked up, once, before the run's first step.", digest),
  manifest: described("Manifest for the platform of the worker; the same, unless an index was named.", digest),
  platform,
  use: described("What it is used for.", oneOf("step", "base")),
  users: described("Steps that run in it, or artifacts that stand on it.", list(name, { max: 10_000 })),
  pinned: described("The pipeline names it by digest.", flag),
  files: optional(described("Digest of the list of all unpacked files, checked before each step.", digest)),
  vouchers: list(voucher, { max: 1000 }),
  ancestry: described(
    "The images that it stands on, nearest first, to a signed root or to scratch.",
    list(
      object({
        digest: optional(digest),
        origin: oneOf("factory", "signed", "scratch", "unknown"),
        run: optional(runId),
        bootstrap: optional(described("It was built with the files of the host, in no image.", flag)),
      }),
      { max: 100 },
    ),
  ),
  scan: described(
    "What a scan of its files says: `none` when nothing scanned it, `not-evaluated` when it was catalogued and no rule asked more, else the verdict of the user's rules.",
    oneOf("none", "not-evaluated", "passed", "refused"),
  ),
  scanned: optional(
    object({
      sbom: described("SHA-256 of the SBOM, which the content store keeps.", digest),
      components: bytes,
      vulnerabilities: evaluation,
      message: optional(prose),
    }),
  ),
  insecure: described("Taken although nobody vouches for it, because pipeline and caller both said so.", flag),
});

/** worker-images/v1: the images that a run used, who vouches for them, and what let them in. */
export const workerImages = object({
  ...chainMembers,
  images: list(admittedImage, { max: 1000 }),
});
export type WorkerImages = Of<typeof workerImages>;
