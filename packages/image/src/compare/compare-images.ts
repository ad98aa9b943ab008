import { type Digest, type Json, parseJson } from "@touchmark/core";
import {
  type Descriptor,
  type ImageManifest,
  type Manifest,
  type OciReader,
  type Platform,
  parseImageConfig,
  parseManifest,
  platformText,
} from "@touchmark/formats/oci";
import { collect } from "../layout/verified.ts";
import { type Cause, sortedCauses } from "./cause.ts";
import { compareLayers, type LayerSide } from "./compare-layers.ts";
import type { FileDifference } from "./file-facts.ts";
import { type MemberDifference, memberDifferences } from "./json-members.ts";

/** One of the two images to compare. */
export interface ComparedImage {
  readonly reader: OciReader;
  /** Tag or digest. */
  readonly reference: string;
}

/**
 * `identical`: the same bytes. `same-content`: the same files and configuration, packed or described otherwise.
 * `different`: all else.
 */
export type Verdict = "identical" | "same-content" | "different";

/** What two images, or two indexes, differ in. */
export interface ImageDifference {
  readonly verdict: Verdict;
  readonly a: Digest;
  readonly b: Digest;
  readonly causes: readonly Cause[];
  /** Members of an index but for its manifests. */
  readonly index: readonly MemberDifference[];
  /** By platform; one row for two images without an index. */
  readonly images: readonly PlatformDifference[];
}

export interface PlatformDifference {
  readonly platform: string;
  readonly verdict: Verdict | "only-a" | "only-b";
  readonly a?: Digest;
  readonly b?: Digest;
  readonly manifest: readonly MemberDifference[];
  readonly config: readonly MemberDifference[];
  readonly layers: readonly LayerDifference[];
  readonly causes: readonly Cause[];
}

export interface LayerDifference {
  /** Position from the bottom up, from 0. */
  readonly a?: number;
  readonly b?: number;
  readonly verdict: Verdict | "only-a" | "only-b";
  readonly descriptors: { readonly a?: Descriptor; readonly b?: Descriptor };
  readonly diffIds: { readonly a?: Digest; readonly b?: Digest };
  readonly causes: readonly Cause[];
  readonly files: readonly FileDifference[];
  /** Files that differ, shown or not. */
  readonly count: number;
}

export interface CompareOptions {
  /** Only this platform of indexes. */
  readonly platform?: Platform;
  /** Most files told of a layer. Default 1,000. */
  readonly maxFiles?: number;
}

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const DEFAULT_MAX_FILES = 1000;

/**
 * What differs between two images, at each level, and why: index, manifest, configuration, layer, file, content.
 * @throws what the readers and the parsers of documents and layers refuse
 */
export async function compareImages(
  a: ComparedImage,
  b: ComparedImage,
  options: CompareOptions = {},
): Promise<ImageDifference> {
  const [x, y] = [await open(a), await open(b)];
  const both = { a: x.digest, b: y.digest };
  if (x.digest === y.digest) return { verdict: "identical", ...both, causes: [], index: [], images: [] };
  const index =
    x.manifest.kind === "index" && y.manifest.kind === "index"
      ? memberDifferences(document(x, "manifests"), document(y, "manifests"))
      : [];
  const images: PlatformDifference[] = [];
  const [listA, listB] = [await platforms(x, options.platform), await platforms(y, options.platform)];
  // Two images are compared whatever their platforms are called.
  const isPair = x.manifest.kind === "manifest" && y.manifest.kind === "manifest";
  const names = isPair ? [[...listA.keys()][0] ?? ""] : [...new Set([...listA.keys(), ...listB.keys()])].sort();
  for (const platform of names) {
    const [one, other] = isPair ? [x, y] : [listA.get(platform), listB.get(platform)];
    images.push(await comparePlatform(platform, one, other, options.maxFiles ?? DEFAULT_MAX_FILES));
  }
  const causes = sortedCauses([
    ...images.flatMap((image) => image.causes),
    ...index.flatMap((member) => member.causes),
  ]);
  const isSame = images.every(({ verdict }) => verdict === "identical" || verdict === "same-content");
  return { verdict: isSame ? "same-content" : "different", ...both, causes, index, images };
}

interface Side {
  readonly reader: OciReader;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

async function open({ reader, reference }: ComparedImage): Promise<Side> {
  const { descriptor, bytes } = await reader.manifest(reference);
  return {
    reader,
    digest: descriptor.digest,
    bytes,
    manifest: parseManifest(bytes, { mediaType: descriptor.mediaType }),
  };
}

/** The images of an index by platform; of one image itself. What an index lists without a platform goes by its place. */
async function platforms(side: Side, only: Platform | undefined): Promise<Map<string, Side>> {
  if (side.manifest.kind === "manifest") return new Map([[await platformOf(side), side]]);
  const found = new Map<string, Side>();
  for (const [i, descriptor] of side.manifest.manifests.entries()) {
    const name = descriptor.platform === undefined ? `manifest ${i + 1}` : platformText(descriptor.platform);
    if (only !== undefined && name !== platformText(only)) continue;
    found.set(
      found.has(name) ? `${name}, manifest ${i + 1}` : name,
      await open({ reader: side.reader, reference: descriptor.digest }),
    );
  }
  return found;
}

async function platformOf(side: Side): Promise<string> {
  if (side.manifest.kind !== "manifest") return "";
  try {
    return platformText(parseImageConfig(await configBytes(side.reader, side.manifest)));
  } catch {
    return "artifact";
  }
}

async function comparePlatform(
  platform: string,
  a: Side | undefined,
  b: Side | undefined,
  maxFiles: number,
): Promise<PlatformDifference> {
  const base = { platform, manifest: [], config: [], layers: [] };
  const digests = { ...(a === undefined ? {} : { a: a.digest }), ...(b === undefined ? {} : { b: b.digest }) };
  if (a === undefined || b === undefined) {
    return { ...base, ...digests, verdict: a === undefined ? "only-b" : "only-a", causes: ["content"] };
  }
  if (a.digest === b.digest) return { ...base, ...digests, verdict: "identical", causes: [] };
  const manifest = memberDifferences(document(a, "layers", "config"), document(b, "layers", "config"));
  if (a.manifest.kind === "index" || b.manifest.kind === "index") {
    return { ...base, ...digests, verdict: "different", manifest, causes: ["content"] };
  }
  const [one, other] = [await readConfig(a.reader, a.manifest), await readConfig(b.reader, b.manifest)];
  const config = memberDifferences(withoutDiffIds(one.json), withoutDiffIds(other.json));
  const layers = await pairLayers(sides(a, a.manifest, one.diffIds), sides(b, b.manifest, other.diffIds), maxFiles);
  const causes = sortedCauses([...manifest, ...config, ...layers].flatMap((part) => part.causes));
  const isSame =
    config.length === 0 && layers.every(({ verdict }) => verdict === "identical" || verdict === "same-content");
  return { ...base, ...digests, verdict: isSame ? "same-content" : "different", manifest, config, layers, causes };
}

function document(side: Side, ...without: readonly string[]): Json {
  const value = parseJson(side.bytes) as { readonly [key: string]: Json };
  return Object.fromEntries(Object.entries(value).filter(([name]) => !without.includes(name)));
}

function configBytes(reader: OciReader, manifest: ImageManifest): Promise<Uint8Array> {
  return collect(reader.blob(manifest.config), MAX_CONFIG_BYTES, "a configuration");
}

async function readConfig(
  reader: OciReader,
  manifest: ImageManifest,
): Promise<{ json: Json; diffIds: readonly (Digest | undefined)[] }> {
  const bytes = await configBytes(reader, manifest);
  const json = parseJson(bytes);
  try {
    return { json, diffIds: parseImageConfig(bytes, { layers: manifest.layers.length }).rootfs.diff_ids };
  } catch {
    // An artifact: its layers are no archives of files.
    return { json, diffIds: manifest.layers.map(() => undefined) };
  }
}

function withoutDiffIds(config: Json): Json {
  if (typeof config !== "object" || config === null || Array.isArray(config)) return config;
  const { rootfs: _, ...rest } = config as { readonly [key: string]: Json };
  return rest;
}

type Layer = Omit<LayerSide, "diffId"> & { readonly diffId: Digest | undefined };

function sides(side: Side, manifest: ImageManifest, diffIds: readonly (Digest | undefined)[]): readonly Layer[] {
  return manifest.layers.map((descriptor, i) => ({ reader: side.reader, descriptor, diffId: diffIds[i] }));
}

/** Pairs equal layers from both ends, then what is left by position. */
async function pairLayers(
  a: readonly Layer[],
  b: readonly Layer[],
  maxFiles: number,
): Promise<readonly LayerDifference[]> {
  let head = 0;
  while (head < Math.min(a.length, b.length) && isSame(a[head], b[head])) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && isSame(a[a.length - 1 - tail], b[b.length - 1 - tail]))
    tail += 1;
  const found: LayerDifference[] = [];
  for (let i = 0; i < head; i++) found.push(await compareLayer(i, a[i], i, b[i], maxFiles));
  const middle = Math.max(a.length, b.length) - head - tail;
  for (let i = head; i < head + middle; i++) {
    const [one, other] = [i < a.length - tail ? a[i] : undefined, i < b.length - tail ? b[i] : undefined];
    found.push(await compareLayer(i, one, i, other, maxFiles));
  }
  for (let i = tail; i > 0; i--)
    found.push(await compareLayer(a.length - i, a.at(-i), b.length - i, b.at(-i), maxFiles));
  return found;
}

function isSame(a: Layer | undefined, b: Layer | undefined): boolean {
  if (a?.descriptor.digest === b?.descriptor.digest) return true;
  return a?.diffId !== undefined && a.diffId === b?.diffId;
}

async function compareLayer(
  i: number,
  a: Layer | undefined,
  j: number,
  b: Layer | undefined,
  maxFiles: number,
): Promise<LayerDifference> {
  const facts = {
    ...(a === undefined ? {} : { a: i }),
    ...(b === undefined ? {} : { b: j }),
    descriptors: { ...(a === undefined ? {} : { a: a.descriptor }), ...(b === undefined ? {} : { b: b.descriptor }) },
    diffIds: {
      ...(a?.diffId === undefined ? {} : { a: a.diffId }),
      ...(b?.diffId === undefined ? {} : { b: b.diffId }),
    },
  };
  const none = { files: [], count: 0 };
  if (a === undefined || b === undefined) {
    return { ...facts, ...none, verdict: a === undefined ? "only-b" : "only-a", causes: ["content"] };
  }
  if (a.descriptor.digest === b.descriptor.digest) return { ...facts, ...none, verdict: "identical", causes: [] };
  const [one, other] = [a.diffId, b.diffId];
  if (one === undefined || other === undefined) return { ...facts, ...none, verdict: "different", causes: ["content"] };
  if (one === other) return { ...facts, ...none, verdict: "same-content", causes: ["compressor"] };
  const archive = await compareLayers({ ...a, diffId: one }, { ...b, diffId: other }, maxFiles);
  return { ...facts, ...archive, verdict: "different" };
}
