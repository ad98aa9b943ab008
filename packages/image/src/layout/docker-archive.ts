import { createHash } from "node:crypto";
import { type Digest, parseJson, sha256 } from "@touchmark/core";
import {
  annotationKeys,
  type Descriptor,
  descriptorOf,
  type FoundManifest,
  type ImageManifest,
  mediaTypes,
  parseImageConfig,
  serializeManifest,
} from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { type ArchiveIndex, type ArchiveMember, indexArchive } from "./archive-index.ts";
import { fileChunks } from "./file-chunks.ts";
import { foundManifest, lookUp, missingManifest, onlyImage } from "./found-manifest.ts";
import type { LocalImages } from "./local-images.ts";
import { collect, verified } from "./verified.ts";

const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_IMAGES = 1000;
const MAX_LAYERS = 1000;

/**
 * Images of a file that `docker save` and its likes wrote. The archive is indexed once and never unpacked; each image is
 * shown with an OCI manifest, whose layers are the files of the archive as they are. @throws IMAGE_ARCHIVE_INVALID at first use
 */
export function openDockerArchive(file: string): LocalImages {
  let archive: Promise<Archive> | undefined;
  const open = (): Promise<Archive> => {
    archive ??= readArchive(file);
    return archive;
  };
  const name = `docker-archive:${file}`;
  return {
    name,
    async manifest(reference) {
      const { listed, manifests } = await open();
      const digest = lookUp(listed, reference);
      const found = digest === undefined ? undefined : manifests.get(digest);
      if (found === undefined) throw missingManifest(name, reference);
      return found;
    },
    async *blob(descriptor) {
      const { blobs } = await open();
      const member = blobs.get(descriptor.digest);
      if (member === undefined) throw missingBlob(descriptor.digest, name);
      yield* verified(chunksOf(file, member), descriptor, "IMAGE_BLOB_CORRUPT");
    },
    // An archive has no place for what refers to its images.
    async *referrers() {},
    async *tags() {
      const { listed } = await open();
      const names = listed.map(({ annotations }) => annotations?.[annotationKeys.refName]);
      yield* [...new Set(names.filter((tag) => tag !== undefined))].sort();
    },
    only: async () => onlyImage((await open()).listed, name),
  };
}

interface Archive {
  readonly listed: readonly Descriptor[];
  readonly manifests: ReadonlyMap<Digest, FoundManifest>;
  readonly blobs: ReadonlyMap<Digest, ArchiveMember>;
}

/** One row of `manifest.json`. */
interface SavedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

async function readArchive(file: string): Promise<Archive> {
  const index = indexArchive(file);
  const blobs = new Map<Digest, ArchiveMember>();
  const manifests = new Map<Digest, FoundManifest>();
  const listed: Descriptor[] = [];
  for (const saved of await savedImages(file, index)) {
    const member = memberOf(index, saved.config, file);
    const bytes = await document(file, member, saved.config);
    const config = descriptorOf(bytes, mediaTypes.config);
    blobs.set(config.digest, member);
    const { diff_ids } = parseImageConfig(bytes, { layers: saved.layers.length }).rootfs;
    const layers = saved.layers.map((path, i): Descriptor => {
      const layer = memberOf(index, path, file);
      const descriptor = layerOf(file, layer, diff_ids[i] as Digest);
      blobs.set(descriptor.digest, layer);
      return descriptor;
    });
    const manifest: ImageManifest = { kind: "manifest", mediaType: mediaTypes.manifest, config, layers };
    const serialized = serializeManifest(manifest);
    const found = foundManifest(serialized, sha256(serialized), manifest.mediaType);
    manifests.set(found.descriptor.digest, found);
    const named = saved.tags.map((tag) => ({ ...found.descriptor, annotations: { [annotationKeys.refName]: tag } }));
    listed.push(...(named.length === 0 ? [found.descriptor] : named));
  }
  return { listed, manifests, blobs };
}

async function savedImages(file: string, index: ArchiveIndex): Promise<readonly SavedImage[]> {
  const member = index.find("manifest.json");
  if (member === undefined) throw invalid(file, "a manifest.json", "none");
  const rows = parseJson(await document(file, member, "manifest.json"), { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 8 });
  if (!Array.isArray(rows) || rows.length > MAX_IMAGES)
    throw invalid(file, `a list of at most ${MAX_IMAGES} images`, "none");
  return rows.map((row: unknown): SavedImage => {
    const { Config, RepoTags, Layers } = (row ?? {}) as Readonly<Record<string, unknown>>;
    const tags = RepoTags ?? [];
    if (typeof Config !== "string" || !isTexts(tags) || !isTexts(Layers) || Layers.length > MAX_LAYERS) {
      throw invalid(file, "Config, RepoTags and Layers of each image in manifest.json", "others");
    }
    return { config: Config, tags, layers: Layers };
  });
}

/** Layers are plain archives, which have the digest that the configuration tells, or packed ones, which are hashed here. */
function layerOf(file: string, member: ArchiveMember, diffId: Digest): Descriptor {
  const head = [...chunksOf(file, { ...member, size: Math.min(4, member.size) })][0] ?? Buffer.alloc(0);
  const { size } = member;
  const magic = Buffer.from(head).toString("hex");
  if (!magic.startsWith("1f8b") && magic !== "28b52ffd") return { mediaType: mediaTypes.layer, digest: diffId, size };
  const hash = createHash("sha256");
  for (const chunk of chunksOf(file, member)) hash.update(chunk);
  const mediaType = magic.startsWith("1f8b") ? mediaTypes.layerGzip : mediaTypes.layerZstd;
  return { mediaType, digest: `sha256:${hash.digest("hex")}`, size };
}

async function document(file: string, member: ArchiveMember, what: string): Promise<Uint8Array> {
  if (member.size > MAX_DOCUMENT_BYTES)
    throw invalid(file, `${what} of at most ${MAX_DOCUMENT_BYTES} bytes`, `${member.size}`);
  async function* chunks() {
    yield* chunksOf(file, member);
  }
  return collect(chunks(), MAX_DOCUMENT_BYTES, what);
}

function chunksOf(file: string, { offset, size }: ArchiveMember): Iterable<Uint8Array> {
  return fileChunks(file, () => invalid(file, "a file", "none"), offset, offset + size);
}

function memberOf(index: ArchiveIndex, path: string, file: string): ArchiveMember {
  const member = index.find(path);
  if (member === undefined) throw invalid(file, JSON.stringify(path.slice(0, 200)), "no such file");
  return member;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function missingBlob(digest: Digest, name: string): Error {
  return imageErrors.make("IMAGE_BLOB_MISSING", `expected the blob ${digest} in ${name}, found none`);
}

function invalid(file: string, expected: string, found: string): Error {
  return imageErrors.make("IMAGE_ARCHIVE_INVALID", `expected ${expected} in ${file}, found ${found}`);
}
