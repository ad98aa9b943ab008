import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { FileContentStore } from "@touchmark/store";
import { damagedFinding, danglingFinding, type Finding, missingFinding, neededBlobs } from "../findings.ts";
import type { RegistryDatabase } from "./registry-database.ts";

/** Reads everything that the registry has, and names what is not as it should be. Damaged blobs are quarantined. */
export async function checkFiles(database: RegistryDatabase, content: FileContentStore): Promise<Finding[]> {
  return [
    ...(await checkBlobs(database, content)),
    ...checkDocuments(database),
    ...checkManifests(database),
    ...checkTags(database),
  ];
}

async function checkBlobs(database: RegistryDatabase, content: FileContentStore): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const row of database.all("SELECT DISTINCT digest FROM blobs ORDER BY digest")) {
    const digest = row["digest"] as Digest;
    const finding = await readThrough(content, digest);
    if (finding === undefined) continue;
    // Asked after the reading: what was deleted meanwhile is missed by nobody.
    for (const name of repositoriesWith(database, "blobs", digest)) findings.push(finding(name));
  }
  return findings;
}

async function readThrough(
  content: FileContentStore,
  digest: Digest,
): Promise<((repository: string) => Finding) | undefined> {
  try {
    for await (const part of content.stream(digest)) void part;
    return undefined;
  } catch (cause) {
    // A failing disk says nothing about the content.
    if (!isFactoryError(cause) || cause.nature === "unavailable") throw cause;
    if (cause.code === "STORE_BLOB_MISSING") return (repository) => missingFinding(repository, digest);
    return (repository) => damagedFinding(repository, digest, "other bytes, which were moved into quarantine");
  }
}

function checkDocuments(database: RegistryDatabase): Finding[] {
  const findings: Finding[] = [];
  for (const row of database.all("SELECT DISTINCT digest FROM manifests ORDER BY digest")) {
    const digest = row["digest"] as Digest;
    const bytes = database.get("SELECT bytes FROM documents WHERE digest = ?", digest)?.["bytes"];
    for (const name of repositoriesWith(database, "manifests", digest)) {
      if (!(bytes instanceof Uint8Array)) findings.push(missingFinding(name, digest));
      else if (sha256(bytes) !== digest) findings.push(damagedFinding(name, digest, "other bytes"));
    }
  }
  return findings;
}

function checkManifests(database: RegistryDatabase): Finding[] {
  const findings: Finding[] = [];
  const rows = database.all(
    "SELECT r.id, r.name, m.digest, media_type, refs FROM manifests m JOIN repositories r ON r.id = m.repository ORDER BY 2, 3",
  );
  for (const row of rows) {
    const references = JSON.parse(String(row["refs"])) as Digest[];
    for (const digest of neededBlobs({ mediaType: String(row["media_type"]), references })) {
      const id = row["id"] as number;
      if (database.get("SELECT 1 FROM blobs WHERE repository = ? AND digest = ?", id, digest) !== undefined) continue;
      findings.push(danglingFinding(String(row["name"]), `manifest ${String(row["digest"])}`, digest));
    }
  }
  return findings;
}

function checkTags(database: RegistryDatabase): Finding[] {
  const rows = database.all(
    `SELECT r.name AS repository, t.name, t.digest FROM tags t JOIN repositories r ON r.id = t.repository
     LEFT JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest WHERE m.digest IS NULL ORDER BY 1, 2`,
  );
  return rows.map((row) =>
    danglingFinding(String(row["repository"]), `tag ${String(row["name"])}`, row["digest"] as Digest),
  );
}

function repositoriesWith(database: RegistryDatabase, table: "blobs" | "manifests", digest: Digest): string[] {
  const rows = database.all(
    `SELECT name FROM ${table} t JOIN repositories r ON r.id = t.repository WHERE digest = ? ORDER BY name`,
    digest,
  );
  return rows.map((row) => String(row["name"]));
}
