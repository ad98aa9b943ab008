import type { Digest } from "@touchmark/core";
import {
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  layerCompression,
  type Manifest,
  type OciReader,
  parseManifest,
  platformText,
} from "@touchmark/formats/oci";
import { readImage } from "@touchmark/image";

/** What `image inspect` tells. */
export interface InspectedImage {
  readonly digest: Digest;
  readonly place: string;
  readonly tag?: string;
  readonly mediaType: string;
  readonly kind: "image" | "index" | "artifact";
  readonly annotations: Readonly<Record<string, string>>;
  readonly platforms: readonly InspectedPlatform[];
  /** Unverified, as the place lists them; `isAll`: the list ended before the limit. */
  readonly referrers: {
    readonly count: number;
    readonly isAll: boolean;
    readonly types: Readonly<Record<string, number>>;
  };
}

/** One image of it, or an artifact. */
export interface InspectedPlatform {
  readonly platform: string;
  readonly digest: Digest;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config?: {
    readonly digest: Digest;
    readonly created?: string;
    readonly user: string;
    readonly entrypoint: readonly string[];
    readonly command: readonly string[];
    readonly environment: readonly string[];
    readonly directory: string;
    readonly ports: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly layers: readonly InspectedLayer[];
}

interface InspectedLayer {
  readonly digest: Digest;
  readonly diffId?: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** `none`, `gzip`, `zstd`, or the media type of what is no layer of files. */
  readonly compression: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createdBy?: string;
}

const MAX_REFERRERS = 1000;

/** Reads all that an image's documents say. @throws what reader and parsers refuse */
export async function collectImage(reader: OciReader, digest: Digest, tag?: string): Promise<InspectedImage> {
  const { descriptor, bytes } = await reader.manifest(digest);
  const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
  const platforms: InspectedPlatform[] = [];
  if (manifest.kind === "manifest") platforms.push(await inspectOne(reader, digest, manifest));
  else {
    for (const row of manifest.manifests) {
      const found = await reader.manifest(row.digest);
      const one = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
      platforms.push(await inspectOne(reader, row.digest, one, row));
    }
  }
  return {
    digest,
    place: reader.name,
    ...(tag === undefined ? {} : { tag }),
    mediaType: descriptor.mediaType,
    kind: manifest.kind === "index" ? "index" : platforms[0]?.config === undefined ? "artifact" : "image",
    annotations: manifest.annotations ?? {},
    platforms,
    referrers: await countReferrers(reader, digest),
  };
}

async function inspectOne(
  reader: OciReader,
  digest: Digest,
  manifest: Manifest,
  row?: Descriptor,
): Promise<InspectedPlatform> {
  const listed = row?.platform === undefined ? undefined : platformText(row.platform);
  if (manifest.kind === "index") {
    return { platform: listed ?? "index", digest, annotations: manifest.annotations ?? {}, layers: [] };
  }
  const type = manifest.artifactType ?? (isImage(manifest) ? undefined : manifest.config.mediaType);
  const common = {
    digest,
    annotations: manifest.annotations ?? {},
    ...(type === undefined ? {} : { artifactType: type }),
  };
  if (!isImage(manifest)) {
    return { platform: listed ?? "artifact", ...common, layers: manifest.layers.map((layer) => inspectLayer(layer)) };
  }
  const { config } = await readImage(reader, digest);
  const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = manifest.layers.map((layer, i) =>
    inspectLayer(layer, config.rootfs.diff_ids[i], history[i]?.created_by),
  );
  return { platform: platformText(config), ...common, config: inspectConfig(manifest, config), layers };
}

function isImage(manifest: ImageManifest): boolean {
  return /^application\/vnd\.(?:oci\.image\.config\.v1|docker\.container\.image\.v1)\+json$/.test(
    manifest.config.mediaType,
  );
}

function inspectConfig(
  manifest: ImageManifest,
  { created, config = {} }: ImageConfig,
): NonNullable<InspectedPlatform["config"]> {
  return {
    digest: manifest.config.digest,
    ...(created === undefined ? {} : { created }),
    user: config.User ?? "",
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    environment: config.Env ?? [],
    directory: config.WorkingDir ?? "",
    ports: Object.keys(config.ExposedPorts ?? {}),
    labels: config.Labels ?? {},
  };
}

function inspectLayer(layer: Descriptor, diffId?: Digest, createdBy?: string): InspectedLayer {
  const { digest, mediaType, size, annotations = {} } = layer;
  return {
    ...{ digest, mediaType, size, compression: layerCompression(mediaType) ?? mediaType, annotations },
    ...(diffId === undefined ? {} : { diffId }),
    ...(createdBy === undefined ? {} : { createdBy }),
  };
}

async function countReferrers(reader: OciReader, digest: Digest): Promise<InspectedImage["referrers"]> {
  const types: Record<string, number> = {};
  let count = 0;
  for await (const { artifactType = "unknown" } of reader.referrers(digest)) {
    if (count === MAX_REFERRERS) return { count, isAll: false, types };
    count += 1;
    types[artifactType] = (types[artifactType] ?? 0) + 1;
  }
  return { count, isAll: true, types };
}
