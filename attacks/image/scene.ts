import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type ImageManifest,
  mediaTypes,
  serializeManifest,
} from "@touchmark/formats/oci";
import { memoryImages, type UnpackOptions, type UnpackReport, unpackImage } from "@touchmark/image";
import { type ForgedTarEntry, forgeTar } from "@touchmark/test-kit/archives";
import { afterAll } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-image-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;

export const platform = { os: "linux", architecture: "amd64" } as const;

/** A layer as a hostile hand makes it: entries, or an archive, or packed bytes of any type. */
export type ForgedLayer =
  | readonly ForgedTarEntry[]
  | {
      readonly archive: Uint8Array;
      readonly packed?: Uint8Array;
      readonly mediaType?: string;
      readonly urls?: string[];
    };

export interface ForgedImage {
  readonly layers: readonly ForgedLayer[];
  /** Instead of the true ones. */
  readonly diffIds?: readonly Digest[];
  readonly os?: string;
  readonly environment?: readonly string[];
}

/** Stores a forged image in memory; answers where to read it. */
export async function forgeImage(image: ForgedImage) {
  const images = memoryImages();
  const put = async (descriptor: Descriptor, bytes: Uint8Array): Promise<Descriptor> => {
    await images.putBlob(descriptor, async function* () {
      yield bytes;
    });
    return descriptor;
  };
  const layers: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const layer of image.layers) {
    const made = "archive" in layer ? layer : { archive: forgeTar(layer) };
    const packed = "packed" in made && made.packed ? made.packed : gzipSync(made.archive, { level: 1 });
    const type = ("mediaType" in made && made.mediaType) || mediaTypes.layerGzip;
    const urls = "urls" in made && made.urls ? { urls: made.urls } : {};
    layers.push({ ...(await put(descriptorOf(packed, type), packed)), ...urls });
    diffIds.push(sha256(made.archive));
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: image.os ?? "linux",
      config: { Env: image.environment ?? ["PATH=/usr/bin"] },
      rootfs: { type: "layers", diff_ids: image.diffIds ?? diffIds },
    }),
  );
  const manifest: ImageManifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: await put(descriptorOf(config, mediaTypes.config), config),
    layers,
  };
  const { digest } = await images.putManifest(serializeManifest(manifest), mediaTypes.manifest, "forged");
  return { reader: images, digest };
}

/** What came of unpacking a forged image. */
export interface Outcome {
  readonly code: string | undefined;
  readonly report: UnpackReport | undefined;
  readonly directory: string;
  /** True when nothing beside the directory was touched, and nothing is left in it after a refusal. */
  readonly isContained: boolean;
}

/** Unpacks a forged image beside a canary. */
export async function unpackForged(
  image: ForgedImage | ForgedImage["layers"],
  options: Partial<UnpackOptions> = {},
): Promise<Outcome> {
  const { reader, digest } = await forgeImage("layers" in image ? image : { layers: image });
  const outside = join(directory, String(count++));
  mkdirSync(join(outside, "etc"), { recursive: true });
  writeFileSync(join(outside, "canary"), "canary");
  writeFileSync(join(outside, "etc", "passwd"), "root");
  const before = facts(outside);
  const root = join(outside, "root");
  let code: string | undefined;
  let report: UnpackReport | undefined;
  try {
    report = await unpackImage({ reader, digest, platform, directory: root, ...options });
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    code = error.code;
  }
  const isEmpty = lstatSync(root, { throwIfNoEntry: false }) === undefined;
  return { code, report, directory: root, isContained: facts(outside) === before && isEmpty === (code !== undefined) };
}

/** Everything beside the directory that is unpacked into. */
function facts(outside: string): string {
  const lines: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(join(outside, path)).sort()) {
      const place = join(path, name);
      if (place === "root") continue;
      const stat = lstatSync(join(outside, place));
      const content = stat.isFile() ? readFileSync(join(outside, place), "hex") : "";
      const time = stat.isDirectory() ? "" : stat.mtimeMs;
      lines.push(`${place} ${stat.mode} ${stat.nlink} ${time} ${content}`);
      if (stat.isDirectory()) visit(place);
    }
  };
  visit("");
  return lines.join("\n").replace(/^(etc \d+) \d+/gm, "$1");
}
