import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { parseJson } from "@touchmark/core";
import { type Descriptor, type ImageIndex, mediaTypes, parseManifest, serializeIndex } from "@touchmark/formats/oci";
import { readIfPresent, takeLock, writeFileAtomically } from "@touchmark/store";
import { imageErrors } from "../errors.ts";

/** Name of the annotation that holds a tag in `index.json` (image-spec 1.1, image-layout.md). */
export const REF_NAME = "org.opencontainers.image.ref.name";

const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}';
const MAX_INDEX_BYTES = 4 * 1024 * 1024;

/** Makes an empty layout where there is none yet. */
export function createLayout(directory: string): void {
  mkdirSync(join(directory, "blobs", "sha256"), { recursive: true });
  if (readIfPresent(join(directory, "index.json")) === undefined) writeIndex(directory, []);
  if (readIfPresent(join(directory, "oci-layout")) === undefined) {
    writeFileAtomically(join(directory, "oci-layout"), LAYOUT_FILE, { mode: 0o644 });
  }
}

/** The manifests that a layout names. @throws IMAGE_LAYOUT_INVALID */
export function readIndex(directory: string): readonly Descriptor[] {
  checkVersion(directory);
  const bytes = readIfPresent(join(directory, "index.json"));
  if (bytes === undefined) throw invalid(directory, "an index.json", "none");
  if (bytes.length > MAX_INDEX_BYTES) {
    throw invalid(directory, `an index.json of at most ${MAX_INDEX_BYTES} bytes`, `${bytes.length}`);
  }
  let index: ReturnType<typeof parseManifest>;
  try {
    index = parseManifest(bytes, { mediaType: mediaTypes.index });
  } catch (cause) {
    throw imageErrors.make("IMAGE_LAYOUT_INVALID", `expected an image index in ${directory}/index.json`, { cause });
  }
  return (index as ImageIndex).manifests;
}

/** Changes the manifests that a layout names, whole or not at all, one writer after the other. */
export async function changeIndex(
  directory: string,
  change: (manifests: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  // Beside the layout's files there is nothing of ours: whoever packs the directory packs a layout.
  const name = createHash("sha256").update(realpathSync(directory)).digest("hex").slice(0, 32);
  const lock = await takeLock(join(tmpdir(), `touchmark-layout-${userInfo().uid}-${name}.lock`));
  try {
    writeIndex(directory, change(readIndex(directory)));
  } finally {
    lock.release();
  }
}

function writeIndex(directory: string, manifests: readonly Descriptor[]): void {
  const bytes = serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests });
  writeFileAtomically(join(directory, "index.json"), bytes, { mode: 0o644 });
}

function checkVersion(directory: string): void {
  const bytes = readIfPresent(join(directory, "oci-layout"));
  if (bytes === undefined) throw invalid(directory, "an OCI image layout", "no oci-layout");
  let version: unknown;
  try {
    version = (parseJson(bytes, { maxBytes: 4096 }) as { imageLayoutVersion?: unknown }).imageLayoutVersion;
  } catch (cause) {
    throw imageErrors.make("IMAGE_LAYOUT_INVALID", `expected JSON in ${directory}/oci-layout`, { cause });
  }
  if (version !== "1.0.0") throw invalid(directory, "imageLayoutVersion 1.0.0", JSON.stringify(version) ?? "none");
}

function invalid(directory: string, expected: string, found: string): Error {
  return imageErrors.make("IMAGE_LAYOUT_INVALID", `expected ${expected} in ${directory}, found ${found}`);
}
