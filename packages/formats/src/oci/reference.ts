import type { Digest } from "@touchmark/core";
import { ociErrors } from "./errors.ts";
import { checkRepositoryName, checkTag, readDigest } from "./names.ts";
import type { RegistryReference } from "./types.ts";

const label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const host = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:.]{2,45}\\])(?::([0-9]{1,5}))?$`);

/**
 * Reads `HOST[:PORT]/NAME[:TAG][@DIGEST]`. No registry is the default one, and no tag either.
 * @throws OCI_REFERENCE_MALFORMED | OCI_REFERENCE_REGISTRY | OCI_NAME_* | OCI_TAG_* | OCI_DIGEST_*
 */
export function parseRegistryReference(text: string): RegistryReference {
  if (text.length > 1024) {
    throw ociErrors.make("OCI_REFERENCE_MALFORMED", `expected at most 1024 characters, found ${text.length}`);
  }
  const slash = text.indexOf("/");
  if (slash < 0 || text.includes("://")) {
    throw ociErrors.make("OCI_REFERENCE_MALFORMED", `expected HOST/NAME without a scheme: ${JSON.stringify(text)}`);
  }
  const registry = checkRegistry(text.slice(0, slash));
  const [named, digestText, ...rest] = text.slice(slash + 1).split("@");
  if (named === undefined || rest.length > 0) {
    throw ociErrors.make("OCI_REFERENCE_MALFORMED", `expected one @DIGEST, found ${JSON.stringify(text)}`);
  }
  const colon = named.indexOf(":");
  const repository = checkRepositoryName(colon < 0 ? named : named.slice(0, colon));
  const parts: { tag?: string; digest?: Digest } = {};
  if (colon >= 0) parts.tag = checkTag(named.slice(colon + 1));
  if (digestText !== undefined) parts.digest = readDigest(digestText);
  return { registry, repository, ...parts };
}

/** The text of a reference; reading it gives the same reference. */
export function registryReferenceText(reference: RegistryReference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** A first part is a host when it has a dot or a port, or is `localhost`; otherwise it is the start of a name without registry. */
function checkRegistry(text: string): string {
  const found = host.exec(text);
  const isHost = found !== null && (/[.:]/.test(text) || text === "localhost");
  const port = found?.[1] === undefined ? 443 : Number(found[1]);
  if (!isHost || text.length > 255 || port < 1 || port > 65_535) {
    throw ociErrors.make("OCI_REFERENCE_REGISTRY", `expected HOST[:PORT]/, found ${JSON.stringify(text.slice(0, 80))}`);
  }
  return text;
}
