import { type Digest, isDigest } from "@touchmark/core";
import type { Descriptor, FoundManifest, OciReader, OciWriter } from "@touchmark/formats/oci";
import type { TagRules } from "./authority.ts";
import type { RegistryBackend } from "./backend.ts";
import { registryErrors } from "./errors.ts";
import { storedManifest } from "./stored-manifest.ts";

const referrersAtOnce = 100;
const tagsAtOnce = 1000;

/**
 * One repository of a backend, without a server between: what a factory reads and writes in its own registry. The caller
 * is trusted with it; what comes from elsewhere is verified by the backend all the same, and tags have the rules that are
 * given (SPEC L).
 */
export function localRepository(
  backend: RegistryBackend,
  repository: string,
  name: string,
  rules?: TagRules,
): OciReader & OciWriter {
  return {
    name,
    async manifest(reference): Promise<FoundManifest> {
      const digest = isDigest(reference) ? reference : await backend.tags.resolve(repository, reference);
      const found = digest === undefined ? undefined : await backend.manifests.get(repository, digest);
      if (digest === undefined || found === undefined) throw missing(name, reference);
      const { mediaType, bytes } = found;
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },
    async *blob(descriptor: Descriptor) {
      const found = await backend.blobs.open(repository, descriptor.digest);
      if (found === undefined) throw missing(name, descriptor.digest);
      if (found.size !== descriptor.size) {
        throw registryErrors.make(
          "REGISTRY_CONTENT_CORRUPT",
          `expected ${descriptor.size} bytes of ${descriptor.digest}, found ${found.size}`,
        );
      }
      yield* found.stream();
    },
    async *referrers(subject: Digest, options = {}) {
      let after: Digest | undefined;
      for (;;) {
        const page = await backend.manifests.referrers(repository, subject, {
          ...options,
          ...(after === undefined ? {} : { after }),
          limit: referrersAtOnce,
        });
        yield* page;
        after = page.at(-1)?.digest;
        if (page.length < referrersAtOnce) return;
      }
    },
    async *tags() {
      let after: string | undefined;
      for (;;) {
        const page = { ...(after === undefined ? {} : { after }), limit: tagsAtOnce };
        const tags = (await backend.tags.list(repository, page)) ?? [];
        yield* tags;
        after = tags.at(-1);
        if (tags.length < tagsAtOnce) return;
      }
    },
    async hasBlob(digest) {
      return (await backend.blobs.open(repository, digest)) !== undefined;
    },
    async putBlob(descriptor, open) {
      await backend.uploads.put(repository, descriptor.digest, descriptor.size, open());
    },
    async putManifest(bytes, mediaType, tag) {
      const { stored } = storedManifest(bytes, mediaType);
      for (const digest of stored.references) {
        const isThere =
          (await backend.blobs.open(repository, digest)) ?? (await backend.manifests.get(repository, digest));
        if (isThere === undefined) {
          throw registryErrors.make(
            "REGISTRY_REFERENCE_MISSING",
            `${name}: a manifest needs ${digest}, which is not there`,
          );
        }
      }
      const { immutable } = (tag === undefined ? undefined : await rules?.judge(repository, tag, stored.digest)) ?? {
        immutable: false,
      };
      await backend.manifests.put(repository, stored, tag === undefined ? undefined : { name: tag, immutable });
      return { mediaType, digest: stored.digest, size: bytes.length };
    },
  };
}

function missing(name: string, reference: string): Error {
  return registryErrors.make("REGISTRY_CONTENT_MISSING", `${name} has no ${reference}`);
}
