import { type Clock, type Digest, rfc3339 } from "@touchmark/core";
import {
  annotationKeys,
  type Descriptor,
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  mediaTypes,
  type OciReader,
  type OciWriter,
  serializeManifest,
} from "@touchmark/formats/oci";
import { transferErrors } from "./errors.ts";
import { inParallel } from "./parallel.ts";

/** A file of an artifact that is no image. */
export interface PublishedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** Opened again when a transfer is resumed. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A bundle that becomes a referrer. */
export interface PublishedBundle {
  readonly bytes: Uint8Array;
  readonly predicateType: string;
}

/** What is published: a manifest that is at the target already (an image), or files, which become an artifact. */
export interface PublishRequest {
  readonly subject?: Descriptor;
  readonly files?: readonly PublishedFile[];
  /** Of the artifact made of files. */
  readonly artifactType?: string;
  readonly bundles: readonly PublishedBundle[];
  /** Set last, when all the rest is there. */
  readonly tag?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Time in the annotations; the same time gives the same digests. */
  readonly created: Clock;
  readonly atOnce?: number;
}

/** What is there now. */
export interface PublishReport {
  readonly subject: Descriptor;
  /** Manifests of the bundles, in the order in which they were given. */
  readonly referrers: readonly Descriptor[];
  readonly tag?: string;
  /** Blobs that were sent; the others were there. */
  readonly sent: number;
}

/** A place to publish to. */
export type PublishTarget = OciWriter & Pick<OciReader, "manifest">;

/**
 * Publishes files or an image's evidence: blobs, manifest, bundles as referrers, and the tag when all is there. Done
 * again it changes nothing, and sends only what is missing. @throws what the writer throws; SPEC C17
 */
export async function publishArtifact(to: PublishTarget, request: PublishRequest): Promise<PublishReport> {
  let sent = 0;
  const put = async (descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>): Promise<void> => {
    if (await to.hasBlob(descriptor.digest)) return;
    await to.putBlob(descriptor, open);
    sent++;
  };
  const created = { [annotationKeys.created]: rfc3339(request.created.now()) };
  const atOnce = request.atOnce ?? 6;
  const needsEmpty = request.bundles.length > 0 || request.files !== undefined;
  if (needsEmpty) await put(emptyDescriptor, () => once(emptyContent));
  const subject = await (request.subject === undefined ? putFiles() : Promise.resolve(request.subject));
  const referrers: Descriptor[] = [];
  await inParallel(request.bundles.entries(), atOnce, async ([index, bundle]) => {
    const layer = descriptorOf(bundle.bytes, mediaTypes.sigstoreBundle);
    await put(layer, () => once(bundle.bytes));
    referrers[index] = await to.putManifest(bundleManifest(bundle, layer, subject, created), mediaTypes.manifest);
  });
  if (request.tag !== undefined) {
    const { bytes, descriptor } = await to.manifest(subject.digest);
    await to.putManifest(bytes, descriptor.mediaType, request.tag);
  }
  return { subject, referrers, ...(request.tag === undefined ? {} : { tag: request.tag }), sent };

  async function putFiles(): Promise<Descriptor> {
    const files = request.files ?? [];
    if (files.length === 0) {
      throw transferErrors.make("OCI_TRANSFER_NOTHING", "expected an image or files to publish, found neither");
    }
    await inParallel(files, atOnce, (file) => put(descriptorOfFile(file), file.open));
    const manifest = serializeManifest({
      kind: "manifest",
      mediaType: mediaTypes.manifest,
      artifactType: request.artifactType ?? "application/octet-stream",
      config: emptyDescriptor,
      layers: files.map(descriptorOfFile),
      annotations: { ...created, ...request.annotations },
    });
    return to.putManifest(manifest, mediaTypes.manifest);
  }
}

function descriptorOfFile({ name, mediaType, digest, size }: PublishedFile): Descriptor {
  return { mediaType, digest, size, annotations: { [annotationKeys.title]: name } };
}

/** The manifest by which clients find a bundle beside its subject, as cosign makes it. */
function bundleManifest(
  { predicateType }: PublishedBundle,
  layer: Descriptor,
  { mediaType, digest, size }: Descriptor,
  created: Readonly<Record<string, string>>,
): Uint8Array {
  return serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.sigstoreBundle,
    config: emptyDescriptor,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations: {
      ...created,
      [annotationKeys.bundleContent]: "dsse-envelope",
      [annotationKeys.bundlePredicateType]: predicateType,
    },
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
