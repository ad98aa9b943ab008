import type { Digest } from "@touchmark/core";
import {
  type Descriptor,
  type FoundManifest,
  type OciReader,
  type OciWriter,
  parseManifest,
} from "@touchmark/formats/oci";
import { dropBody } from "./body.ts";
import { clientErrors } from "./errors.ts";
import { listTags } from "./lists.ts";
import { type Place, pullBlob, pullManifest, unexpected } from "./pull.ts";
import { hasBlob, mountBlob, pushBlob, pushManifest } from "./push.ts";
import { forgetReferrer, listReferrers, noteReferrer, shownReferrer } from "./referrers.ts";
import type { ClientPatience } from "./settings.ts";

/** A piece of a transfer. */
export interface TransferProgress {
  readonly kind: "pull" | "push";
  readonly digest: Digest;
  /** Bytes of this piece. */
  readonly bytes: number;
  /** Bytes of the whole. */
  readonly size: number;
}

/** A repository of a registry, to read and to write. */
export interface RegistryRepository extends OciReader, OciWriter {
  /** Host and port. */
  readonly registry: string;
  readonly repository: string;
  tags(): AsyncIterable<string>;
  /** Shows a blob of another repository of the same registry here; false when it has to be sent. */
  mountFrom(digest: Digest, repository: string): Promise<boolean>;
  /** Deletes a manifest by digest, or a tag; false when it was not there. */
  deleteManifest(reference: string): Promise<boolean>;
  /** False when it was not there. */
  deleteBlob(digest: Digest): Promise<boolean>;
}

/** True for a repository that this client opened. */
export const isRegistryRepository = (place: OciReader | OciWriter): place is RegistryRepository =>
  "mountFrom" in place && "registry" in place;

interface RepositoryOptions {
  readonly origin: Place;
  readonly mirrors: readonly Place[];
  readonly patience: ClientPatience;
  readonly pause: (ms: number) => Promise<void>;
  readonly onProgress: (progress: TransferProgress) => void;
}

/** @internal of the client; SPEC C7-C13 */
export function openRepository({
  origin,
  mirrors,
  patience,
  pause,
  onProgress,
}: RepositoryOptions): RegistryRepository {
  const { session, repository } = origin;
  return {
    name: `registry:${session.registry}/${repository}`,
    registry: session.registry,
    repository,
    manifest: (reference) => findManifest(origin, mirrors, reference),
    blob: (descriptor) => told(pullBlob([...mirrors, origin], descriptor, patience, pause), descriptor, onProgress),
    referrers: (subject, options) => listReferrers(origin, subject, options?.artifactType),
    tags: () => listTags(origin),
    hasBlob: (digest) => hasBlob(origin, digest),
    putBlob: (descriptor, open) => {
      const { digest, size } = descriptor;
      const onSent = (bytes: number): void => onProgress({ kind: "push", digest, bytes, size });
      return pushBlob(origin, descriptor, open, patience, { pause, onSent });
    },
    putManifest: async (bytes, mediaType, tag) => {
      const { descriptor, subject } = await pushManifest(origin, bytes, mediaType, tag);
      const manifest = parseManifest(bytes, { mediaType });
      // A registry that knows referrers says which subject it noted; any other needs the list under the fallback tag.
      if (manifest.subject !== undefined && subject !== manifest.subject.digest) {
        await noteReferrer(origin, manifest.subject.digest, shownReferrer(manifest, descriptor), pause);
      }
      return descriptor;
    },
    mountFrom: (digest, from) => mountBlob(origin, digest, from),
    deleteManifest: async (reference) => {
      const found = reference.includes(":") ? await pullManifest(origin, reference) : undefined;
      const isDeleted = await remove(origin, `/v2/${repository}/manifests/${reference}`);
      const subject = found === undefined ? undefined : parseManifest(found.bytes).subject;
      if (found !== undefined && subject !== undefined)
        await forgetReferrer(origin, subject.digest, found.descriptor.digest);
      return isDeleted;
    },
    deleteBlob: (digest) => remove(origin, `/v2/${repository}/blobs/${digest}`),
  };
}

/** Content by digest may come from any mirror; what a tag means only the registry that the user named can say. SPEC C5 */
async function findManifest(origin: Place, mirrors: readonly Place[], reference: string): Promise<FoundManifest> {
  if (reference.includes(":")) {
    for (const mirror of mirrors) {
      const found = await pullManifest(mirror, reference).catch(() => undefined);
      if (found !== undefined) return found;
    }
  }
  const found = await pullManifest(origin, reference);
  if (found !== undefined) return found;
  throw clientErrors.make(
    "OCI_CLIENT_NOT_FOUND",
    `expected ${reference.slice(0, 200)} in ${origin.session.registry}/${origin.repository}, found nothing`,
  );
}

async function* told(
  chunks: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  onProgress: (progress: TransferProgress) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onProgress({ kind: "pull", digest, bytes: chunk.length, size });
    yield chunk;
  }
}

async function remove({ session, repository }: Place, path: string): Promise<boolean> {
  const answer = await session.ask({ method: "DELETE", path, repository, scopes: ["pull", "delete"] });
  dropBody(answer.message);
  if (answer.status === 404) return false;
  if (answer.status === 202 || answer.status === 200 || answer.status === 204) return true;
  throw unexpected(session, answer.status, "a receipt for a deletion");
}
