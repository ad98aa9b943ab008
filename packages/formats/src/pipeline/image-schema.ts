import { z } from "zod";
import { imageAllowances } from "./image-definition.ts";
import { name, section, text } from "./schema-parts.ts";

/** What `touchmark.yaml` says of container images: what steps run in, what is made, where it goes. */

const reference = (what: string, examples: string[]) => text(512).meta({ description: what, examples });
const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const platform = z
  .string()
  .regex(/^[a-z0-9]{1,16}\/[a-z0-9_]{1,16}(?:\/[a-z0-9.]{1,16})?$/, 'expected a platform such as "linux/amd64"');

/** `image:` of a step. */
export const stepImage = reference(
  "Image whose files the step sees in place of the host's. Name it by digest; a tag is looked up once, and recorded.",
  [`registry.example/worker@${digest}`, "factory:worker-images/base:latest"],
);

const layer = section(
  {
    from: name("step name").meta({ description: "The step whose output it is." }),
    path: text(1024).optional().meta({ description: "Path inside that output. Default: all of it." }),
    to: text(1024).meta({ description: "Place in the image.", examples: ["/app"] }),
    owner: z
      .string()
      .regex(/^\d{1,9}:\d{1,9}$/, 'expected numbers of user and group such as "0:0"')
      .optional()
      .meta({ description: 'Owner and group of everything in it. Default: "0:0".', examples: ["1001:1001"] }),
    platform: platform.optional().meta({ description: "Only in the image of this platform." }),
  },
  { description: "One layer, from the output of a step." },
);

/** `image:` of an artifact. */
export const artifactImage = section(
  {
    base: reference("What the image stands on: an image by digest, or scratch.", [
      "scratch",
      `registry.example/base@${digest}`,
    ]),
    layers: z.array(layer).min(1, "expected at least one layer").max(100, "expected at most 100 layers").meta({
      description: "Layers, from the bottom up.",
    }),
    platforms: z
      .array(platform)
      .min(1)
      .max(16)
      .optional()
      .meta({
        description: "Platforms; several give an index. Default: the host's.",
        examples: [["linux/amd64", "linux/arm64"]],
      }),
    user: text(64)
      .optional()
      .meta({
        description: "Who the container runs as. Default: the base's; root is refused.",
        examples: ["1001:1001"],
      }),
    entrypoint: z.array(text(4096)).max(256).optional().meta({ description: "Program and first arguments." }),
    command: z.array(text(4096)).max(256).optional().meta({ description: "Arguments that a user may replace." }),
    environment: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), text(32768))
      .optional()
      .meta({
        description: "Variables. Values may hold ${{ parameters.NAME }}.",
      }),
    ports: z
      .array(
        z.union([
          z.int().min(1).max(65535),
          z.string().regex(/^\d{1,5}\/(?:tcp|udp|sctp)$/, 'expected a port such as 8080 or "53/udp"'),
        ]),
      )
      .max(64)
      .optional()
      .meta({ description: "Ports that it listens on.", examples: [[8080]] }),
    directory: text(1024)
      .optional()
      .meta({ description: "Working directory.", examples: ["/app"] }),
    labels: z.record(text(256), text(4096)).optional().meta({
      description: "Labels, besides those of source, revision and run that the factory sets itself.",
    }),
    licences: text(512)
      .optional()
      .meta({ description: "SPDX licence expression.", examples: ["Apache-2.0"] }),
    compression: z.enum(["gzip", "zstd", "none"]).optional().meta({ description: "Of new layers. Default: gzip." }),
    allow: z
      .array(z.enum(imageAllowances))
      .max(8)
      .optional()
      .meta({
        description: "What would be refused otherwise.",
        examples: [["compilers"]],
      }),
  },
  { description: "A container image made from outputs of steps." },
);

/** One row of `publish:`. */
export const publishTarget = section(
  {
    artifact: name("artifact name").meta({ description: "What goes out." }),
    to: reference("The repository that it goes to.", ["registry.example/shop/app", "factory:shop/app"]),
    tags: z
      .array(text(512))
      .max(32)
      .optional()
      .meta({
        description: "Tags, set last. Values may hold ${{ parameters.NAME }}. Default: none; it is found by digest.",
        examples: [["${{ parameters.version }}"]],
      }),
  },
  { description: "Where an artifact goes, with its evidence, once the run has succeeded." },
);

export type WrittenImage = z.infer<typeof artifactImage>;
