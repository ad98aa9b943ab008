import { type Digest, sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import type { RegistryBackend, StoredManifest } from "@touchmark/registry";

/** What a sample manifest is made of. */
export interface SampleManifest {
  readonly config?: Digest;
  readonly layers?: readonly Digest[];
  /** Makes it an index of these. */
  readonly manifests?: readonly Digest[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  /** Makes it another one. */
  readonly word?: string;
}

/** A manifest as the server hands it to a backend. */
export function sampleManifest(sample: SampleManifest = {}): StoredManifest {
  const isIndex = sample.manifests !== undefined;
  const mediaType = isIndex ? mediaTypes.index : mediaTypes.manifest;
  const point = (digest: Digest, type: string) => ({ mediaType: type, digest, size: 1 });
  const config = sample.config ?? sha256("{}");
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      artifactType: sample.artifactType,
      ...(isIndex
        ? { manifests: sample.manifests.map((digest) => point(digest, mediaTypes.manifest)) }
        : {
            config: point(config, mediaTypes.config),
            layers: sample.layers?.map((digest) => point(digest, mediaTypes.layer)) ?? [],
          }),
      ...(sample.subject === undefined ? {} : { subject: point(sample.subject, mediaTypes.manifest) }),
      annotations: { word: sample.word ?? "" },
    }),
  );
  const digest = sha256(bytes);
  const { artifactType } = sample;
  return {
    digest,
    mediaType,
    bytes,
    references: isIndex ? [...sample.manifests] : [config, ...(sample.layers ?? [])],
    ...(sample.subject === undefined ? {} : { subject: sample.subject }),
    shown: { mediaType, digest, size: bytes.length, ...(artifactType === undefined ? {} : { artifactType }) },
  };
}

/** Content in a few chunks, as it comes from a client. */
export async function* inChunks(content: string | Uint8Array, count = 3): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content as string);
  const step = Math.max(1, Math.ceil(bytes.length / count));
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** Puts a blob in one go. */
export async function putBlob(
  backend: RegistryBackend,
  repository: string,
  content: string | Uint8Array,
): Promise<Digest> {
  const digest = sha256(content);
  await backend.uploads.put(repository, digest, 1024 ** 3, inChunks(content));
  return digest;
}

/** Puts an image of one layer, and its tag when one is given. */
export async function putImage(
  backend: RegistryBackend,
  repository: string,
  word: string,
  tag?: string,
): Promise<{ readonly manifest: StoredManifest; readonly config: Digest; readonly layer: Digest }> {
  const config = await putBlob(backend, repository, `{"word":"${word}"}`);
  const layer = await putBlob(backend, repository, `layer ${word}`);
  const manifest = sampleManifest({ config, layers: [layer], word });
  await backend.manifests.put(repository, manifest, tag === undefined ? undefined : { name: tag, immutable: false });
  return { manifest, config, layer };
}

/** The bytes of a blob of a repository, or undefined. */
export async function readBlob(
  backend: RegistryBackend,
  repository: string,
  digest: Digest,
  range?: { readonly start: number; readonly end: number },
): Promise<Buffer | undefined> {
  const blob = await backend.blobs.open(repository, digest);
  if (blob === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of blob.stream(range)) parts.push(part);
  return Buffer.concat(parts);
}
