import { createReadStream, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { canonicalJson, type Digest, type Json, parseJson } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type ImageManifest,
  mediaTypes,
  type OciReader,
  type OciWriter,
  type Platform,
  platformText,
  serializeManifest,
} from "@touchmark/formats/oci";
import { removeTree } from "@touchmark/store";
import { readImage } from "../assemble/image-base.ts";
import type { LayerItem } from "../assemble/layer-item.ts";
import { writeItems } from "../assemble/write-layer.ts";
import type { ListedEntry } from "../unpack/tree-listing.ts";
import { hostPlatform, type UnpackReport, unpackImage } from "../unpack/unpack-image.ts";
import { type DebianOwners, debianOwners } from "./debian-owners.ts";
import { slimErrors } from "./errors.ts";
import { removedPaths, type SlimRules } from "./slim-plan.ts";

/** What to make smaller, how, and where to put it. */
export interface SlimRequest {
  readonly reader: OciReader;
  readonly digest: Digest;
  readonly platform?: Platform;
  readonly rules: SlimRules;
  readonly out: OciWriter;
  /** A private directory; the image is unpacked there. */
  readonly scratch: string;
  /** Most paths that may go. Default 60,000. */
  readonly maxRemoved?: number;
}

/** A path that went. */
export interface RemovedPath {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "device" | "fifo";
  readonly digest?: Digest;
  readonly bytes?: number;
  readonly link?: string;
  readonly package?: string;
}

/** The image as it is now, without a tag, and what went. */
export interface SlimmedImage {
  readonly descriptor: Descriptor;
  readonly platform: string;
  readonly source: { readonly digest: Digest; readonly layers: number; readonly files: number; readonly bytes: number };
  readonly result: { readonly digest: Digest; readonly layers: number; readonly files: number; readonly bytes: number };
  /** In byte order. */
  readonly removed: readonly RemovedPath[];
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly architecture: string;
    readonly removed: number;
    readonly kept: number;
    readonly whole: boolean;
  }[];
}

/** Annotation of a manifest: what it was before files were taken out of it. */
export const SLIMMED_FROM = "dev.touchmark.slimmed.from";
const MAX_REMOVED = 60_000;
const MAX_CONFIG = 8 * 1024 * 1024;

/**
 * Makes an image again without some of its files: one layer of what stays, so that no lower layer has them. Owners, modes
 * and times stay, as does the configuration. @throws SLIM_* | UNPACK_* | IMAGE_* | OCI_*
 */
export async function slimImage(request: SlimRequest): Promise<SlimmedImage> {
  const { reader, digest, platform = hostPlatform(), scratch, out, maxRemoved = MAX_REMOVED } = request;
  const { manifest, descriptor } = await readImage(reader, digest, platform);
  const directory = join(scratch, "tree");
  try {
    const report = await unpackImage({
      reader,
      digest: descriptor.digest,
      platform,
      directory,
      special: "skip",
      modes: "readable",
    });
    const { entries } = report.listing;
    const removed = removedPaths(entries, request.rules);
    if (removed.size === 0)
      throw slimErrors.make("SLIM_NOTHING_REMOVED", `nothing of ${entries.length} paths is removed`);
    if (removed.size + report.losses.special.length > maxRemoved) {
      throw slimErrors.make("SLIM_TOO_MANY", `expected at most ${maxRemoved} paths, found ${removed.size}`);
    }
    const owners = debianOwners(directory, entries);
    const stays = entries.filter(({ path }) => path !== "" && !removed.has(path));
    const items = itemsOf(stays, directory, report);
    const layer = await writeItems(items, { epoch: 0, scratch, allowSetuid: true });
    try {
      await out.putBlob(layer.descriptor, () => createReadStream(layer.file));
    } finally {
      rmSync(layer.file, { force: true });
    }
    const config = await slimmedConfig(reader, manifest, layer.diffId);
    await out.putBlob(config.descriptor, async function* () {
      yield config.bytes;
    });
    const written = serializeManifest({
      kind: "manifest",
      mediaType: mediaTypes.manifest,
      config: config.descriptor,
      layers: [layer.descriptor],
      annotations: { ...manifest.annotations, [SLIMMED_FROM]: descriptor.digest },
    });
    const result = await out.putManifest(written, mediaTypes.manifest);
    return {
      descriptor: result,
      platform: platformText(platform),
      source: { digest: descriptor.digest, layers: manifest.layers.length, ...counted(entries) },
      result: { digest: result.digest, layers: 1, ...counted(stays) },
      removed: [
        ...entries.filter(({ path }) => removed.has(path)).map((entry) => removedPath(entry, owners)),
        ...specials(report),
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
      packages: packagesOf(entries, removed, owners),
    };
  } finally {
    removeTree(directory);
  }
}

function itemsOf(stays: readonly ListedEntry[], directory: string, { losses }: UnpackReport): LayerItem[] {
  const kept = new Set(stays.map(({ path }) => path));
  const lost = losses.xattrs.find(({ path }) => kept.has(path));
  if (lost !== undefined) throw slimErrors.make("SLIM_ATTRIBUTES_LOST", `expected no ${lost.name} at /${lost.path}`);
  const attributes = new Map<string, Record<string, Uint8Array>>();
  for (const { path, name, value } of losses.recorded) {
    attributes.set(path, { ...attributes.get(path), [name]: Buffer.from(value, "base64") });
  }
  const first = new Map<string, string>();
  return stays.map((entry): LayerItem => {
    const { path, kind, original, mtime, size, sha256, target } = entry;
    const xattrs = attributes.get(path);
    const common = {
      path,
      mode: original.mode & 0o7777,
      uid: original.uid,
      gid: original.gid,
      mtime: Math.max(0, Math.floor(mtime)),
      ...(xattrs === undefined ? {} : { xattrs }),
    };
    if (kind === "directory") return { ...common, kind, size: 0 };
    if (kind === "symlink") return { ...common, kind, mode: 0o777, size: 0, target: target ?? "" };
    const file = join(directory, path);
    const { nlink, dev, ino } = lstatSync(file);
    const earlier = nlink > 1 ? first.get(`${dev}:${ino}`) : undefined;
    if (earlier !== undefined) return { ...common, kind: "hard-link", size: 0, target: earlier };
    first.set(`${dev}:${ino}`, path);
    return { ...common, kind, size, content: { file, digest: `sha256:${sha256 ?? ""}` } };
  });
}

function counted(entries: readonly ListedEntry[]): { readonly files: number; readonly bytes: number } {
  const files = entries.filter(({ kind }) => kind !== "directory");
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

function removedPath(
  { path, kind, sha256, size, target }: ListedEntry,
  { packages, owners }: DebianOwners,
): RemovedPath {
  const owner = packages[owners.get(path) ?? -1];
  return {
    path,
    kind,
    ...(kind === "file" && sha256 !== undefined ? { digest: `sha256:${sha256}`, bytes: size } : {}),
    ...(kind === "symlink" && target !== undefined && target !== "" ? { link: target } : {}),
    ...(owner === undefined || kind === "directory" ? {} : { package: owner.name }),
  };
}

/** Devices and pipes are never carried over: whoever runs the image makes those that it needs. */
function specials({ losses }: UnpackReport): readonly RemovedPath[] {
  return losses.special.map(({ path, kind }) => ({ path, kind: kind === "fifo" ? "fifo" : "device" }));
}

function packagesOf(
  entries: readonly ListedEntry[],
  removed: ReadonlySet<string>,
  { packages, owners }: DebianOwners,
): SlimmedImage["packages"] {
  const counts = packages.map(() => ({ removed: 0, kept: 0 }));
  for (const { path, kind } of entries) {
    const count = counts[owners.get(path) ?? -1];
    if (count === undefined || kind === "directory") continue;
    if (removed.has(path)) count.removed++;
    else count.kept++;
  }
  return packages.flatMap(({ name, version, architecture }, at) => {
    const count = counts[at];
    if (count === undefined || count.removed === 0) return [];
    return [{ name, version, architecture, ...count, whole: count.kept === 0 }];
  });
}

/** The configuration as it was, members that nobody here knows included, but for its layers. */
async function slimmedConfig(
  reader: OciReader,
  manifest: ImageManifest,
  diffId: Digest,
): Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor }> {
  const before = parseJson(await buffer(reader.blob(manifest.config)), { maxBytes: MAX_CONFIG }) as Record<
    string,
    Json
  >;
  const created = before["created"];
  const history = { ...(created === undefined ? {} : { created }), created_by: "touchmark image slim" };
  const after = { ...before, rootfs: { type: "layers", diff_ids: [diffId] }, history: [history] };
  const bytes = Buffer.from(canonicalJson(after));
  return { bytes, descriptor: descriptorOf(bytes, mediaTypes.config) };
}
