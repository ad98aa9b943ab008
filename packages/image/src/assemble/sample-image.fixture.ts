import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WritableImages } from "../layout/local-images.ts";
import { memoryImages } from "../layout/memory-images.ts";
import { type AssembledImage, assembleImage } from "./assemble-image.ts";
import type { ImageSpec } from "./image-spec.ts";
import type { LayerPart } from "./layer-part.ts";

/** A file for a layer. */
export function sampleFile(to: string, content = `content of ${to}`, mode = 0o644): LayerPart {
  return { kind: "file", to, content: Buffer.from(content), mode };
}

/** A spec of a small image, for tests to change. */
export function sampleSpec(change: Partial<ImageSpec> = {}): ImageSpec {
  return {
    platform: { os: "linux", architecture: "amd64" },
    layers: [{ files: [sampleFile("/app/main")], createdBy: "step build, . -> /app" }],
    epoch: 1_700_000_000,
    user: "1001:1001",
    ...change,
  };
}

/** Assembles into memory, or into the given place, with a scratch directory that is gone afterwards. */
export async function sampleImage(
  change: Partial<ImageSpec> = {},
  places: { readonly base?: WritableImages; readonly out?: WritableImages; readonly tag?: string } = {},
): Promise<AssembledImage & { readonly images: WritableImages }> {
  const scratch = mkdtempSync(join(tmpdir(), "touchmark-image-test-"));
  const images = places.out ?? places.base ?? memoryImages();
  try {
    return { ...(await assembleImage(sampleSpec(change), { base: images, ...places, out: images, scratch })), images };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
