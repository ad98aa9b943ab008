import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import {
  checkConfigPlatform,
  choosePlatform,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  type OciReader,
  type Platform,
  parseImageConfig,
  parseManifest,
} from "@touchmark/formats/oci";
import { guarded, removeTree } from "@touchmark/store";
import { UnpackBudget } from "./budget.ts";
import { unpackErrors } from "./errors.ts";
import { ImageTree, type TreeRules } from "./image-tree.ts";
import { checkDiffId, type OpenLayer, openLayer } from "./layer.ts";
import { LayerApplier, type UnpackLosses, type UnpackPolicy } from "./layer-applier.ts";
import type { LayerFacts } from "./layer-entry.ts";
import { LayerParser } from "./layer-parser.ts";
import { type UnpackLimits, unpackLimits } from "./limits.ts";
import { type Owner, TreeDisk } from "./tree-disk.ts";
import { listTree, type TreeListing } from "./tree-listing.ts";

/** What to unpack, where to, and how strictly. */
export interface UnpackOptions extends Partial<UnpackPolicy>, Partial<TreeRules> {
  readonly reader: OciReader;
  /** Digest (or tag) of a manifest, or of an index to choose from. */
  readonly digest: string;
  /** Default: Linux on this machine's architecture. */
  readonly platform?: Platform;
  /** Must not exist, or be empty. */
  readonly directory: string;
  /** Who is to own all files. Only root can give files away. Default: whoever runs this. */
  readonly owner?: Owner;
  readonly limits?: Partial<UnpackLimits>;
  readonly signal?: AbortSignal;
  /** Called after each layer. */
  onLayer?(layer: UnpackedLayer, index: number, count: number): void;
}

export interface UnpackedLayer extends LayerFacts {
  readonly descriptor: Descriptor;
}

/** An image unpacked. */
export interface UnpackReport {
  /** Digest of the manifest whose layers these are. */
  readonly image: Digest;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly layers: readonly UnpackedLayer[];
  /** Everything that is there now. */
  readonly listing: TreeListing;
  /** What the layers hold and the directory does not. */
  readonly losses: UnpackLosses;
}

const maxConfigBytes = 8 * 2 ** 20;

/**
 * Unpacks an image into a directory, as if every layer were hostile: nothing is written outside, no link is followed,
 * nothing is believed before its digest is. When it fails, the directory is as it was.
 * @throws every UNPACK_ code; OCI_ codes of manifest and configuration; errors of the reader; STORE_DISK_FULL | STORE_IO
 */
export async function unpackImage(options: UnpackOptions): Promise<UnpackReport> {
  const { directory } = options;
  const { image, limits } = await readForUnpacking(options);
  return guarded(`unpacking an image into ${directory}`, async () => {
    const isNew = prepare(directory);
    try {
      const disk = new TreeDisk(directory, ownerFor(options.owner));
      const tree = new ImageTree(disk, treeRules(options));
      const applier = new LayerApplier(tree, disk, unpackPolicy(options));
      const layers = await applyLayers(image, limits, options, tree, applier);
      applier.finish();
      const { digest, platform, config } = image;
      return { image: digest, platform, config, layers, listing: listTree(tree), losses: applier.losses };
    } catch (cause) {
      if (isNew) removeTree(directory);
      else for (const name of readdirSync(directory)) removeTree(join(directory, name));
      throw cause;
    }
  });
}

/** What is read, and bounded, before the first layer. */
export async function readForUnpacking(
  options: Omit<UnpackOptions, "directory">,
): Promise<{ readonly image: ReadImage; readonly limits: UnpackLimits }> {
  const image = await readImage(options.reader, options.digest, options.platform ?? hostPlatform());
  const limits = { ...unpackLimits, ...options.limits };
  checkLayerCount(image.manifest, limits);
  return { image, limits };
}

export function treeRules({ throughLinks = "refuse", caseCollisions = "allow" }: Partial<TreeRules>): TreeRules {
  return { throughLinks, caseCollisions };
}

export function unpackPolicy(options: Partial<UnpackPolicy>): UnpackPolicy {
  const { special = "skip", setuid = "strip", xattrs = "drop", modes = "readable", latest } = options;
  return { special, setuid, xattrs, modes, ...(latest === undefined ? {} : { latest }) };
}

/** An image before its layers. */
export interface ReadImage {
  readonly digest: Digest;
  readonly platform: Platform;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** The manifest and configuration of an image for a platform, neither of which is believed to fit the other. */
export async function readImage(reader: OciReader, reference: string, platform: Platform): Promise<ReadImage> {
  let found = await reader.manifest(reference);
  let manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  if (manifest.kind === "index") {
    found = await reader.manifest(choosePlatform(manifest, platform).digest);
    manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
    if (manifest.kind === "index") {
      throw unpackErrors.make("UNPACK_NOT_AN_IMAGE", "expected the manifest of an image, found an index in an index");
    }
  }
  const chunks: Uint8Array[] = [];
  if (manifest.config.size > maxConfigBytes) {
    throw unpackErrors.make("UNPACK_NOT_AN_IMAGE", `expected a configuration, found ${manifest.config.size} bytes`);
  }
  for await (const chunk of reader.blob(manifest.config)) chunks.push(chunk);
  const config = parseImageConfig(Buffer.concat(chunks), { layers: manifest.layers.length });
  checkConfigPlatform(config, platform);
  return { digest: found.descriptor.digest, platform, manifest, config };
}

function checkLayerCount(manifest: ImageManifest, limits: UnpackLimits): void {
  if (manifest.layers.length > limits.layers) {
    throw unpackErrors.make(
      "UNPACK_TOO_MANY_LAYERS",
      `expected at most ${limits.layers} layers, found ${manifest.layers.length}`,
    );
  }
}

/** What this machine runs. */
export function hostPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  return { os: "linux", architecture: names[process.arch] ?? process.arch };
}

/** True when the directory was made. @throws UNPACK_DIRECTORY_USED */
function prepare(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  }
  if (!stat.isDirectory() || readdirSync(directory).length > 0) {
    throw unpackErrors.make("UNPACK_DIRECTORY_USED", `expected ${directory} to be empty or absent, found it in use`);
  }
  return false;
}

/** Applies the layers of an image in order; each is verified against its diffID at its end. */
export async function applyLayers(
  image: ReadImage,
  limits: UnpackLimits,
  options: Pick<UnpackOptions, "reader" | "signal" | "onLayer">,
  tree: ImageTree,
  applier: LayerApplier,
): Promise<UnpackedLayer[]> {
  const budget = new UnpackBudget(limits);
  const { layers: descriptors } = image.manifest;
  const layers: UnpackedLayer[] = [];
  let ahead: LayerAhead | undefined;
  try {
    for (const [index, descriptor] of descriptors.entries()) {
      const current = ahead ?? new LayerAhead(openLayer(options.reader, descriptor, budget));
      const following = descriptors[index + 1];
      // The next layer is fetched and unpacked into memory, a little of it, while this one is written.
      ahead = following && new LayerAhead(openLayer(options.reader, following, budget));
      tree.beginLayer();
      const parser = new LayerParser(budget, applier);
      try {
        for await (const chunk of current.chunks()) {
          options.signal?.throwIfAborted();
          parser.take(chunk);
        }
        parser.end();
      } finally {
        applier.abandon();
      }
      const facts = { ...current.layer.facts(), entries: parser.entries, descriptor };
      checkDiffId(facts.diffId, image.config.rootfs.diff_ids[index]);
      layers.push(facts);
      options.onLayer?.(facts, index, descriptors.length);
    }
  } finally {
    await ahead?.close();
  }
  return layers;
}

/** A layer whose first bytes are asked for before they are needed. */
class LayerAhead {
  readonly layer: OpenLayer;
  readonly #first: Promise<IteratorResult<Buffer, void>>;

  constructor(layer: OpenLayer) {
    this.layer = layer;
    this.#first = layer.chunks.next();
    // Thrown where it is awaited.
    this.#first.catch(() => undefined);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    try {
      const first = await this.#first;
      if (first.done === true) return;
      yield first.value;
      yield* this.layer.chunks;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.layer.chunks.return(undefined);
  }
}

function ownerFor(owner: Owner | undefined): Owner | undefined {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  return owner === undefined || (owner.uid === uid && owner.gid === gid) ? undefined : owner;
}
