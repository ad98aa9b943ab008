import { canonicalJson, type Digest, isDigest, parseJson } from "@touchmark/core";
import { rootfsErrors } from "./errors.ts";
import { type ImageFacts, isImageFacts } from "./image-facts.ts";

/** What is written down beside an unpacked image, to be found without reading the listing. */
export interface RootfsRecord {
  readonly facts: ImageFacts;
  readonly listing: Digest;
  readonly unpackedAt: string;
}

const format = "touchmark rootfs v1";
const maxBytes = 16 * 2 ** 20;

export function recordText(record: RootfsRecord): string {
  return `${canonicalJson({ format, ...record })}\n`;
}

/** @throws ROOTFS_CHANGED when it is not what was written */
export function parseRecord(bytes: Uint8Array, image: Digest): RootfsRecord {
  let found: Partial<RootfsRecord & { readonly format: string }>;
  try {
    found = parseJson(Buffer.from(bytes).toString(), { maxBytes, maxDepth: 8 }) as unknown as typeof found;
  } catch (cause) {
    throw damaged(image, cause);
  }
  const { facts, listing, unpackedAt } = found;
  const isWhole =
    found.format === format && isImageFacts(facts) && facts.image === image && typeof unpackedAt === "string";
  if (!isWhole || listing === undefined || !isDigest(listing)) throw damaged(image, undefined);
  return { facts, listing, unpackedAt };
}

function damaged(image: Digest, cause: unknown): Error {
  return rootfsErrors.make("ROOTFS_CHANGED", `expected the record of the unpacked image ${image}, found another text`, {
    cause,
  });
}
