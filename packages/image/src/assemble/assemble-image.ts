import { createReadStream, readFileSync, rmSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type ImageManifest,
  mediaTypes,
  type OciReader,
  type OciWriter,
  serializeImageConfig,
  serializeManifest,
} from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { canAdopt } from "../layout/local-images.ts";
import {
  type BaseFacts,
  carriedOver,
  type ImageDocuments,
  MAX_NAMES_BYTES,
  readBase,
  readImage,
} from "./image-base.ts";
import { aboutLabels, imageConfig } from "./image-config.ts";
import { ImageFiles } from "./image-files.ts";
import type { ImageSpec } from "./image-spec.ts";
import { imageUser } from "./image-user.ts";
import { imagePath, type LayerItem } from "./layer-item.ts";
import { layerList } from "./layer-list.ts";
import { checkRunFiles } from "./run-image-rules.ts";
import { secretInspector } from "./secret-rules.ts";
import { LAYER_COMPRESSOR, type WrittenLayer, writeItems } from "./write-layer.ts";

/** Where an image is put together. */
export interface ImagePlaces {
  /** Has the base; needed when there is one. */
  readonly base?: OciReader;
  readonly out: OciWriter;
  /** A private directory for layers while they are written. */
  readonly scratch: string;
  /** Shows a blob of the base in the target without copying it; false: copy it. */
  readonly mount?: (descriptor: Descriptor) => Promise<boolean>;
  /** Tag for the manifest. */
  readonly tag?: string;
}

/** An image for one platform, as it lies in the target. */
export interface AssembledImage {
  /** Of the manifest, with its platform, as an index lists it. */
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly base?: { readonly name: string; readonly manifest: Digest; readonly layers: number };
  /** New layers, from the bottom up. */
  readonly layers: readonly {
    readonly descriptor: Descriptor;
    readonly diffId: Digest;
    readonly entries: number;
    /** Before packing. */
    readonly bytes: number;
    readonly compressor: string;
  }[];
  /** Of the configuration: `UID[:GID]`, or empty for root. */
  readonly user: string;
}

/**
 * Puts an image together, deterministically: the same spec and base give the same bytes, with one compressor. The target
 * has the manifest only once it has everything else; nothing is put into it that the rules refuse.
 * @throws IMAGE_* codes of SPEC I2 to I10; OCI_ and UNPACK_ codes for what is wrong with the base
 */
export async function assembleImage(spec: ImageSpec, places: ImagePlaces): Promise<AssembledImage> {
  const allow = spec.allow ?? [];
  const secretsAt = allow.includes("secrets") ? "all" : new Set((spec.secretsAt ?? []).map(imagePath));
  const files = new ImageFiles();
  const base = await openBase(spec, places);
  const facts: BaseFacts =
    base === undefined ? { names: new Map() } : await readBase(base.reader, base, files, { secrets: secretsAt });
  const names = new Map(facts.names);
  const lists: (readonly LayerItem[])[] = [];
  for (const layer of spec.layers) {
    const rules = { epoch: spec.epoch, allowSetuid: allow.includes("setuid") };
    const items = await layerList(layer.files, rules, files.view);
    files.nextLayer();
    for (const item of items) {
      files.add(item);
      if (/^etc\/(?:passwd|group)$/.test(item.path)) names.set(item.path, contentOf(item));
    }
    lists.push(items);
  }
  checkRunFiles(files.files(), allow);
  const user = imageUser(spec.user ?? base?.config.config?.User, names, allow.includes("root-user"));
  // Its refusals come before the work of packing.
  imageConfig(spec, { base: base?.config, user, diffIds: [] });
  const written: WrittenLayer[] = [];
  try {
    for (const items of lists) written.push(await writeItems(items, layerOptions(spec, places, secretsAt)));
    return await publish(spec, places, { base, user, written });
  } finally {
    for (const { file } of written) rmSync(file, { force: true });
  }
}

/** Content of a small text file; empty for what is none. */
function contentOf({ content, size }: LayerItem): string {
  if (content === undefined || size > MAX_NAMES_BYTES) return "";
  return Buffer.from("bytes" in content ? content.bytes : readFileSync(content.file)).toString("utf8");
}

type Base = ImageDocuments & { readonly reader: OciReader };

async function openBase(spec: ImageSpec, { base: reader }: ImagePlaces): Promise<Base | undefined> {
  if (spec.base === undefined) return undefined;
  if (reader === undefined) {
    throw imageErrors.make("IMAGE_BASE_INVALID", `expected a place that has the base ${spec.base.name}, found none`);
  }
  return { ...(await readImage(reader, spec.base.digest, spec.platform)), reader };
}

function layerOptions(spec: ImageSpec, places: ImagePlaces, secretsAt: ReadonlySet<string> | "all") {
  const secrets = secretInspector();
  return {
    epoch: spec.epoch,
    scratch: places.scratch,
    ...(spec.compression === undefined ? {} : { compression: spec.compression }),
    ...(spec.level === undefined ? {} : { level: spec.level }),
    ...(secretsAt === "all"
      ? {}
      : {
          inspector: {
            file: (path: string, size: number) => (secretsAt.has(path) ? undefined : secrets.file(path, size)),
          },
        }),
  };
}

interface Made {
  readonly base: Base | undefined;
  readonly user: string;
  readonly written: readonly WrittenLayer[];
}

async function publish(spec: ImageSpec, places: ImagePlaces, { base, user, written }: Made): Promise<AssembledImage> {
  const { out } = places;
  for (const layer of base?.manifest.layers ?? []) {
    if (await out.hasBlob(layer.digest)) continue;
    if ((await places.mount?.(layer)) === true) continue;
    await out.putBlob(layer, () => (base as Base).reader.blob(layer));
  }
  for (const { descriptor, file } of written) {
    if (await out.hasBlob(descriptor.digest)) continue;
    if (canAdopt(out) && (await out.adoptBlob(descriptor, file))) continue;
    await out.putBlob(descriptor, () => createReadStream(file, { highWaterMark: 1024 * 1024 }));
  }
  const diffIds = written.map(({ diffId }) => diffId);
  const config = serializeImageConfig(imageConfig(spec, { base: base?.config, user, diffIds }));
  const configDescriptor = descriptorOf(config, mediaTypes.config);
  await out.putBlob(configDescriptor, async function* () {
    yield config;
  });
  const manifest: ImageManifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: configDescriptor,
    layers: [...(base?.manifest.layers ?? []).map(carriedOver), ...written.map(({ descriptor }) => descriptor)],
    annotations: { ...spec.annotations, ...aboutLabels(spec) },
  };
  const descriptor = await out.putManifest(serializeManifest(manifest), manifest.mediaType, places.tag);
  const { os, architecture, variant } = spec.platform;
  return {
    descriptor: { ...descriptor, platform: { architecture, os, ...(variant === undefined ? {} : { variant }) } },
    manifest,
    ...(base === undefined || spec.base === undefined
      ? {}
      : { base: { name: spec.base.name, manifest: base.descriptor.digest, layers: base.manifest.layers.length } }),
    layers: written.map(({ descriptor: layer, diffId, entries, bytes }) => ({
      ...{ descriptor: layer, diffId, entries, bytes, compressor: layer.annotations?.[LAYER_COMPRESSOR] ?? "none" },
    })),
    user,
  };
}
