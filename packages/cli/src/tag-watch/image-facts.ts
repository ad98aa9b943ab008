import { buffer } from "node:stream/consumers";
import type { Digest } from "@touchmark/core";
import {
  type ImageConfig,
  type ImageManifest,
  mediaTypes,
  type OciReader,
  parseImageConfig,
  parseManifest,
  platformText,
} from "@touchmark/formats/oci";
import { watchErrors } from "./errors.ts";

/** What decides how an image for one platform runs, and how large it is. */
export interface ImageFacts {
  readonly platform: string;
  readonly digest: Digest;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly environment: readonly string[];
  /** What it says that it stands on; its own word. */
  readonly base: string;
  /** Digests of the unpacked layers, from the bottom. */
  readonly layers: readonly Digest[];
  /** Of all layers as they are stored. */
  readonly bytes: number;
}

const MAX_IMAGES = 64;
const BASE_NAME = "org.opencontainers.image.base.name";

/**
 * The images that a manifest stands for, by platform: itself, or those of an index. Attestations that builders list
 * beside images are none. @throws WATCH_NOT_AN_IMAGE | every OCI_ code of the documents
 */
export async function imageFacts(reader: OciReader, digest: Digest): Promise<readonly ImageFacts[]> {
  const found = await reader.manifest(digest);
  const manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  if (manifest.kind === "manifest") return [await factsOf(reader, digest, manifest)];
  const listed = manifest.manifests.filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
  if (listed.length === 0 || listed.length > MAX_IMAGES) {
    throw watchErrors.make(
      "WATCH_NOT_AN_IMAGE",
      `expected 1 to ${MAX_IMAGES} images in the index, found ${listed.length}`,
    );
  }
  const facts: ImageFacts[] = [];
  for (const each of listed) {
    const one = await reader.manifest(each.digest);
    const image = parseManifest(one.bytes, { mediaType: one.descriptor.mediaType });
    if (image.kind === "index")
      throw watchErrors.make("WATCH_NOT_AN_IMAGE", "expected images in the index, found an index");
    facts.push(await factsOf(reader, each.digest, image));
  }
  return facts.sort((a, b) => (a.platform < b.platform ? -1 : 1));
}

async function factsOf(reader: OciReader, digest: Digest, manifest: ImageManifest): Promise<ImageFacts> {
  const { config: descriptor, layers } = manifest;
  if (descriptor.mediaType !== mediaTypes.config && descriptor.mediaType !== mediaTypes.dockerConfig) {
    const type = manifest.artifactType ?? descriptor.mediaType;
    throw watchErrors.make("WATCH_NOT_AN_IMAGE", `expected an image, found an artifact of type ${type.slice(0, 200)}`);
  }
  const config: ImageConfig = parseImageConfig(await buffer(reader.blob(descriptor)), { layers: layers.length });
  const run = config.config ?? {};
  const { os, architecture, variant } = config;
  return {
    platform: platformText({ os, architecture, ...(variant === undefined ? {} : { variant }) }),
    digest,
    user: run.User ?? "",
    entrypoint: run.Entrypoint ?? [],
    command: run.Cmd ?? [],
    ports: Object.keys(run.ExposedPorts ?? {}).sort(),
    volumes: Object.keys(run.Volumes ?? {}).sort(),
    environment: run.Env ?? [],
    base: run.Labels?.[BASE_NAME] ?? manifest.annotations?.[BASE_NAME] ?? "",
    layers: config.rootfs.diff_ids,
    bytes: layers.reduce((sum, layer) => sum + layer.size, 0),
  };
}

/** True when programs start as root: no user, or user 0. A name other than root is taken for what it says. */
export function isRoot(user: string): boolean {
  return user === "" || /^(?:root|0+)(?::|$)/.test(user);
}
