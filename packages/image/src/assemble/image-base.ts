import type { Digest } from "@touchmark/core";
import {
  checkConfigPlatform,
  choosePlatform,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  layerCompression,
  mediaTypes,
  type OciReader,
  type Platform,
  parseImageConfig,
  parseManifest,
  refuseForeign,
} from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { collect } from "../layout/verified.ts";
import { streamLayer } from "../unpack/layer.ts";
import type { ImageFiles } from "./image-files.ts";
import { mayHoldSecret, secretInspector } from "./secret-rules.ts";

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** Largest `/etc/passwd` that names are looked up in. */
export const MAX_NAMES_BYTES = 1024 * 1024;

/** An image for one platform, as far as its documents tell. */
export interface ImageDocuments {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/**
 * Reads manifest and configuration of an image; of an index those for the platform.
 * @throws IMAGE_BASE_INVALID | IMAGE_BLOB_* | every OCI_ code of the documents, OCI_PLATFORM_MISSING and OCI_CONFIG_PLATFORM among them
 */
export async function readImage(reader: OciReader, reference: string, platform?: Platform): Promise<ImageDocuments> {
  let found = await reader.manifest(reference);
  let manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  if (manifest.kind === "index") {
    if (platform === undefined) {
      throw imageErrors.make(
        "IMAGE_REFERENCE_AMBIGUOUS",
        `expected an image, found an index of several: ${reference}`,
        {
          hint: "Name a platform.",
        },
      );
    }
    found = await reader.manifest(choosePlatform(manifest, platform).digest);
    manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  }
  if (manifest.kind === "index") throw notBuildable(reference, "an index inside an index");
  const isConfig =
    manifest.config.mediaType === mediaTypes.config || manifest.config.mediaType === mediaTypes.dockerConfig;
  if (!isConfig)
    throw notBuildable(reference, `an artifact of type ${manifest.artifactType ?? manifest.config.mediaType}`);
  const bytes = await collect(reader.blob(manifest.config), MAX_CONFIG_BYTES, "an image configuration");
  const config = parseImageConfig(bytes, { layers: manifest.layers.length });
  if (platform !== undefined) checkConfigPlatform(config, platform);
  return { descriptor: found.descriptor, manifest, config };
}

/** What is known of a base once its layers were read. */
export interface BaseFacts {
  /** Content of `/etc/passwd` and `/etc/group`, by path without the slash. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Reads every layer of a base: verifies it, notes its files, and refuses secrets in the places where such are kept.
 * @throws IMAGE_BASE_INVALID | IMAGE_SECRET_FOUND | OCI_FOREIGN_CONTENT | every UNPACK_ code
 */
export async function readBase(
  reader: OciReader,
  { manifest, config }: ImageDocuments,
  files: ImageFiles,
  allowed: { readonly secrets: ReadonlySet<string> | "all" },
): Promise<BaseFacts> {
  refuseForeign(manifest);
  const names = new Map<string, string>();
  const inspector = secretInspector();
  for (const [i, layer] of manifest.layers.entries()) {
    if (layerCompression(layer.mediaType) === undefined)
      throw notBuildable(layer.digest, `a layer of type ${layer.mediaType}`);
    files.nextLayer();
    const diffId = config.rootfs.diff_ids[i] as Digest;
    for await (const entry of streamLayer(reader, layer, { diffId })) {
      files.apply(entry);
      const { path } = entry;
      if (entry.kind !== "file") continue;
      if (path === "etc/passwd" || path === "etc/group") {
        names.set(path, Buffer.from(await collect(entry.content(), MAX_NAMES_BYTES, `/${path}`)).toString("utf8"));
      } else if (mayHoldSecret(path) && allowed.secrets !== "all" && !allowed.secrets.has(path)) {
        const inspect = inspector.file(path, entry.size);
        for await (const chunk of entry.content()) inspect?.(chunk);
      }
    }
  }
  return { names };
}

/** Layers of a base as an OCI manifest names them: the same bytes, without Docker's media types. */
export function carriedOver(layer: Descriptor): Descriptor {
  const { digest, size, annotations } = layer;
  const compression = layerCompression(layer.mediaType) ?? "none";
  const mediaType = { none: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }[compression];
  return { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) };
}

function notBuildable(reference: string, found: string): Error {
  return imageErrors.make("IMAGE_BASE_INVALID", `expected an image to build upon at ${reference}, found ${found}`);
}
