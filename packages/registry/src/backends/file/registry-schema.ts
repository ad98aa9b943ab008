/** Changes with the tables. */
export const SCHEMA_VERSION = 1;

/**
 * Tables of a registry. `content` is what the home's prune, check and backup ask (store SPEC P5). Times are
 * milliseconds. `collected` remembers what a collection took away, for whoever was about to refer to it, and for the
 * next collection when the bytes did not go with it.
 */
export const registrySchema: readonly string[] = [
  "CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
  `CREATE TABLE blobs (repository INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, linked_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID`,
  "CREATE INDEX blobs_by_digest ON blobs (digest)",
  "CREATE TABLE documents (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
  `CREATE TABLE manifests (repository INTEGER NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
  subject TEXT, artifact_type TEXT, shown TEXT NOT NULL, refs TEXT NOT NULL, put_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID`,
  "CREATE INDEX manifests_by_digest ON manifests (digest)",
  "CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL",
  `CREATE TABLE tags (repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (repository, name)) STRICT, WITHOUT ROWID`,
  "CREATE INDEX tags_by_digest ON tags (repository, digest)",
  `CREATE TABLE collected (repository INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID`,
  "CREATE VIEW content (digest) AS SELECT digest FROM blobs",
];
