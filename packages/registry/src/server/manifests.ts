import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { checkTag, readManifestReference } from "@touchmark/formats/oci";
import { registryErrors } from "../errors.ts";
import { answerBytes, answerEmpty, digestFields, isKnownToClient, locationOf } from "./answer.ts";
import { wholeBody } from "./body.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { KeptManifest } from "./manifest-cache.ts";
import { acceptedManifest } from "./pushed-manifest.ts";

/** GET and HEAD of a manifest. What is there is sent as it is, whatever the client says that it accepts. */
export async function readManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const named = soughtReference(repository, reference);
  const isTagged = "tag" in named;
  const digest = isTagged ? await exchange.service.backend.tags.resolve(repository, named.tag) : named.digest;
  const found = digest === undefined ? undefined : await verifiedManifest(exchange, repository, digest);
  if (digest === undefined || found === undefined) throw unknownManifest(repository, reference);
  const fields = digestFields(digest, isTagged);
  if (isKnownToClient(exchange, digest)) answerEmpty(exchange, 304, fields);
  else {
    fields.push("Content-Type", found.mediaType);
    await answerBytes(exchange, 200, fields, found.bytes);
  }
}

/** A manifest from memory, or from the backend and then verified again. @throws REGISTRY_CONTENT_CORRUPT */
async function verifiedManifest(
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<KeptManifest | undefined> {
  const { cache, backend, clock } = exchange.service;
  const kept = cache.get(repository, digest, clock.now().getTime());
  if (kept !== undefined) return kept;
  const found = await backend.manifests.get(repository, digest);
  if (found === undefined) return undefined;
  if (sha256(found.bytes) !== digest) {
    throw registryErrors.make("REGISTRY_CONTENT_CORRUPT", `the manifest ${digest} has other bytes`);
  }
  cache.put(repository, digest, found, clock.now().getTime());
  return found;
}

/** What nobody could have pushed is not there; a digest by another algorithm than ours neither. */
function soughtReference(
  repository: string,
  reference: string,
): { readonly digest: Digest } | { readonly tag: string } {
  try {
    return readManifestReference(reference);
  } catch (cause) {
    if (isFactoryError(cause) && cause.code !== "OCI_DIGEST_MALFORMED") throw unknownManifest(repository, reference);
    throw cause;
  }
}

/** PUT of a manifest, by tag or digest (distribution-spec 1.1, "Pushing Manifests"). */
export async function pushManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { service, request } = exchange;
  const named = readManifestReference(reference);
  const bytes = await wholeBody(exchange, service.limits.manifestBytes);
  const digest = sha256(bytes);
  if ("digest" in named && named.digest !== digest) {
    throw registryErrors.make("REGISTRY_DIGEST_MISMATCH", `expected content of ${named.digest}, found ${digest}`);
  }
  const { stored } = await acceptedManifest(service.backend, repository, bytes, request.headers["content-type"]);
  const tag =
    "tag" in named ? { name: named.tag, ...(await service.tagRules.judge(repository, named.tag, digest)) } : undefined;
  await service.backend.manifests.put(repository, stored, tag);
  const fields = [...locationOf(exchange, `${repository}/manifests/${digest}`), "Docker-Content-Digest", digest];
  if (stored.subject !== undefined) fields.push("OCI-Subject", stored.subject);
  answerEmpty(exchange, 201, fields);
}

/** DELETE of a tag, or of a manifest with all its tags (distribution-spec 1.1, "Content Management"). */
export async function deleteManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const named = soughtReference(repository, reference);
  const isGone =
    "tag" in named ? deleteTag(exchange, repository, named.tag) : deleteDigest(exchange, repository, named.digest);
  if (!(await isGone)) throw unknownManifest(repository, reference);
  answerEmpty(exchange, 202, []);
}

async function deleteTag(exchange: Exchange, repository: string, tag: string): Promise<boolean> {
  const { backend } = exchange.service;
  const digest = await backend.tags.resolve(repository, checkTag(tag));
  if (digest === undefined) return false;
  await refuseImmutable(exchange, repository, tag, digest);
  return backend.tags.delete(repository, tag);
}

async function deleteDigest(exchange: Exchange, repository: string, digest: Digest): Promise<boolean> {
  const { backend, cache } = exchange.service;
  for (let after: string | undefined; ; ) {
    const page = { limit: 1000, ...(after === undefined ? {} : { after }) };
    const tags = (await backend.tags.list(repository, page)) ?? [];
    for (const tag of tags) {
      if ((await backend.tags.resolve(repository, tag)) === digest) {
        await refuseImmutable(exchange, repository, tag, digest);
      }
    }
    after = tags.at(-1);
    if (tags.length < page.limit) break;
  }
  const isGone = await backend.manifests.delete(repository, digest);
  cache.delete(repository, digest);
  return isGone;
}

/** A tag that may not move may not be deleted and set again either. */
async function refuseImmutable(exchange: Exchange, repository: string, tag: string, digest: Digest): Promise<void> {
  const { immutable } = await exchange.service.tagRules.judge(repository, tag, digest);
  if (immutable) throw registryErrors.make("REGISTRY_TAG_IMMUTABLE", `${repository}:${tag} is immutable`);
}

function unknownManifest(repository: string, reference: string): Error {
  return registryServerErrors.make(
    "REGISTRY_MANIFEST_UNKNOWN",
    `${repository} has no manifest ${JSON.stringify(reference.slice(0, 150))}`,
  );
}
