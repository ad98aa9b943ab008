import type { Position } from "./definition.ts";
import type { ImageDefinition, ImageLayerDefinition, PublishDefinition } from "./image-definition.ts";
import type { WrittenImage } from "./image-schema.ts";

/** The definition of an image artifact, with its defaults. */
export function defineImage(
  name: string,
  description: string | undefined,
  written: WrittenImage,
  position: Position,
): ImageDefinition {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    base: written.base,
    layers: written.layers.map((layer): ImageLayerDefinition => {
      const [user = 0, group = 0] = (layer.owner ?? "0:0").split(":").map(Number);
      return {
        from: layer.from,
        path: layer.path ?? ".",
        to: layer.to,
        owner: { user, group },
        ...(layer.platform === undefined ? {} : { platform: layer.platform }),
      };
    }),
    platforms: written.platforms ?? [],
    ...(written.user === undefined ? {} : { user: written.user }),
    ...(written.entrypoint === undefined ? {} : { entrypoint: written.entrypoint }),
    ...(written.command === undefined ? {} : { command: written.command }),
    environment: written.environment ?? {},
    ports: (written.ports ?? []).map((port) => (typeof port === "number" ? `${port}/tcp` : port)),
    ...(written.directory === undefined ? {} : { directory: written.directory }),
    labels: written.labels ?? {},
    ...(written.licences === undefined ? {} : { licences: written.licences }),
    compression: written.compression ?? "gzip",
    allow: written.allow ?? [],
    position,
  };
}

/** One row of `publish:`. */
export function definePublish(
  written: { readonly artifact: string; readonly to: string; readonly tags?: readonly string[] | undefined },
  position: Position,
): PublishDefinition {
  return { artifact: written.artifact, to: written.to, tags: written.tags ?? [], position };
}
