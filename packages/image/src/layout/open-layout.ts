import { chmodSync, closeSync, fstatSync, fsyncSync, lstatSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type FoundManifest,
  parseManifest,
  referencedDescriptors,
} from "@touchmark/formats/oci";
import { syncDirectory, temporaryBeside, writeAll } from "@touchmark/store";
import { imageErrors } from "../errors.ts";
import { fileChunks } from "./file-chunks.ts";
import { asReferrer, foundManifest, lookUp, MAX_MANIFEST_BYTES, missingManifest, onlyImage } from "./found-manifest.ts";
import { changeIndex, createLayout, REF_NAME, readIndex } from "./layout-index.ts";
import type { BlobAdopter, WritableImages } from "./local-images.ts";
import { collect, verified } from "./verified.ts";

/**
 * An OCI image layout on disk (image-spec 1.1, image-layout.md), to read and to write. It is made by the first write.
 * Content is verified both ways; blobs and `index.json` appear whole or not at all, and survive a power cut.
 */
export function openLayout(directory: string): WritableImages {
  return new Layout(directory);
}

class Layout implements WritableImages, BlobAdopter {
  readonly name: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.name = `oci-dir:${directory}`;
    this.#directory = directory;
  }

  async manifest(reference: string): Promise<FoundManifest> {
    const listed = readIndex(this.#directory);
    const digest = lookUp(listed, reference);
    if (digest === undefined || !this.#has(digest)) throw missingManifest(this.name, reference);
    return this.#found(digest, listed.find((descriptor) => descriptor.digest === digest)?.mediaType);
  }

  async *blob(descriptor: Descriptor): AsyncGenerator<Uint8Array> {
    const missing = () =>
      imageErrors.make("IMAGE_BLOB_MISSING", `expected the blob ${descriptor.digest} in ${this.name}, found none`);
    yield* verified(fileChunks(this.#path(descriptor.digest), missing), descriptor, "IMAGE_BLOB_CORRUPT");
  }

  async *referrers(subject: Digest, options: { readonly artifactType?: string } = {}): AsyncGenerator<Descriptor> {
    const seen = new Set<Digest>();
    for (const { digest, mediaType } of readIndex(this.#directory)) {
      if (seen.has(digest) || !this.#has(digest)) continue;
      seen.add(digest);
      const shown = asReferrer(await this.#found(digest, mediaType), subject, options.artifactType);
      if (shown !== undefined) yield shown;
    }
  }

  async *tags(): AsyncGenerator<string> {
    const names = readIndex(this.#directory).map(({ annotations }) => annotations?.[REF_NAME]);
    yield* [...new Set(names.filter((name) => name !== undefined))].sort();
  }

  async only(): Promise<string> {
    return onlyImage(readIndex(this.#directory), this.name);
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    return this.#has(digest);
  }

  async putBlob(descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>): Promise<void> {
    createLayout(this.#directory);
    const path = this.#path(descriptor.digest);
    if (await this.#isSound(descriptor)) return;
    const temporary = temporaryBeside(path);
    try {
      const file = openSync(temporary, "wx", 0o644);
      try {
        for await (const chunk of verified(open(), descriptor, "IMAGE_BLOB_MISMATCH")) writeAll(file, chunk);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw cause;
    }
    syncDirectory(join(this.#directory, "blobs", "sha256"));
  }

  async adoptBlob(descriptor: Descriptor, file: string): Promise<boolean> {
    createLayout(this.#directory);
    const open = openSync(file, "r");
    try {
      if (fstatSync(open).size !== descriptor.size) {
        throw imageErrors.make(
          "IMAGE_BLOB_MISMATCH",
          `expected ${descriptor.size} bytes in the file of ${descriptor.digest}`,
        );
      }
      fsyncSync(open);
      renameSync(file, this.#path(descriptor.digest));
    } catch (cause) {
      if ((cause as { code?: string }).code === "EXDEV") return false;
      throw cause;
    } finally {
      closeSync(open);
    }
    chmodSync(this.#path(descriptor.digest), 0o644);
    syncDirectory(join(this.#directory, "blobs", "sha256"));
    return true;
  }

  async putManifest(bytes: Uint8Array, mediaType: string, tag?: string): Promise<Descriptor> {
    const manifest = parseManifest(bytes, { mediaType });
    for (const { digest } of referencedDescriptors(manifest)) {
      if (this.#has(digest)) continue;
      throw imageErrors.make(
        "IMAGE_BLOB_MISSING",
        `expected ${digest} in ${this.name} before its manifest, found none`,
      );
    }
    const descriptor = descriptorOf(bytes, mediaType);
    await this.putBlob(descriptor, async function* () {
      yield bytes;
    });
    const held = new Set(manifest.kind === "index" ? manifest.manifests.map(({ digest }) => digest) : []);
    const listed = { ...descriptor, ...(tag === undefined ? {} : { annotations: { [REF_NAME]: tag } }) };
    await changeIndex(this.#directory, (before) => {
      const kept = before.filter(({ digest, annotations }) => {
        const name = annotations?.[REF_NAME];
        // A tag moves; what has no tag is listed once, and not beside an index that lists it.
        return name === undefined ? digest !== descriptor.digest && !held.has(digest) : name !== tag;
      });
      const isListed = tag === undefined && kept.some(({ digest }) => digest === descriptor.digest);
      return isListed ? kept : [...kept, listed];
    });
    return descriptor;
  }

  async #found(digest: Digest, mediaType: string | undefined): Promise<FoundManifest> {
    const size = lstatSync(this.#path(digest)).size;
    const chunks = verified(
      fileChunks(this.#path(digest), () => missingManifest(this.name, digest)),
      { digest, size },
      "IMAGE_BLOB_CORRUPT",
    );
    return foundManifest(await collect(chunks, MAX_MANIFEST_BYTES, "a manifest"), digest, mediaType);
  }

  /** True when the blob is there with its bytes; a damaged one is written again. */
  async #isSound(descriptor: Descriptor): Promise<boolean> {
    if (!this.#has(descriptor.digest)) return false;
    try {
      for await (const chunk of this.blob(descriptor)) void chunk;
      return true;
    } catch {
      return false;
    }
  }

  #has(digest: Digest): boolean {
    return lstatSync(this.#path(digest), { throwIfNoEntry: false })?.isFile() === true;
  }

  #path(digest: Digest): string {
    return join(this.#directory, "blobs", "sha256", digestHex(digest));
  }
}
