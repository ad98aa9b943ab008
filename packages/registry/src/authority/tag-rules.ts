import type { Digest } from "@touchmark/core";
import type { PromotionProof, TagRules } from "../authority.ts";
import type { RegistryBackend } from "../backend.ts";
import type { RegistryConfiguration } from "../configuration/configuration.ts";
import { fitsRules } from "../configuration/pattern.ts";
import { registryErrors } from "../errors.ts";
import { registryAuthorityErrors } from "./errors.ts";

/** Without a verifier nothing is proven. */
const nothingProven: PromotionProof = { missing: async () => "this registry has nobody who verifies decisions" };

/** The rules of a configuration about tags (SPEC A12). */
export function configuredTagRules(
  configuration: () => RegistryConfiguration,
  proof: PromotionProof = nothingProven,
): TagRules {
  return {
    async judge(repository, tag, digest) {
      const { immutable, promotionOnly } = configuration().tags;
      if (fitsRules(promotionOnly, repository, tag)) {
        const missing = await proof.missing(repository, tag, digest);
        if (missing !== undefined) {
          throw registryAuthorityErrors.make(
            "REGISTRY_PROMOTION_REFUSED",
            `expected a decision that lets ${repository}:${tag} be ${digest}, found none: ${missing}`,
          );
        }
      }
      return { immutable: fitsRules(immutable, repository, tag) };
    },
  };
}

const TAGS_AT_ONCE = 1000;

/**
 * The same backend, in which protected tags are not deleted either: not by name, and not with the manifest that they
 * point to. A tag that is gone could be set to anything.
 */
export function withProtectedTags(
  backend: RegistryBackend,
  configuration: () => RegistryConfiguration,
): RegistryBackend {
  const isProtected = (repository: string, tag: string): boolean => {
    const { immutable, promotionOnly } = configuration().tags;
    return fitsRules(immutable, repository, tag) || fitsRules(promotionOnly, repository, tag);
  };
  const refuse = (repository: string, tag: string): never => {
    throw registryErrors.make("REGISTRY_TAG_IMMUTABLE", `expected ${repository}:${tag} to stay, found its deletion`, {
      hint: "Its repository does not let this tag go; registry.yaml says so.",
    });
  };
  return {
    ...ports(backend),
    tags: {
      resolve: (repository, tag) => backend.tags.resolve(repository, tag),
      set: (repository, tag, digest, immutable) => backend.tags.set(repository, tag, digest, immutable),
      list: (repository, page) => backend.tags.list(repository, page),
      delete: async (repository, tag) => {
        // One that is not there is said to be absent, as for every other tag.
        if (isProtected(repository, tag) && (await backend.tags.resolve(repository, tag)) !== undefined) {
          refuse(repository, tag);
        }
        return backend.tags.delete(repository, tag);
      },
    },
    manifests: {
      get: (repository, digest) => backend.manifests.get(repository, digest),
      put: (repository, manifest, tag) => backend.manifests.put(repository, manifest, tag),
      referrers: (repository, subject, options) => backend.manifests.referrers(repository, subject, options),
      delete: async (repository, digest) => {
        const { immutable, promotionOnly } = configuration().tags;
        const hasRules = immutable.length + promotionOnly.length > 0;
        const tag = hasRules ? await protectedTagOf(backend, repository, digest, isProtected) : undefined;
        if (tag !== undefined) refuse(repository, tag);
        return backend.manifests.delete(repository, digest);
      },
    },
  };
}

async function protectedTagOf(
  backend: RegistryBackend,
  repository: string,
  digest: Digest,
  isProtected: (repository: string, tag: string) => boolean,
): Promise<string | undefined> {
  for (let after: string | undefined; ; ) {
    const page = { ...(after === undefined ? {} : { after }), limit: TAGS_AT_ONCE };
    const tags = (await backend.tags.list(repository, page)) ?? [];
    for (const tag of tags) {
      if (isProtected(repository, tag) && (await backend.tags.resolve(repository, tag)) === digest) return tag;
    }
    if (tags.length < TAGS_AT_ONCE) return undefined;
    after = tags.at(-1);
  }
}

/** The ports of a backend, for one that changes some of them. */
export function ports(backend: RegistryBackend): RegistryBackend {
  const { kind, blobs, uploads, manifests, tags } = backend;
  return {
    ...{ kind, blobs, uploads, manifests, tags },
    repositories: (page) => backend.repositories(page),
    close: () => backend.close(),
  };
}
