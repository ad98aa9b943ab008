import { randomBytes } from "node:crypto";
import {
  type Descriptor,
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  type ImageManifest,
  mediaTypes,
  type OciWriter,
  serializeManifest,
} from "@touchmark/formats/oci";
import { pieces } from "./scripted.fixture.ts";

/** Puts a manifest with random layers; gives its descriptor. */
export async function putImage(
  to: OciWriter,
  options: { readonly layers?: number; readonly tag?: string; readonly more?: Partial<ImageManifest> } = {},
): Promise<Descriptor> {
  const layers = Array.from({ length: options.layers ?? 2 }, () => randomBytes(50_000));
  for (const layer of layers) await to.putBlob(descriptorOf(layer, mediaTypes.layer), () => pieces(layer));
  return putManifest(
    to,
    { layers: layers.map((layer) => descriptorOf(layer, mediaTypes.layer)), ...options.more },
    options.tag,
  );
}

/** Puts a manifest of an artifact, with the empty configuration. */
export async function putManifest(to: OciWriter, more: Partial<ImageManifest>, tag?: string): Promise<Descriptor> {
  await to.putBlob(emptyDescriptor, () => pieces(emptyContent));
  const manifest: ImageManifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    artifactType: "application/vnd.example.thing",
    config: emptyDescriptor,
    layers: [],
    ...more,
  };
  return to.putManifest(serializeManifest(manifest), manifest.mediaType, tag);
}

/** Puts something that refers to a manifest. */
export async function putReferrer(
  to: OciWriter,
  subject: Descriptor,
  content: Uint8Array,
  type: string = mediaTypes.sigstoreBundle,
): Promise<Descriptor> {
  const layer = descriptorOf(content, type);
  await to.putBlob(layer, () => pieces(content));
  return putManifest(to, { artifactType: type, layers: [layer], subject });
}
