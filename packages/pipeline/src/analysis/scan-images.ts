import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AdvisoryDatabase, scanRefusal } from "@touchmark/advisories";
import { type Digest, digestHex, type FactoryError, isDigest } from "@touchmark/core";
import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { imageReferenceText } from "@touchmark/formats/pipeline";
import type { Sbom } from "@touchmark/formats/sbom";
import { openDirectoryTree, readSbom, writeSbom } from "@touchmark/sbom";
import { writeFileAtomically } from "@touchmark/store";
import type { Factory } from "../factory.ts";
import type { AdmittedImage } from "../images/admit-image.ts";
import type { RunImages } from "../images/run-images.ts";
import { productVersion } from "../version.ts";
import { imageTree } from "./image-tree.ts";
import { catalogueTree, decideAll, scanSbom } from "./scan.ts";
import { readScanConfiguration } from "./scan-configuration.ts";

/** An image of a run, scanned. */
export interface ScannedImage {
  /** SHA-256 of the SBOM, in our own form, in the content store. */
  readonly sbom: Digest;
  readonly result: ScanResult;
  readonly gate: ScanGateResult;
  /** Why the user's rules do not let it in. */
  readonly refusal?: FactoryError;
}

/**
 * Scans every image that steps run in or artifacts stand on, by manifest. What an image consists of is worked out once;
 * what is known of it, each time. @throws SCAN_CONFIG_INVALID | ADVISORY_… | SBOM_…
 */
export async function scanImages(
  factory: Factory,
  images: RunImages,
  database: AdvisoryDatabase | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, ScannedImage>> {
  const { workerImages } = readScanConfiguration(factory);
  const policies = workerImages === undefined ? [] : [workerImages];
  const scanned = new Map<Digest, ScannedImage>();
  for (const image of images.admitted) {
    if (scanned.has(image.manifest)) continue;
    const { sbom, digest } = await sbomOf(factory, images, image, signal);
    const now = factory.clock.now();
    const result = scanSbom(sbom, { now, policies, ...(database === undefined ? {} : { database }) });
    const gate = decideAll(result, policies, now);
    const refusal = scanRefusal(gate);
    scanned.set(image.manifest, { sbom: digest, result, gate, ...(refusal === undefined ? {} : { refusal }) });
  }
  return scanned;
}

/** The SBOM of an image, remembered by its manifest; what is remembered is read by its digest. */
async function sbomOf(
  factory: Factory,
  images: RunImages,
  image: AdmittedImage,
  signal: AbortSignal,
): Promise<{ readonly sbom: Sbom; readonly digest: Digest }> {
  const directory = join(factory.home.paths.cache, "sboms");
  const note = join(directory, `${digestHex(image.manifest)}-${productVersion}`);
  const known = await remembered(factory, note);
  if (known !== undefined) return known;
  const rootfs = images.unpacked.get(image.manifest);
  const tree =
    rootfs === undefined ? await imageTree(image.reader, image.manifest) : openDirectoryTree(rootfs.directory);
  const sbom = await catalogueTree({
    tree,
    subject: { kind: "image", name: imageReferenceText(image.wanted.reference), digest: image.manifest },
    signal,
  });
  const { digest } = await factory.content.put(writeSbom(sbom, "touchmark-json").bytes);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileAtomically(note, digest, { durable: false });
  return { sbom, digest };
}

async function remembered(factory: Factory, note: string): Promise<{ sbom: Sbom; digest: Digest } | undefined> {
  let digest: string;
  try {
    digest = readFileSync(note, "utf8");
  } catch {
    return undefined;
  }
  if (!isDigest(digest) || !(await factory.content.use(digest))) return undefined;
  return { sbom: readSbom(await factory.content.get(digest), { name: "remembered SBOM" }).sbom, digest };
}
