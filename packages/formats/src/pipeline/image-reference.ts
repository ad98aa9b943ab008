import type { Digest } from "@touchmark/core";
import { isFactoryError } from "@touchmark/core";
import { parseRegistryReference } from "../oci/index.ts";

/** An image as a pipeline names it: in a registry, or in the registry of this factory's own home. */
export interface ImageReference {
  /** Host and port; undefined for the factory's own. */
  readonly registry?: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const own = "factory:";
/** A registry that cannot be (RFC 2606), so that one reader serves both spellings. */
const noRegistry = "factory.invalid/";

/** Reads `factory:NAME[:TAG][@DIGEST]` or `HOST[:PORT]/NAME[:TAG][@DIGEST]`. @throws OCI_REFERENCE_* */
export function parseImageReference(text: string): ImageReference {
  if (!text.startsWith(own)) return parseRegistryReference(text);
  const { registry: _, ...rest } = parseRegistryReference(noRegistry + text.slice(own.length));
  return rest;
}

/** The text of a reference. */
export function imageReferenceText({ registry, repository, tag, digest }: ImageReference): string {
  const place = registry === undefined ? `${own}${repository}` : `${registry}/${repository}`;
  return `${place}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Why a text is no reference; undefined when it is one. */
export function imageReferenceFault(text: string): string | undefined {
  try {
    parseImageReference(text);
    return undefined;
  } catch (error) {
    if (isFactoryError(error)) return `${error.message} (write HOST/NAME@DIGEST, or factory:NAME)`;
    throw error;
  }
}
