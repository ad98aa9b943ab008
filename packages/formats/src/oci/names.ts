import { type Digest, isDigest } from "@touchmark/core";
import { ociErrors } from "./errors.ts";

const namePart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagShape = /^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/;
/** Longest name of a repository: what clients take, less the host, which the registry cannot know. */
const longestName = 255;
const longestTag = 128;

const shown = (text: string): string => JSON.stringify(text.slice(0, 80));

/** True for a repository name of distribution-spec 1.1, of at most 255 characters. */
export function isRepositoryName(name: string): boolean {
  return name.length <= longestName && name.split("/").every((part) => namePart.test(part));
}

/**
 * Reads a repository name (distribution-spec 1.1, "Pulling manifests").
 * @throws OCI_NAME_EMPTY | OCI_NAME_TOO_LONG | OCI_NAME_TRAVERSAL | OCI_NAME_UPPERCASE | OCI_NAME_CHARACTER | OCI_NAME_SEPARATOR
 */
export function checkRepositoryName(name: string): string {
  if (name.length > longestName) {
    throw ociErrors.make("OCI_NAME_TOO_LONG", `expected at most ${longestName} characters, found ${name.length}`);
  }
  const parts = name.split("/");
  if (parts.includes("")) throw ociErrors.make("OCI_NAME_EMPTY", `expected a name without empty parts: ${shown(name)}`);
  if (parts.includes(".") || parts.includes("..")) {
    throw ociErrors.make("OCI_NAME_TRAVERSAL", `expected no part . or .. in ${shown(name)}`);
  }
  if (/[A-Z]/.test(name)) throw ociErrors.make("OCI_NAME_UPPERCASE", `expected lower case, found ${shown(name)}`);
  if (!/^[a-z0-9._/-]+$/.test(name)) {
    throw ociErrors.make("OCI_NAME_CHARACTER", `expected only a-z, 0-9, ".", "_", "-" and "/" in ${shown(name)}`);
  }
  if (!parts.every((part) => namePart.test(part))) {
    throw ociErrors.make("OCI_NAME_SEPARATOR", `expected single separators between letters or digits: ${shown(name)}`);
  }
  return name;
}

/** True for a tag of distribution-spec 1.1 that cannot be taken for a digest. */
export function isTag(text: string): boolean {
  return text.length <= longestTag && tagShape.test(text) && !looksLikeDigest(text);
}

/** @throws OCI_TAG_INVALID | OCI_TAG_TOO_LONG | OCI_TAG_LIKE_DIGEST */
export function checkTag(text: string): string {
  if (looksLikeDigest(text)) {
    throw ociErrors.make("OCI_TAG_LIKE_DIGEST", `expected a tag that is not spelled like a digest: ${shown(text)}`);
  }
  if (!tagShape.test(text)) throw ociErrors.make("OCI_TAG_INVALID", `expected a tag, found ${shown(text)}`);
  if (text.length > longestTag) {
    throw ociErrors.make("OCI_TAG_TOO_LONG", `expected at most ${longestTag} characters, found ${text.length}`);
  }
  return text;
}

/** `sha256-DIGITS` is none: the tag schema of distribution-spec 1.1 has it, for registries without referrers. */
function looksLikeDigest(text: string): boolean {
  return /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128}|sha(?:256|384|512):.*)$/.test(text);
}

/**
 * Reads a digest (image-spec 1.1, "Digests").
 * @throws OCI_DIGEST_MALFORMED | OCI_DIGEST_UNSUPPORTED for other algorithms than sha256, such as sha512
 */
export function readDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const algorithm = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):[a-zA-Z0-9=_-]+$/.exec(text.slice(0, 300))?.[1];
  if (algorithm !== undefined && algorithm !== "sha256") {
    throw ociErrors.make("OCI_DIGEST_UNSUPPORTED", `expected a digest by sha256, found one by ${algorithm}`);
  }
  throw ociErrors.make("OCI_DIGEST_MALFORMED", `expected sha256:<64 hexadecimal digits>, found ${shown(text)}`);
}

/** The last part of a manifest's address: a digest when it has a colon, a tag otherwise. @throws as readDigest and checkTag */
export function readManifestReference(text: string): { readonly digest: Digest } | { readonly tag: string } {
  return text.includes(":") ? { digest: readDigest(text) } : { tag: checkTag(text) };
}
