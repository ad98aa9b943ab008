import { type Clock, type Digest, sha256 } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";
import type { ManifestBackend, Page, StoredManifest, TagBackend } from "../../backend.ts";
import { collectedMeanwhile, corruptContent, immutableTag, mismatch, missingTarget } from "../refusals.ts";
import type { RegistryDatabase } from "./registry-database.ts";
import { repositoryId } from "./repository-rows.ts";

// For so long a manifest is refused that refers to what a collection has just taken away: its pusher saw it there.
const COLLECTED_LATELY_MS = 10 * 60_000;

/** Manifests and tags as rows; a manifest's bytes are kept once for all repositories. */
export class FileManifests implements ManifestBackend {
  readonly #database: RegistryDatabase;
  readonly #clock: Clock;

  constructor(database: RegistryDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async get(repository: string, digest: Digest): Promise<{ mediaType: string; bytes: Uint8Array } | undefined> {
    const row = this.#database.get(
      `SELECT media_type, bytes FROM manifests m LEFT JOIN documents d ON d.digest = m.digest
       WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND m.digest = ?`,
      repository,
      digest,
    );
    if (row === undefined) return undefined;
    const bytes = row["bytes"];
    if (!(bytes instanceof Uint8Array)) throw corruptContent(digest, "nothing");
    if (sha256(bytes) !== digest) throw corruptContent(digest, "other bytes");
    return { mediaType: String(row["media_type"]), bytes };
  }

  async put(
    repository: string,
    manifest: StoredManifest,
    tag?: { readonly name: string; readonly immutable: boolean },
  ): Promise<void> {
    const found = sha256(manifest.bytes);
    if (found !== manifest.digest) throw mismatch(manifest.digest, found);
    // The caller's buffer may change before the commit.
    const bytes = Uint8Array.from(manifest.bytes);
    await this.#database.write(() => {
      const id = repositoryId(this.#database, repository, true);
      if (tag !== undefined) judgeTag(this.#database, id, tag.name, manifest.digest, tag.immutable);
      this.#refuseCollected(id, manifest);
      this.#database.run(
        "INSERT INTO documents VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes WHERE bytes <> excluded.bytes",
        manifest.digest,
        bytes,
      );
      this.#database.run(
        `INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repository, digest) DO UPDATE SET
         media_type = excluded.media_type, subject = excluded.subject, artifact_type = excluded.artifact_type,
         shown = excluded.shown, refs = excluded.refs, put_at = excluded.put_at`,
        id,
        manifest.digest,
        manifest.mediaType,
        bytes.length,
        manifest.subject ?? null,
        manifest.shown.artifactType ?? null,
        JSON.stringify(manifest.shown),
        JSON.stringify(manifest.references),
        this.#now(),
      );
      this.#database.run("DELETE FROM collected WHERE repository = ? AND digest = ?", id, manifest.digest);
      if (tag !== undefined) setTag(this.#database, id, tag.name, manifest.digest);
    });
  }

  delete(repository: string, digest: Digest): Promise<boolean> {
    return this.#database.write(() => {
      const id = repositoryId(this.#database, repository);
      return id !== undefined && deleteManifest(this.#database, id, digest);
    });
  }

  async referrers(
    repository: string,
    subject: Digest,
    options: { readonly artifactType?: string; readonly after?: Digest; readonly limit: number },
  ): Promise<readonly Descriptor[]> {
    const rows = this.#database.all(
      `SELECT shown FROM manifests WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND subject = ?
       AND digest > ? AND (? IS NULL OR artifact_type = ?) ORDER BY digest LIMIT ?`,
      repository,
      subject,
      options.after ?? "",
      options.artifactType ?? null,
      options.artifactType ?? null,
      options.limit,
    );
    return rows.map((row) => JSON.parse(String(row["shown"])) as Descriptor);
  }

  /** Refuses a manifest that refers to what a collection took out of the repository just now. */
  #refuseCollected(id: number, manifest: StoredManifest): void {
    const since = this.#now() - COLLECTED_LATELY_MS;
    if (
      this.#database.get("SELECT 1 FROM collected WHERE repository = ? AND at > ? LIMIT 1", id, since) === undefined
    ) {
      return;
    }
    for (const digest of manifest.references) {
      const row = this.#database.get(
        "SELECT at FROM collected WHERE repository = ? AND digest = ? AND at > ?",
        id,
        digest,
        since,
      );
      if (row !== undefined) throw collectedMeanwhile(digest);
    }
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

/** Tags as rows. */
export class FileTags implements TagBackend {
  readonly #database: RegistryDatabase;

  constructor(database: RegistryDatabase) {
    this.#database = database;
  }

  async resolve(repository: string, tag: string): Promise<Digest | undefined> {
    return this.#database.get(
      "SELECT digest FROM tags WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ?",
      repository,
      tag,
    )?.["digest"] as Digest | undefined;
  }

  set(repository: string, tag: string, digest: Digest, immutable: boolean): Promise<void> {
    return this.#database.write(() => {
      const id = repositoryId(this.#database, repository) ?? -1;
      const there = this.#database.get("SELECT 1 FROM manifests WHERE repository = ? AND digest = ?", id, digest);
      if (there === undefined) throw missingTarget(tag, digest);
      judgeTag(this.#database, id, tag, digest, immutable);
      setTag(this.#database, id, tag, digest);
    });
  }

  delete(repository: string, tag: string): Promise<boolean> {
    return this.#database.write(() => {
      const id = repositoryId(this.#database, repository);
      if (id === undefined) return false;
      return this.#database.run("DELETE FROM tags WHERE repository = ? AND name = ?", id, tag) > 0;
    });
  }

  async list(repository: string, page: Page): Promise<readonly string[] | undefined> {
    const id = repositoryId(this.#database, repository);
    if (id === undefined) return undefined;
    const rows = this.#database.all(
      "SELECT name FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?",
      id,
      page.after ?? "",
      page.limit,
    );
    if (rows.length > 0) return rows.map((row) => String(row["name"]));
    const some =
      this.#database.get("SELECT 1 FROM manifests WHERE repository = ? LIMIT 1", id) ??
      this.#database.get("SELECT 1 FROM blobs WHERE repository = ? LIMIT 1", id);
    return some === undefined ? undefined : [];
  }
}

/** Deletes a manifest with its tags, and its bytes when no repository has it any more; inside a write. */
export function deleteManifest(database: RegistryDatabase, id: number, digest: Digest): boolean {
  if (database.run("DELETE FROM manifests WHERE repository = ? AND digest = ?", id, digest) === 0) return false;
  database.run("DELETE FROM tags WHERE repository = ? AND digest = ?", id, digest);
  database.run(
    "DELETE FROM documents WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.digest = documents.digest)",
    digest,
  );
  return true;
}

function judgeTag(database: RegistryDatabase, id: number, tag: string, digest: Digest, immutable: boolean): void {
  const there = database.get("SELECT digest FROM tags WHERE repository = ? AND name = ?", id, tag)?.["digest"];
  if (immutable && there !== undefined && there !== digest) throw immutableTag(tag, there as Digest, digest);
}

function setTag(database: RegistryDatabase, id: number, tag: string, digest: Digest): void {
  database.run(
    "INSERT INTO tags VALUES (?, ?, ?) ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest",
    id,
    tag,
    digest,
  );
}
