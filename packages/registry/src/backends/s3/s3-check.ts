import { createHash } from "node:crypto";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { damagedFinding, danglingFinding, type Finding, missingFinding, neededBlobs } from "../findings.ts";
import type { S3Parts } from "./s3-collection.ts";
import { digestOf, repositoryOf } from "./storage-keys.ts";
import { parseTagRecord } from "./storage-records.ts";

/** Reads everything that the registry has, and names what is not as it should be. */
export async function checkObjects(parts: S3Parts): Promise<Finding[]> {
  const { storage, keys } = parts;
  const findings: Finding[] = [];
  const states = new Map<Digest, "sound" | "damaged" | "missing">();
  for await (const directory of storage.directories(keys.allRepositories())) {
    const repository = repositoryOf(directory);
    const blobs = new Set<Digest>();
    for await (const { key } of storage.list(keys.allBlobs(repository))) {
      const digest = digestOf(key);
      if (digest === undefined) continue;
      blobs.add(digest);
      const state = states.get(digest) ?? (await stateOf(parts, digest));
      states.set(digest, state);
      if (state === "missing") findings.push(missingFinding(repository, digest));
      if (state === "damaged") findings.push(damagedFinding(repository, digest, "other bytes"));
    }
    const manifests = await checkManifests(parts, repository, blobs, findings);
    for await (const { key } of storage.list(keys.allTags(repository))) {
      const found = await storage.get(key);
      if (found === undefined) continue;
      const digest = parseTagRecord(found.bytes, key);
      const tag = key.slice(keys.allTags(repository).length);
      if (!manifests.has(digest)) findings.push(danglingFinding(repository, `tag ${tag}`, digest));
    }
  }
  return findings;
}

async function checkManifests(
  parts: S3Parts,
  repository: string,
  blobs: ReadonlySet<Digest>,
  findings: Finding[],
): Promise<ReadonlySet<Digest>> {
  const { storage, keys, manifests } = parts;
  const found = new Set<Digest>();
  for await (const { key } of storage.list(keys.allManifests(repository))) {
    const digest = digestOf(key);
    if (digest === undefined) continue;
    found.add(digest);
    const record = await manifests.record(repository, digest).catch((cause: unknown) => {
      // A storage that does not answer says nothing about the record.
      if (isFactoryError(cause) && cause.code === "REGISTRY_BACKEND_RECORD_INVALID") return "invalid" as const;
      throw cause;
    });
    if (record === undefined) continue;
    if (record === "invalid" || sha256(record.bytes) !== digest) {
      findings.push(damagedFinding(repository, digest, "other bytes"));
    }
    for (const needed of record === "invalid" ? [] : neededBlobs(record)) {
      if (!blobs.has(needed)) findings.push(danglingFinding(repository, `manifest ${digest}`, needed));
    }
  }
  return found;
}

async function stateOf({ storage, keys }: S3Parts, digest: Digest): Promise<"sound" | "damaged" | "missing"> {
  const body = await storage.open(keys.content(digest));
  if (body === undefined) return "missing";
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return `sha256:${hash.digest("hex")}` === digest ? "sound" : "damaged";
}
