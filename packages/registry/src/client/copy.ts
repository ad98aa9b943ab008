import { type Digest, equalBytes, isFactoryError } from "@touchmark/core";
import {
  type Descriptor,
  type FoundManifest,
  manifestKind,
  type OciReader,
  type OciWriter,
} from "@touchmark/formats/oci";
import { blobsOf, type CopyPlan, type CopySubject, planCopy, type SkippedReferrer } from "./copy-plan.ts";
import { transferErrors } from "./errors.ts";
import { inParallel } from "./parallel.ts";
import { isRegistryRepository } from "./repository.ts";
import { mayPass } from "./session.ts";

/** A place that takes a copy: it is read again afterwards. */
export type CopyTarget = OciWriter & Pick<OciReader, "manifest">;

/** One copy. */
export interface CopyRequest extends CopySubject {
  readonly to: CopyTarget;
  /** Set when everything else is there; without one the copy is known by its digest alone. */
  readonly tag?: string;
  /** Asked with the plan before anything is written; throws to stop. */
  readonly beforeWriting?: (plan: CopyPlan) => Promise<void>;
  /** Done when everything is written but the tag; throws to stop. */
  readonly beforeTag?: (root: Descriptor) => Promise<void>;
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Blobs at once; default 6. */
  readonly atOnce?: number;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly done: number;
  readonly total: number;
  /** Bytes of the blobs that are there now. */
  readonly bytes: number;
}

/** What was copied. */
export interface CopyReport {
  readonly from: string;
  readonly to: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly tag?: string;
  readonly manifests: number;
  readonly referrers: number;
  /** Referrers that could not be copied, or are none. */
  readonly skipped: readonly SkippedReferrer[];
  readonly blobs: { readonly sent: number; readonly mounted: number; readonly there: number };
  /** Bytes that were sent. */
  readonly bytes: number;
  /** Platforms were left out: the digest is of a new index, which evidence about the source's does not name. */
  readonly narrowed: boolean;
}

/**
 * Copies an image, or any artifact, with what refers to it, from any place to any other. What the target has is not sent
 * again, so that a broken copy goes on where it was. Every manifest is read again at the target; the tag comes last.
 * @throws OCI_TRANSFER_… and what reader and writer throw; SPEC C14-C15
 */
export async function copyImage(request: CopyRequest): Promise<CopyReport> {
  const { from, to, tag } = request;
  const atOnce = request.atOnce ?? 6;
  const plan = await planCopy(request);
  await request.beforeWriting?.(plan);
  const blobs = { sent: 0, mounted: 0, there: 0 };
  let bytes = 0;
  let sentBytes = 0;
  const imageBlobs = blobsOf(plan.image);
  const total = imageBlobs.length + plan.image.length + plan.referrers.length;
  let done = 0;
  const step = (): void => request.onProgress?.({ done: ++done, total, bytes });
  const copyBlob = async (blob: Descriptor): Promise<void> => {
    if (await to.hasBlob(blob.digest)) blobs.there++;
    else if (await mounted(from, to, blob.digest)) blobs.mounted++;
    else {
      await to.putBlob(blob, () => from.blob(blob));
      blobs.sent++;
      sentBytes += blob.size;
    }
    bytes += blob.size;
  };
  await inParallel(imageBlobs, atOnce, async (blob) => {
    await copyBlob(blob);
    step();
  });
  // One after the other: what a manifest references must be there before it.
  for (const { found } of plan.image) {
    await putManifest(to, found);
    step();
  }
  const skipped = [...plan.skipped];
  await inParallel(plan.referrers, atOnce, async (referrer) => {
    try {
      for (const blob of blobsOf([referrer])) await copyBlob(blob);
      await putManifest(to, referrer.found);
    } catch (error) {
      // One whose content is not there, or is wrong, hinders nothing else.
      if (!isFactoryError(error) || mayPass(error)) throw error;
      skipped.push({ digest: referrer.found.descriptor.digest, code: error.code });
    }
    step();
  });
  const { descriptor, bytes: rootBytes } = plan.root;
  await request.beforeTag?.(descriptor);
  if (tag !== undefined) {
    await to.putManifest(rootBytes, descriptor.mediaType, tag);
    await readAgain(to, tag, plan.root);
  }
  return {
    from: from.name,
    to: to.name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    ...(tag === undefined ? {} : { tag }),
    manifests: plan.image.length,
    referrers: plan.referrers.length + plan.skipped.length - skipped.length,
    skipped,
    blobs,
    bytes: sentBytes,
    narrowed: plan.narrowed,
  };
}

/** Within one registry content is shown in another repository instead of being sent. */
async function mounted(from: OciReader, to: CopyTarget, digest: Digest): Promise<boolean> {
  if (!isRegistryRepository(from) || !isRegistryRepository(to) || from.registry !== to.registry) return false;
  return from.repository !== to.repository && to.mountFrom(digest, from.repository);
}

/** Puts a manifest by digest, also one that is there: a referrer's place in a list may be missing; and reads it again. */
async function putManifest(to: CopyTarget, found: FoundManifest): Promise<void> {
  await to.putManifest(found.bytes, found.descriptor.mediaType);
  await readAgain(to, found.descriptor.digest, found);
}

async function readAgain(to: CopyTarget, reference: string, expected: FoundManifest): Promise<void> {
  const { digest, mediaType } = expected.descriptor;
  const found = await to.manifest(reference);
  const isSame = found.descriptor.digest === digest && equalBytes(found.bytes, expected.bytes);
  if (isSame && manifestKind(found.descriptor.mediaType) === manifestKind(mediaType)) return;
  throw transferErrors.make(
    "OCI_TRANSFER_TARGET_DIFFERS",
    `expected ${digest} as ${reference} in ${to.name}, found ${found.descriptor.digest} (${found.descriptor.mediaType})`,
  );
}
