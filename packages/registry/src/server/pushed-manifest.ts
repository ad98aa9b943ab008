import {
  type Descriptor,
  type Manifest,
  manifestKind,
  ociErrors,
  parseManifest,
  referencedDescriptors,
  refuseForeign,
} from "@touchmark/formats/oci";
import type { RegistryBackend, StoredManifest } from "../backend.ts";
import { registryErrors } from "../errors.ts";
import { storedManifest } from "../stored-manifest.ts";
import { registryServerErrors } from "./errors.ts";

/** References that are looked up at once. */
const atOnce = 16;

/**
 * Reads and judges a pushed manifest: strict, without foreign content, and with everything there that it references, in
 * the announced size. So no manifest can be part of a circle. The subject need not be there.
 * @param contentType of the request; its parameters are ignored
 * @throws OCI_* | REGISTRY_REFERENCE_MISSING | REGISTRY_SIZE_MISMATCH
 */
export async function acceptedManifest(
  backend: RegistryBackend,
  repository: string,
  bytes: Uint8Array,
  contentType: string | undefined,
): Promise<{ readonly stored: StoredManifest; readonly manifest: Manifest }> {
  const announced = contentType?.split(";", 1)[0]?.trim();
  const read = storedManifest(bytes, announced || parseManifest(bytes).mediaType);
  refuseForeign(read.manifest);
  const needed = new Map(referencedDescriptors(read.manifest).map((each) => [keyOf(each), each]));
  const waiting = [...needed.values()];
  const workers = Array.from({ length: Math.min(atOnce, waiting.length) }, async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      await checkThere(backend, repository, next);
  });
  await Promise.all(workers);
  return read;
}

function keyOf(descriptor: Descriptor): string {
  return `${descriptor.digest} ${descriptor.size} ${descriptor.mediaType}`;
}

async function checkThere(backend: RegistryBackend, repository: string, descriptor: Descriptor): Promise<void> {
  const { digest, mediaType } = descriptor;
  if (manifestKind(mediaType) !== undefined) {
    const found = await backend.manifests.get(repository, digest);
    if (found === undefined) throw missing(repository, descriptor);
    if (found.mediaType !== mediaType) {
      throw ociErrors.make("OCI_MEDIA_TYPE_MISMATCH", `expected ${mediaType}, ${digest} is ${found.mediaType}`);
    }
    checkSize(descriptor, found.bytes.length);
    return;
  }
  const found = await backend.blobs.open(repository, digest);
  if (found === undefined) throw missing(repository, descriptor);
  checkSize(descriptor, found.size);
}

function checkSize(descriptor: Descriptor, size: number): void {
  if (size !== descriptor.size) {
    throw registryServerErrors.make(
      "REGISTRY_SIZE_MISMATCH",
      `expected ${descriptor.size} bytes as the manifest says, ${descriptor.digest} has ${size}`,
    );
  }
}

function missing(repository: string, { mediaType, digest }: Descriptor): Error {
  return registryErrors.make("REGISTRY_REFERENCE_MISSING", `${repository} has no ${mediaType} ${digest}`);
}
