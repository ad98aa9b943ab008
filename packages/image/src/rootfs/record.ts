import { canonicalJson, type Digest, isDigest, type Json, parseJson } from "@touchmark/core";
import type { ContainerConfig, Platform } from "@touchmark/formats/oci";
import { rootfsErrors } from "./errors.ts";

/** What is written down beside an unpacked image. It appears last: its presence says that the image is whole. */
export interface RootfsRecord {
  readonly image: Digest;
  readonly platform: Platform;
  readonly listing: Digest;
  readonly files: number;
  readonly bytes: number;
  readonly unpackedAt: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDirectory?: string;
}

const format = "touchmark rootfs v1";
const maxBytes = 4 * 2 ** 20;

export function recordText(record: RootfsRecord): string {
  return `${canonicalJson({ format, ...record } as unknown as Json)}\n`;
}

/** @throws ROOTFS_CHANGED when it is not what was written */
export function parseRecord(bytes: Uint8Array, image: Digest): RootfsRecord {
  try {
    const found = parseJson(Buffer.from(bytes).toString(), { maxBytes, maxDepth: 8 }) as unknown as RootfsRecord & {
      format: string;
    };
    const { format: written, ...record } = found;
    const isWhole =
      written === format &&
      record.image === image &&
      isDigest(record.listing) &&
      Number.isSafeInteger(record.bytes) &&
      Number.isSafeInteger(record.files) &&
      typeof record.platform === "object" &&
      typeof record.environment === "object";
    if (isWhole) return record;
  } catch (cause) {
    throw damaged(image, cause);
  }
  throw damaged(image, undefined);
}

function damaged(image: Digest, cause: unknown): Error {
  return rootfsErrors.make("ROOTFS_CHANGED", `expected the record of the unpacked image ${image}, found another text`, {
    cause,
  });
}

/** Variables of an image's configuration; of two with one name the last counts. */
export function environmentOf(config: ContainerConfig | undefined): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of config?.Env ?? []) {
    const equals = line.indexOf("=");
    if (equals > 0) variables[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return variables;
}
