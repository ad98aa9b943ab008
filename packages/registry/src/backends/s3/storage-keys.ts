import { type Digest, digestHex, isDigest } from "@touchmark/core";

/**
 * Names of objects below the registry's prefix. A slash in the name of a repository is spelled `~`, which no such name
 * has, so that no repository lies in another.
 */
export class StorageKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  }

  everything(): string {
    return this.#prefix;
  }

  /** The bytes of a blob, for all repositories. */
  content(digest: Digest): string {
    return `${this.allContent()}${digestHex(digest)}`;
  }

  allContent(): string {
    return `${this.#prefix}content/sha256/`;
  }

  allRepositories(): string {
    return `${this.#prefix}repositories/`;
  }

  repository(repository: string): string {
    return `${this.allRepositories()}${repository.replaceAll("/", "~")}/`;
  }

  /** Says that a repository has a blob. */
  blob(repository: string, digest: Digest): string {
    return `${this.allBlobs(repository)}${digestHex(digest)}`;
  }

  allBlobs(repository: string): string {
    return `${this.repository(repository)}blobs/`;
  }

  manifest(repository: string, digest: Digest): string {
    return `${this.allManifests(repository)}${digestHex(digest)}`;
  }

  allManifests(repository: string): string {
    return `${this.repository(repository)}manifests/`;
  }

  tag(repository: string, tag: string): string {
    return `${this.allTags(repository)}${tag}`;
  }

  allTags(repository: string): string {
    return `${this.repository(repository)}tags/`;
  }

  /** Says that a manifest may refer to a subject. */
  referrer(repository: string, subject: Digest, referrer: Digest): string {
    return `${this.allReferrers(repository, subject)}${digestHex(referrer)}`;
  }

  allReferrers(repository: string, subject: Digest): string {
    return `${this.repository(repository)}referrers/${digestHex(subject)}/`;
  }

  /** An upload that is coming in. */
  upload(id: string): string {
    return `${this.allUploads()}${id}`;
  }

  allUploads(): string {
    return `${this.#prefix}uploads/`;
  }

  /** What a collection that is going on is about to delete. */
  collecting(): string {
    return `${this.#prefix}collecting`;
  }
}

/** Name of the repository that a directory is of. */
export function repositoryOf(directory: string): string {
  return directory.replaceAll("~", "/");
}

/** The digest at the end of a key, or undefined for an object that is not the registry's. */
export function digestOf(key: string): Digest | undefined {
  const digest = `sha256:${key.slice(key.lastIndexOf("/") + 1)}`;
  return isDigest(digest) ? digest : undefined;
}
