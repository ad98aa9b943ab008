import { type Digest, isFactoryError } from "@touchmark/core";
import {
  choosePlatform,
  type Descriptor,
  descriptorOf,
  type FoundManifest,
  type ImageIndex,
  type Manifest,
  manifestKind,
  mediaTypes,
  type OciReader,
  type Platform,
  parseManifest,
  referencedDescriptors,
  refuseForeign,
  serializeIndex,
} from "@touchmark/formats/oci";
import { transferErrors } from "./errors.ts";
import { mayPass } from "./session.ts";

/** Bounds of one copy. */
export interface CopyLimits {
  /** Manifests of the image itself. */
  readonly maxManifests: number;
  /** Referrers, those of referrers included. */
  readonly maxReferrers: number;
  /** Indexes in indexes, and referrers of referrers. */
  readonly maxDepth: number;
}

export const defaultCopyLimits: CopyLimits = { maxManifests: 2000, maxReferrers: 1000, maxDepth: 4 };

/** One manifest to copy: after everything that it references. */
export interface PlannedManifest {
  readonly found: FoundManifest;
  readonly manifest: Manifest;
}

/** A referrer that is not copied, and why: whoever may push can list what is none. */
export interface SkippedReferrer {
  readonly digest: Digest;
  readonly code: string;
}

/** What a copy consists of. */
export interface CopyPlan {
  readonly root: FoundManifest;
  /** Each once; those that others reference come first, the root last. */
  readonly image: readonly PlannedManifest[];
  /** Each once, after its subject. */
  readonly referrers: readonly PlannedManifest[];
  readonly skipped: readonly SkippedReferrer[];
  /** True when platforms were left out, and the root is an index that the source does not have. */
  readonly narrowed: boolean;
}

/** What is to be copied. */
export interface CopySubject {
  readonly from: OciReader;
  /** Tag or digest; resolved once. */
  readonly reference: string;
  readonly referrers: boolean;
  readonly platforms?: readonly Platform[];
  readonly limits?: Partial<CopyLimits>;
}

/**
 * Reads every manifest of a copy. Foreign layers are refused. @throws OCI_TRANSFER_LIMIT | OCI_FOREIGN_CONTENT |
 * OCI_PLATFORM_MISSING, and what the reader throws; SPEC C14
 */
export async function planCopy({ from, reference, referrers, platforms, limits }: CopySubject): Promise<CopyPlan> {
  const bounds = { ...defaultCopyLimits, ...limits };
  const named = await from.manifest(reference);
  const { root, narrowed } = await chosenRoot(from, named, platforms ?? []);
  const image = new Map<Digest, PlannedManifest>();
  const take = async (found: FoundManifest, depth: number): Promise<void> => {
    const { digest, mediaType } = found.descriptor;
    if (image.has(digest)) return;
    if (depth > bounds.maxDepth) throw beyond(`a depth of at most ${bounds.maxDepth}`, reference);
    const manifest = parseManifest(found.bytes, { mediaType });
    refuseForeign(manifest);
    for (const child of manifest.kind === "index" ? manifest.manifests.filter(isManifest) : []) {
      await take(await exactly(from, child), depth + 1);
    }
    if (image.size === bounds.maxManifests) throw beyond(`at most ${bounds.maxManifests} manifests`, reference);
    image.set(digest, { found, manifest });
  };
  await take(root, 0);
  const found = referrers
    ? await planReferrers(from, [...image.keys()], bounds, reference)
    : { referrers: [], skipped: [] };
  return { root, image: [...image.values()], ...found, narrowed };
}

const beyond = (expected: string, reference: string) =>
  transferErrors.make("OCI_TRANSFER_LIMIT", `expected ${expected} of ${reference}, found more`);

/** Referrers of manifests, and theirs. One that cannot be read, or refers to something else, is passed over and named. */
async function planReferrers(
  from: OciReader,
  image: readonly Digest[],
  bounds: CopyLimits,
  reference: string,
): Promise<Pick<CopyPlan, "referrers" | "skipped">> {
  const planned = new Map<Digest, PlannedManifest>();
  const skipped = new Map<Digest, SkippedReferrer>();
  const known = new Set<Digest>(image);
  let subjects = image;
  for (let depth = 1; subjects.length > 0 && depth <= bounds.maxDepth; depth++) {
    const next: Digest[] = [];
    for (const subject of subjects) {
      for await (const listed of from.referrers(subject)) {
        if (known.has(listed.digest)) continue;
        known.add(listed.digest);
        if (planned.size + skipped.size === bounds.maxReferrers) {
          throw beyond(`at most ${bounds.maxReferrers} referrers`, reference);
        }
        const taken = await readReferrer(from, listed, subject);
        if ("code" in taken) skipped.set(listed.digest, taken);
        else {
          planned.set(listed.digest, taken);
          next.push(listed.digest);
        }
      }
    }
    subjects = next;
  }
  return { referrers: [...planned.values()], skipped: [...skipped.values()] };
}

async function readReferrer(
  from: OciReader,
  listed: Descriptor,
  subject: Digest,
): Promise<PlannedManifest | SkippedReferrer> {
  try {
    const found = await exactly(from, listed);
    const manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
    refuseForeign(manifest);
    // An index of others would bring in what nobody listed.
    const isIndex = manifest.kind === "index" && manifest.manifests.length > 0;
    if (isIndex || manifest.subject?.digest !== subject)
      return { digest: listed.digest, code: "OCI_TRANSFER_NO_REFERRER" };
    return { found, manifest };
  } catch (error) {
    if (!isFactoryError(error) || mayPass(error)) throw error;
    return { digest: listed.digest, code: error.code };
  }
}

const isManifest = ({ mediaType }: Descriptor): boolean => manifestKind(mediaType) !== undefined;

/** The manifest that a descriptor names, in its size too. */
async function exactly(from: OciReader, { digest, size, mediaType }: Descriptor): Promise<FoundManifest> {
  const found = await from.manifest(digest);
  if (found.bytes.length === size) return { ...found, descriptor: { ...found.descriptor, mediaType } };
  throw transferErrors.make(
    "OCI_TRANSFER_SOURCE_CHANGED",
    `expected ${size} bytes of ${digest} in ${from.name}, found ${found.bytes.length}`,
  );
}

/** The whole image; of one platform its manifest; of several an index of those, which is a new one. */
async function chosenRoot(
  from: OciReader,
  named: FoundManifest,
  platforms: readonly Platform[],
): Promise<{ root: FoundManifest; narrowed: boolean }> {
  const manifest = parseManifest(named.bytes, { mediaType: named.descriptor.mediaType });
  if (platforms.length === 0 || manifest.kind === "manifest") return { root: named, narrowed: false };
  const chosen = [...new Set(platforms.map((platform) => choosePlatform(manifest, platform)))];
  const [only] = chosen;
  if (only !== undefined && chosen.length === 1) return { root: await exactly(from, only), narrowed: false };
  if (chosen.length === manifest.manifests.length) return { root: named, narrowed: false };
  const index: ImageIndex = { ...manifest, mediaType: mediaTypes.index, manifests: chosen };
  const bytes = serializeIndex(index);
  return { root: { descriptor: descriptorOf(bytes, mediaTypes.index), bytes }, narrowed: true };
}

/** Everything that manifests reference and that is none itself, each once. */
export function blobsOf(planned: readonly PlannedManifest[]): Descriptor[] {
  const found = new Map<Digest, Descriptor>();
  for (const { manifest } of planned) {
    for (const descriptor of referencedDescriptors(manifest)) {
      if (manifest.kind === "manifest" || !isManifest(descriptor)) found.set(descriptor.digest, descriptor);
    }
  }
  return [...found.values()];
}
