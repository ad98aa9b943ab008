import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isDigest, isFactoryError } from "@touchmark/core";
import type { FileContentStore } from "./content-store.ts";
import { TEMPORARY_PREFIX } from "./durable-file.ts";
import type { Home } from "./home.ts";
import { mirrorBodies } from "./references.ts";
import { RegistryReferences } from "./registry-references.ts";
import type { RunStore } from "./run-store.ts";
import { guarded } from "./system-failure.ts";
import type { TreeStore } from "./tree-store.ts";

/** One thing that is not as it should be. */
export interface FsckFinding {
  /** A code of `storeErrors`. */
  readonly code: string;
  /** What it is about: a digest, a run id or a path. */
  readonly subject: string;
  readonly message: string;
}

/** Result of a check. */
export interface FsckReport {
  readonly blobs: number;
  readonly trees: number;
  readonly runs: number;
  /** Empty when all is well. */
  readonly findings: readonly FsckFinding[];
}

/**
 * Reads everything in the stores again: every blob and tree against its digest, every record, and that finished runs,
 * records of the mirror and the registry have the content they refer to. Damaged content is quarantined, so that it can
 * be made or fetched again.
 */
export function fsck(
  home: Home,
  stores: { readonly content: FileContentStore; readonly trees: TreeStore; readonly runs: RunStore },
): Promise<FsckReport> {
  return guarded("checking the home", async () => {
    const findings: FsckFinding[] = [];
    const blobs = await checkBlobs(home, stores.content, findings);
    let trees = 0;
    for await (const { digest } of stores.trees.list()) {
      trees++;
      await noting(findings, digest, () => stores.trees.verify(digest));
    }
    let runs = 0;
    for (const id of stores.runs.ids()) {
      runs++;
      await noting(findings, id, () => checkRun(stores, id, findings));
    }
    for (const digest of mirrorBodies(home)) {
      if (await stores.content.has(digest)) continue;
      findings.push({
        code: "STORE_BLOB_MISSING",
        subject: digest,
        message: "expected the body that a record of the mirror names",
      });
    }
    await checkRegistry(home, stores.content, findings);
    return { blobs, trees, runs, findings };
  });
}

async function checkRegistry(home: Home, content: FileContentStore, findings: FsckFinding[]): Promise<void> {
  const registry = new RegistryReferences(home);
  try {
    for (const digest of registry.all()) {
      // It may have been deleted meanwhile, and then nobody misses it.
      if ((await content.has(digest)) || !registry.needs(digest)) continue;
      findings.push({
        code: "STORE_BLOB_MISSING",
        subject: digest,
        message: "expected the content that the registry has",
      });
    }
  } finally {
    registry.close();
  }
}

async function checkBlobs(home: Home, content: FileContentStore, findings: FsckFinding[]): Promise<number> {
  const directory = join(home.paths.store, "blobs", "sha256");
  let count = 0;
  for (const name of readdirSync(directory).sort()) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) {
      if (name.startsWith(TEMPORARY_PREFIX)) continue;
      const message = "expected only blobs named by their digests";
      findings.push({ code: "STORE_BLOB_CORRUPT", subject: join(directory, name), message });
      continue;
    }
    count++;
    await noting(findings, digest, async () => {
      for await (const part of content.stream(digest)) void part;
    });
  }
  return count;
}

async function checkRun(
  stores: { readonly content: FileContentStore; readonly trees: TreeStore; readonly runs: RunStore },
  id: string,
  findings: FsckFinding[],
): Promise<void> {
  const record = await stores.runs.get(id);
  if (record.state !== "succeeded") return;
  for (const { digest } of record.bundles) {
    if (!(await stores.content.has(digest))) {
      findings.push({
        code: "STORE_BLOB_MISSING",
        subject: digest,
        message: `expected the bundle that run ${id} lists`,
      });
    }
  }
  for (const { digest, name } of record.artifacts) {
    if (!(await stores.content.has(digest)) && !(await stores.trees.has(digest))) {
      findings.push({ code: "STORE_BLOB_MISSING", subject: digest, message: `expected artifact ${name} of run ${id}` });
    }
  }
}

/** Turns a refusal of ours into a finding; a failing disk stops the check, since it says nothing about the content. */
async function noting(findings: FsckFinding[], subject: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (cause) {
    if (!isFactoryError(cause) || cause.nature === "unavailable") throw cause;
    findings.push({ code: cause.code, subject, message: cause.message });
  }
}
