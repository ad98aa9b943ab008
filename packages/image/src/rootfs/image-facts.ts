import { type Digest, isDigest } from "@touchmark/core";
import type { ImageConfig, Platform } from "@touchmark/formats/oci";
import type { TreeListing } from "../unpack/tree-listing.ts";

/** What is known of an unpacked image beside its entries. It stands in the listing, whose digest covers it. */
export interface ImageFacts {
  readonly image: Digest;
  readonly platform: Platform;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly files: number;
  readonly bytes: number;
}

export function imageFacts(image: Digest, config: ImageConfig, { files, bytes }: TreeListing): ImageFacts {
  const { architecture, os, variant } = config;
  const { User, WorkingDir } = config.config ?? {};
  return {
    image,
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    environment: environmentOf(config.config?.Env ?? []),
    ...(User === undefined || User === "" ? {} : { user: User }),
    ...(WorkingDir === undefined || WorkingDir === "" ? {} : { workingDirectory: WorkingDir }),
    files,
    bytes,
  };
}

/** True for what `imageFacts` makes, as far as a reader relies on it. */
export function isImageFacts(value: unknown): value is ImageFacts {
  if (typeof value !== "object" || value === null) return false;
  const { image, platform, environment, files, bytes } = value as Record<string, unknown>;
  return (
    typeof image === "string" &&
    isDigest(image) &&
    typeof platform === "object" &&
    typeof environment === "object" &&
    Number.isSafeInteger(files) &&
    Number.isSafeInteger(bytes)
  );
}

/** Variables of a configuration; of two with one name the last counts. */
function environmentOf(lines: readonly string[]): Record<string, string> {
  const variables = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return Object.fromEntries(variables);
}
