import { registryBackendErrors } from "../errors.ts";
import type { ListedObject } from "./object-storage.ts";

/** One page of a list. */
export interface ListPage {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  /** Token of the next page. */
  readonly next: string | undefined;
}

/** Reads an answer to ListObjectsV2. Only what is asked for is looked at; keys are the registry's own. */
export function parseList(bytes: Uint8Array): ListPage {
  const text = Buffer.from(bytes).toString();
  if (!text.includes("<ListBucketResult")) throw malformed("a list of objects");
  const objects = [...text.matchAll(/<Contents>([^]*?)<\/Contents>/g)].map(([, inner = ""]) => ({
    key: unescape(required(inner, "Key")),
    size: Number(required(inner, "Size")),
    modifiedAt: Date.parse(required(inner, "LastModified")),
  }));
  const prefixes = [...text.matchAll(/<CommonPrefixes>([^]*?)<\/CommonPrefixes>/g)].map(([, inner = ""]) =>
    unescape(required(inner, "Prefix")),
  );
  if (objects.some(({ size, modifiedAt }) => !Number.isSafeInteger(size) || !Number.isFinite(modifiedAt))) {
    throw malformed("sizes and times of objects");
  }
  const isCut = /<IsTruncated>true<\/IsTruncated>/.test(text);
  return { objects, prefixes, next: isCut ? unescape(required(text, "NextContinuationToken")) : undefined };
}

/** An upload in parts that nobody has completed. */
export interface UnfinishedParts {
  readonly key: string;
  readonly upload: string;
  /** Milliseconds, by the storage's clock. */
  readonly beganAt: number;
}

/** Reads an answer to ListMultipartUploads. */
export function parseUploads(bytes: Uint8Array): {
  readonly uploads: readonly UnfinishedParts[];
  readonly next: Readonly<Record<string, string>> | undefined;
} {
  const text = Buffer.from(bytes).toString();
  if (!text.includes("<ListMultipartUploadsResult")) throw malformed("a list of uploads");
  const uploads = [...text.matchAll(/<Upload>([^]*?)<\/Upload>/g)].map(([, inner = ""]) => ({
    key: unescape(required(inner, "Key")),
    upload: unescape(required(inner, "UploadId")),
    beganAt: Date.parse(required(inner, "Initiated")),
  }));
  if (!/<IsTruncated>true<\/IsTruncated>/.test(text)) return { uploads, next: undefined };
  const next = {
    "key-marker": unescape(required(text, "NextKeyMarker")),
    "upload-id-marker": unescape(required(text, "NextUploadIdMarker")),
  };
  return { uploads, next };
}

/** Text of the one element of that name. */
export function parseTag(bytes: Uint8Array, name: string): string {
  return unescape(required(Buffer.from(bytes).toString(), name));
}

function required(text: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]{1,4096})</${name}>`).exec(text)?.[1];
  if (found === undefined) throw malformed(`an element ${name}`);
  return found;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

function malformed(expected: string): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_STORAGE_REFUSED",
    `expected ${expected} from the object storage, found an answer without`,
  );
}
