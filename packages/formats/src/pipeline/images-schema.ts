import { z } from "zod";
import { section, text } from "./schema-parts.ts";

/** The shape of `images.yaml`, the user's own configuration of images: whose signatures count, and where to ask. */

const filePath = text(4096)
  .min(1, "expected a path")
  .refine((given) => !given.includes("\0"), "expected a path");

const trustRule = section(
  {
    match: z
      .string()
      .max(512)
      .regex(
        /^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?\/[a-z0-9][a-z0-9._/-]*(?:\/\*\*)?$/i,
        "expected HOST/NAME, or HOST/PREFIX/** for all below",
      )
      .meta({ description: "Repository, or `HOST/PREFIX/**` for all below.", examples: ["registry.example/base/**"] }),
    format: z.enum(["sigstore", "cosign", "notation"]).meta({
      description:
        "sigstore: a bundle among the referrers. cosign: a signature under the tag sha256-DIGEST.sig. notation: a JWS among the referrers.",
    }),
    keys: z.array(filePath).min(1).max(16).optional().meta({
      description: "Public keys (PEM), or for notation certificates of authorities; relative to this file.",
    }),
    "trust-root": filePath
      .optional()
      .meta({ description: "For sigstore: `trusted_root.json`, relative to this file." }),
    identity: text(2048).optional().meta({ description: "For sigstore: the exact identity in the certificate." }),
    issuer: text(2048).optional().meta({ description: "For sigstore: the exact issuer in the certificate." }),
    attestations: z
      .array(text(1024))
      .max(16)
      .optional()
      .meta({
        description: "Predicate types that must be signed for the image too.",
        examples: [["https://slsa.dev/provenance/v1"]],
      }),
  },
  { description: "Whose signature lets images of a repository in." },
);

/** The whole document. */
export const imagesDocument = section(
  {
    touchmark: z.literal("images/v1").meta({ description: "Version of this document." }),
    trust: z.array(trustRule).max(1000).optional().meta({ description: "Whose images are taken." }),
    mirrors: z
      .record(z.string().max(300), z.array(text(300)).min(1).max(16))
      .optional()
      .meta({
        description: "Registries that are asked for content before the one named, by digest alone.",
        examples: [{ "registry.example": ["mirror.example"] }],
      }),
  },
  { title: "Touchmark images", description: "HOME/images.yaml: whose images steps may run in and artifacts stand on." },
);

/** The document as written, after checking its shape. */
export type ImagesDocument = z.infer<typeof imagesDocument>;
