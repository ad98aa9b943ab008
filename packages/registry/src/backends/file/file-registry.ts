import { join } from "node:path";
import { type Clock, systemClock } from "@touchmark/core";
import { type FileContentStore, guarded, type Home } from "@touchmark/store";
import type { CollectingBackend, CollectReport, Page, RegistryBackend, UsageBackend } from "../../backend.ts";
import type { Finding } from "../findings.ts";
import { collectedMeanwhile } from "../refusals.ts";
import { type CollectOptions, collectFiles } from "./collection.ts";
import { FileBlobs } from "./file-blobs.ts";
import { checkFiles } from "./file-check.ts";
import { FileManifests, FileTags } from "./file-manifests.ts";
import { FileUploads, type PublishFile } from "./file-uploads.ts";
import { RegistryDatabase } from "./registry-database.ts";
import { UploadFiles } from "./upload-files.ts";

/** Where a registry lies. */
export interface FileRegistryOptions {
  /** `HOME/registry` holds the database and uploads that are coming in. */
  readonly home: Home;
  /** The home's content store, shared with the factory: nothing is stored twice. */
  readonly content: FileContentStore;
  readonly clock?: Clock;
}

/** A registry in a home. */
export interface FileRegistryBackend extends RegistryBackend, CollectingBackend, UsageBackend {
  readonly kind: "file-system";
}

/**
 * Opens the registry of a home, making it where there is none. Several processes may have it open at a time; an upload
 * belongs to the process that began it until that ends (registry SPEC B). What is acknowledged is durable: content
 * first, then its name, then its row.
 * @throws REGISTRY_BACKEND_DATABASE_FOREIGN | STORE_DISK_FULL | STORE_IO
 */
export function fileRegistryBackend(options: FileRegistryOptions): FileRegistryBackend {
  return new FileRegistry(options);
}

class FileRegistry implements FileRegistryBackend {
  readonly kind = "file-system";
  readonly blobs: FileBlobs;
  readonly uploads: FileUploads;
  readonly manifests: FileManifests;
  readonly tags: FileTags;
  readonly #home: Home;
  readonly #content: FileContentStore;
  readonly #clock: Clock;
  readonly #database: RegistryDatabase;

  constructor({ home, content, clock = systemClock }: FileRegistryOptions) {
    this.#home = home;
    this.#content = content;
    this.#clock = clock;
    this.#database = new RegistryDatabase(join(home.paths.registry, "registry.db"));
    this.blobs = new FileBlobs(this.#database, content, () => this.#now());
    this.manifests = new FileManifests(this.#database, clock);
    this.tags = new FileTags(this.#database);
    const publish: PublishFile = async (repository, file, blob) => {
      await content.adopt(file, blob);
      await this.#database.write(() => this.blobs.link(repository, blob.digest, blob.size));
      // A prune that looked before the row was there may have deleted what lay there longer than its grace. It asks
      // for the row at the last moment, so that nothing is deleted after this look.
      if (await content.has(blob.digest)) return;
      await this.blobs.delete(repository, blob.digest);
      throw collectedMeanwhile(blob.digest);
    };
    this.uploads = new FileUploads(new UploadFiles(home), publish, clock);
  }

  async repositories(page: Page): Promise<readonly string[]> {
    const rows = this.#database.all(
      `SELECT name FROM repositories r WHERE name > ? AND (EXISTS (SELECT 1 FROM manifests WHERE repository = r.id)
       OR EXISTS (SELECT 1 FROM blobs WHERE repository = r.id)) ORDER BY name LIMIT ?`,
      page.after ?? "",
      page.limit,
    );
    return rows.map((row) => String(row["name"]));
  }

  async usage(repository: string): Promise<{ bytes: number; manifests: number; tags: number }> {
    const row = this.#database.get(
      `SELECT (SELECT coalesce(sum(size), 0) FROM blobs WHERE repository = r.id) AS blobs,
       (SELECT coalesce(sum(size), 0) FROM manifests WHERE repository = r.id) AS documents,
       (SELECT count(*) FROM manifests WHERE repository = r.id) AS manifests,
       (SELECT count(*) FROM tags WHERE repository = r.id) AS tags FROM repositories r WHERE name = ?`,
      repository,
    );
    if (row === undefined) return { bytes: 0, manifests: 0, tags: 0 };
    const bytes = Number(row["blobs"]) + Number(row["documents"]);
    return { bytes, manifests: Number(row["manifests"]), tags: Number(row["tags"]) };
  }

  collect(options: CollectOptions): Promise<CollectReport> {
    return guarded("collecting the registry", async () => {
      const before = this.#now() - options.graceSeconds * 1000;
      const abandonedUploads = await this.uploads.dropAbandoned(before, options.dryRun);
      const stores = { home: this.#home, content: this.#content, database: this.#database };
      return { ...(await collectFiles(stores, options, this.#now())), abandonedUploads };
    });
  }

  fsck(): Promise<readonly Finding[]> {
    return guarded("checking the registry", () => checkFiles(this.#database, this.#content));
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.uploads.close();
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
