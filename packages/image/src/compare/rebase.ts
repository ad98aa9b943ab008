import type { Digest } from "@touchmark/core";
import { annotationKeys, type OciReader, type Platform, platformText } from "@touchmark/formats/oci";
import { type ImageDocuments, readImage } from "../assemble/image-base.ts";

/** What an image says of the base that it stands on. */
export interface RecordedBase {
  readonly name?: string;
  readonly digest?: string;
}

/** Whether an image could be put on a newer base. */
export interface RebaseCheck {
  /** The base that was followed is still what the image stands on. */
  readonly isCurrent: boolean;
  readonly isPossible: boolean;
  /** Why not, or what to know before; a sentence each. */
  readonly reasons: readonly string[];
  /** Digest of the base's manifest as it is now. */
  readonly newBase: Digest;
  /** How many of the image's layers are the base's; absent: none could be told. */
  readonly baseLayers?: number;
  readonly ownLayers?: number;
}

/** What the manifest's annotations, or else the labels, say of the base (image-spec 1.1, annotations.md). */
export function recordedBase({ manifest, config }: Pick<ImageDocuments, "manifest" | "config">): RecordedBase {
  const find = (key: string): string | undefined => manifest.annotations?.[key] ?? config.config?.Labels?.[key];
  const [name, digest] = [find(annotationKeys.baseName), find(annotationKeys.baseDigest)];
  return { ...(name === undefined ? {} : { name }), ...(digest === undefined ? {} : { digest }) };
}

/**
 * Compares an image with the base that it was built on and with what that base is now. Possible: the old base's layers lie
 * at the bottom of the image, and the new base is for the same platform.
 * @param bases.old the base by the digest that was recorded; undefined when it is gone
 */
export async function checkRebase(
  image: ImageDocuments,
  bases: {
    readonly recorded: RecordedBase;
    readonly old: ImageDocuments | undefined;
    readonly now: ImageDocuments;
    /** What the base's name means now: digest of an index, or of `now`. */
    readonly nowDigest: Digest;
  },
): Promise<RebaseCheck> {
  const { recorded, old, now, nowDigest } = bases;
  const newBase = now.descriptor.digest;
  const isCurrent = recorded.digest === nowDigest || recorded.digest === newBase || old?.descriptor.digest === newBase;
  const reasons: string[] = [];
  const platforms = [platformText(image.config), platformText(now.config)];
  if (platforms[0] !== platforms[1]) reasons.push(`the image is for ${platforms[0]}, the base now for ${platforms[1]}`);
  if (recorded.digest === undefined) reasons.push("the image does not say which base it stands on");
  else if (old === undefined)
    reasons.push(`the base that it stands on, ${recorded.digest}, is no longer there to compare with`);
  const ids = image.config.rootfs.diff_ids;
  const below = old?.config.rootfs.diff_ids ?? [];
  const isPrefix = old !== undefined && below.length <= ids.length && below.every((id, i) => ids[i] === id);
  if (old !== undefined && !isPrefix)
    reasons.push("its lowest layers are not those of the base: they were squashed, or the label is wrong");
  const isPossible = reasons.length === 0;
  const changed = old === undefined ? [] : changedConfig(old, now);
  if (isPossible && changed.length > 0) reasons.push(`the base's configuration changed: ${changed.join(", ")}`);
  return {
    ...{ isCurrent, isPossible, reasons, newBase },
    ...(isPrefix ? { baseLayers: below.length, ownLayers: ids.length - below.length } : {}),
  };
}

/** Reads the base that an image records, for its platform; undefined when it is not there. */
export async function findRecordedBase(
  reader: OciReader,
  digest: string | undefined,
  platform: Platform,
): Promise<ImageDocuments | undefined> {
  if (digest === undefined) return undefined;
  try {
    return await readImage(reader, digest, platform);
  } catch {
    // Gone, or not what it was: there is nothing to compare with, which the check says.
    return undefined;
  }
}

function changedConfig(old: ImageDocuments, now: ImageDocuments): string[] {
  const names = ["User", "Env", "Entrypoint", "Cmd", "WorkingDir"] as const;
  const [a, b] = [old.config.config ?? {}, now.config.config ?? {}];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}
