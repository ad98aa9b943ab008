import type { Digest } from "@touchmark/core";
import { platformText } from "@touchmark/formats/oci";
import { fillParameters, type ImageDefinition, type ParameterValues } from "@touchmark/formats/pipeline";
import type { ImageAssembly } from "@touchmark/formats/predicates";
import { type AssembledImage, assembleImage, assembleIndex, type ImageSpec, LAYER_FORMAT } from "@touchmark/image";
import type { ArtifactFacts } from "../evidence/run-statements.ts";
import type { Factory } from "../factory.ts";
import { runImageErrors } from "./errors.ts";
import { ownRepository } from "./repository-name.ts";
import { hostPlatform, platformOf, type RunImages } from "./run-images.ts";

/** What an image artifact is made from. */
export interface ImageIngredients {
  readonly factory: Factory;
  readonly images: RunImages;
  readonly project: string;
  readonly pipeline: string;
  /** Outputs of the steps. */
  readonly outputs: ReadonlyMap<string, Digest>;
  readonly source: { readonly uri: string; readonly commit: string; readonly committedAt: Date };
  readonly parameters: ParameterValues;
}

/** An image that a run made, in the factory's own registry. */
export interface TakenImage {
  readonly facts: ArtifactFacts;
  readonly assembly: Omit<ImageAssembly, "run" | "createdAt" | "predecessors">;
  /** Steps whose output it holds. */
  readonly steps: readonly string[];
  readonly repository: string;
  /** Everything that it consists of. */
  readonly content: readonly Digest[];
}

/** Puts an image artifact together, for each of its platforms, in the factory's own registry. @throws IMAGE_* */
export async function takeImage(ingredients: ImageIngredients, definition: ImageDefinition): Promise<TakenImage> {
  const { factory, images, project } = ingredients;
  const repository = ownRepository(project, definition.name);
  const out = (await images.places.own()).repository(repository);
  const platforms = definition.platforms.length === 0 ? [platformText(hostPlatform())] : definition.platforms;
  const assembled: AssembledImage[] = [];
  for (const platform of platforms) {
    const base = images.baseOf(definition.name, platform);
    if (base !== undefined) checkApart(ingredients, definition, base.manifest);
    const spec = imageSpec(ingredients, definition, platform, base?.manifest);
    const scratch = await factory.home.scratch("image");
    assembled.push(await assembleImage(spec, { out, scratch, ...(base === undefined ? {} : { base: base.reader }) }));
  }
  const [only] = assembled;
  if (only === undefined) throw new TypeError(`image ${definition.name} has no platform`);
  const root = assembled.length === 1 ? only.descriptor : await assembleIndex(assembled, { out });
  const content = new Map<Digest, number>([[root.digest, root.size]]);
  for (const { descriptor, manifest } of assembled) {
    for (const each of [descriptor, manifest.config, ...manifest.layers]) content.set(each.digest, each.size);
  }
  const first = definition.layers[0];
  return {
    repository,
    steps: [...new Set(definition.layers.map((layer) => layer.from))],
    content: [...content.keys()],
    facts: {
      name: definition.name,
      kind: "image",
      step: first?.from ?? "",
      path: first?.path ?? ".",
      digest: root.digest,
      bytes: [...content.values()].reduce((sum, size) => sum + size, 0),
    },
    assembly: {
      artifact: definition.name,
      digest: root.digest,
      format: Number(only.layers[0]?.descriptor.annotations?.[LAYER_FORMAT] ?? 0),
      images: assembled.map((image, i) => assemblyOf(ingredients, definition, platforms[i] ?? "", image)),
      allowed: [...definition.allow],
    },
  };
}

/** Build base and run base are two (use-multistage-builds). @throws STEP_IMAGE_NOT_APART */
function checkApart({ images }: ImageIngredients, definition: ImageDefinition, base: Digest): void {
  if (definition.allow.includes("build-base")) return;
  const shared = definition.layers.find((layer) => images.ofStep(layer.from)?.manifest === base);
  if (shared === undefined) return;
  throw runImageErrors.make(
    "STEP_IMAGE_NOT_APART",
    `image ${definition.name}: expected another base than ${base}, in which step ${shared.from} ran`,
  );
}

function imageSpec(
  { factory, outputs, source, project, pipeline, parameters }: ImageIngredients,
  definition: ImageDefinition,
  platform: string,
  base: Digest | undefined,
): ImageSpec {
  const layers = definition.layers.filter((layer) => layer.platform === undefined || layer.platform === platform);
  const { user, entrypoint, command, directory } = definition;
  return {
    platform: platformOf(platform),
    ...(base === undefined ? {} : { base: { name: definition.base, digest: base } }),
    layers: layers.map((layer) => ({
      createdBy: `step ${layer.from}: ${layer.path} -> ${layer.to}`,
      files: [
        {
          kind: "tree",
          store: factory.trees,
          tree: outputOf(outputs, layer.from),
          ...(layer.path === "." ? {} : { from: layer.path }),
          to: layer.to,
          owner: { uid: layer.owner.user, gid: layer.owner.group },
        },
      ],
    })),
    epoch: Math.floor(source.committedAt.getTime() / 1000),
    compression: definition.compression,
    ...(user === undefined ? {} : { user }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(command === undefined ? {} : { command }),
    ...(directory === undefined ? {} : { directory }),
    environment: Object.fromEntries(
      Object.entries(definition.environment).map(([name, value]) => [name, fillParameters(value, parameters)]),
    ),
    ports: definition.ports,
    labels: definition.labels,
    about: {
      title: definition.name,
      source: source.uri,
      revision: source.commit,
      ...(definition.licences === undefined ? {} : { licenses: definition.licences }),
      // Which run it was stands in the provenance: here it would make each run's image another one.
      run: `${project}/${pipeline}@${source.commit}`,
    },
    buildArguments: parameters,
    allow: definition.allow.filter((each) => each !== "build-base"),
  };
}

function assemblyOf(
  { outputs }: ImageIngredients,
  definition: ImageDefinition,
  platform: string,
  image: AssembledImage,
): ImageAssembly["images"][number] {
  const layers = definition.layers.filter((layer) => layer.platform === undefined || layer.platform === platform);
  return {
    platform,
    manifest: image.descriptor.digest,
    config: image.manifest.config.digest,
    ...(image.base === undefined
      ? {}
      : { base: { reference: definition.base, manifest: image.base.manifest, layers: image.base.layers } }),
    layers: image.layers.map(({ descriptor, diffId, compressor }, i) => {
      const { from = "", path = ".", to = "/" } = layers[i] ?? {};
      return {
        ...{ digest: descriptor.digest, diffId, mediaType: descriptor.mediaType },
        ...{ step: from, output: outputOf(outputs, from), path, to, compressor },
      };
    }),
  };
}

function outputOf(outputs: ReadonlyMap<string, Digest>, step: string): Digest {
  const output = outputs.get(step);
  if (output === undefined) throw new TypeError(`step ${step} has no output`);
  return output;
}
