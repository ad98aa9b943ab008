import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type ImageManifest,
  mediaTypes,
  serializeManifest,
} from "@touchmark/formats/oci";
import { type ForgedTarEntry, forgeTar } from "@touchmark/test-kit/archives";
import { afterAll } from "vitest";
import { memoryImages } from "../layout/memory-images.ts";

export const platform = { os: "linux", architecture: "amd64" } as const;

const top = mkdtempSync(join(tmpdir(), "touchmark-unpack-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let count = 0;

/** A place that does not exist yet. */
export const freshPlace = (): string => join(top, `place-${count++}`);

/** A layer: entries, or an archive with how it is packed. */
export type SceneLayer =
  | readonly ForgedTarEntry[]
  | { readonly archive: Uint8Array; readonly packed: Uint8Array; readonly mediaType: string };

/** An image in memory, of layers that are not packed unless they come so. */
export async function sceneImage(layers: readonly SceneLayer[], config: object = {}) {
  const images = memoryImages();
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const descriptor = descriptorOf(bytes, mediaType);
    await images.putBlob(descriptor, async function* () {
      yield bytes;
    });
    return descriptor;
  };
  const descriptors: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const layer of layers) {
    const archive = "archive" in layer ? layer.archive : forgeTar(layer);
    const packed = "archive" in layer ? layer.packed : archive;
    descriptors.push(await put(packed, "archive" in layer ? layer.mediaType : mediaTypes.layer));
    diffIds.push(sha256(archive));
  }
  const text = { architecture: "amd64", os: "linux", config, rootfs: { type: "layers", diff_ids: diffIds } };
  const manifest: ImageManifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: await put(Buffer.from(JSON.stringify(text)), mediaTypes.config),
    layers: descriptors,
  };
  const { digest } = await images.putManifest(serializeManifest(manifest), mediaTypes.manifest);
  return { reader: images, digest, layers: descriptors };
}

/** What lies in a directory: `path/`, `path -> target`, `path = content`, in order. */
export function contentOf(root: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const place = join(path, name);
      const stat = lstatSync(join(root, place));
      if (stat.isDirectory()) lines.push(`${place}/`);
      else if (stat.isSymbolicLink()) lines.push(`${place} -> ${readlinkSync(join(root, place))}`);
      else lines.push(`${place} = ${readFileSync(join(root, place), "utf8").slice(0, 100)}`);
      if (stat.isDirectory()) visit(place);
    }
  };
  visit("");
  return lines;
}
