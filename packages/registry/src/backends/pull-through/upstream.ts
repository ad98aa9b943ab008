import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { type Descriptor, type FoundManifest, isForeign, type OciReader } from "@touchmark/formats/oci";
import type { RegistryBackend } from "../../backend.ts";
import { storedManifest } from "../../stored-manifest.ts";
import { registryBackendErrors } from "../errors.ts";
import { BoundedMap } from "./bounded-map.ts";

/** A repository of the registry above. It keeps its credentials to itself. */
export type UpstreamOf = (repository: string) => OciReader | Promise<OciReader>;

// Blobs that manifests have named, so that their size is known. A client that asks for one has read its manifest here.
const KNOWN_BLOBS = 200_000;

/** Fetches from the registry above into the one here; whoever wants the same at the same time waits for the same fetch. */
export class Upstream {
  readonly #local: RegistryBackend;
  readonly #of: UpstreamOf;
  readonly #maxBlobBytes: number;
  readonly #known = new BoundedMap<Descriptor>(KNOWN_BLOBS);
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(local: RegistryBackend, of: UpstreamOf, maxBlobBytes: number) {
    this.#local = local;
    this.#of = of;
    this.#maxBlobBytes = maxBlobBytes;
  }

  /**
   * A manifest by digest or tag, verified, kept, and set under the tag; undefined when the registry above has none.
   * @throws REGISTRY_BACKEND_UPSTREAM_AWAY | REGISTRY_BACKEND_UPSTREAM_REFUSED
   */
  manifest(repository: string, reference: string): Promise<FoundManifest | undefined> {
    return this.#once(`manifest ${repository} ${reference}`, async () => {
      const found = await this.ask(repository, (reader) => reader.manifest(reference));
      if (found === undefined) return undefined;
      const { digest, mediaType } = found.descriptor;
      const isDigest = reference.startsWith("sha256:");
      if (sha256(found.bytes) !== digest || (isDigest && reference !== digest)) {
        throw refused(repository, `a manifest ${reference} with its digest`, "other bytes");
      }
      this.learn(repository, found.bytes, mediaType);
      const { stored } = readManifest(repository, found.bytes, mediaType);
      const tag = isDigest ? undefined : { name: reference, immutable: false };
      await this.#local.manifests.put(repository, stored, tag).catch((cause: unknown) => {
        // Its blobs were collected here just now. It is given out all the same, and kept the next time.
        if (!isFactoryError(cause) || cause.code !== "REGISTRY_BACKEND_COLLECTED") throw cause;
      });
      return found;
    });
  }

  /** Brings a blob that a manifest of the repository named; false when none did, or the registry above has it not. */
  blob(repository: string, digest: Digest): Promise<boolean> {
    return this.#once(`blob ${repository} ${digest}`, async () => {
      const descriptor = this.#known.get(`${repository} ${digest}`);
      if (descriptor === undefined) return false;
      if (descriptor.size > this.#maxBlobBytes) {
        throw refused(repository, `blobs of at most ${this.#maxBlobBytes} bytes`, `${descriptor.size}`);
      }
      const done = await this.ask(repository, (reader) =>
        this.#local.uploads.put(repository, digest, descriptor.size, reader.blob(descriptor)),
      );
      return done !== undefined;
    });
  }

  /** Remembers the blobs that a manifest names. */
  learn(repository: string, bytes: Uint8Array, mediaType: string): void {
    const { manifest } = readManifest(repository, bytes, mediaType);
    if (manifest.kind !== "manifest") return;
    for (const descriptor of [manifest.config, ...manifest.layers]) {
      // What lies at other addresses is not this registry's to fetch.
      if (!isForeign(descriptor)) this.#known.set(`${repository} ${descriptor.digest}`, descriptor);
    }
  }

  /** Asks the registry above; undefined when it has not what was asked for. */
  async ask<T>(repository: string, work: (reader: OciReader) => Promise<T>): Promise<T | undefined> {
    try {
      return await work(await this.#of(repository));
    } catch (cause) {
      if (!isFactoryError(cause)) throw away(repository, cause);
      // Our own disk is not the registry above.
      if (cause.code.startsWith("STORE_") || cause.code.startsWith("REGISTRY_BACKEND_")) throw cause;
      if (cause.code === "REGISTRY_DIGEST_MISMATCH" || cause.code === "REGISTRY_TOO_LARGE") {
        throw refused(repository, "content with its digest and size", "other bytes", cause);
      }
      if (cause.nature === "invalid") return undefined;
      if (cause.nature === "refused") throw refused(repository, "an answer", cause.code, cause);
      throw away(repository, cause);
    }
  }

  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined) return running as Promise<T>;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}

function readManifest(repository: string, bytes: Uint8Array, mediaType: string) {
  try {
    return storedManifest(bytes, mediaType);
  } catch (cause) {
    throw refused(repository, "a manifest", "other bytes", cause);
  }
}

// Messages go to clients: what the registry above said, or was asked with, is in the cause only.

function away(repository: string, cause: unknown): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_UPSTREAM_AWAY",
    `expected the registry above to answer for ${repository}, found that it does not`,
    { cause },
  );
}

function refused(repository: string, expected: string, found: string, cause?: unknown): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_UPSTREAM_REFUSED",
    `expected ${expected} from the registry above for ${repository}, found ${found}`,
    { cause },
  );
}
