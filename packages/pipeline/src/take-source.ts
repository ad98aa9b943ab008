import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { type PipelineFile, parsePipelineFile } from "@touchmark/formats/pipeline";
import {
  fetchSource,
  fetchWorkingTree,
  readAtRevision,
  requireCleanWorkingTree,
  resolveRevision,
  type SourceRecord,
} from "@touchmark/source";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import type { RunRequest } from "./run.ts";
import { sourceSigners } from "./source-signers.ts";

/** The file that a revision's pipelines are read from. */
export const PIPELINE_FILE = "touchmark.yaml";

/** Brings the revision here, as a stored tree, with its own pipeline file. */
export async function takeSource(
  factory: Factory,
  request: RunRequest,
  begun: number,
): Promise<{ readonly source: SourceRecord; readonly file: PipelineFile }> {
  const { location, revision = "HEAD" } = request;
  const repositoryStore = factory.home.paths.repositories;
  const resolved = await resolveRevision({ location, repositoryStore, revision });
  const directory = await factory.home.scratch("source");
  const options = { location, repositoryStore, revision: resolved.commit, directory };
  let source: SourceRecord;
  let file: PipelineFile;
  if (request.insecureWorkingTree === true) {
    source = await fetchWorkingTree(options);
    file = await pipelineFileOf(async () => readOwnFile(join(directory, PIPELINE_FILE)));
  } else {
    [file] = await Promise.all([
      pipelineFileOf(() => readAtRevision(location, resolved.commit, PIPELINE_FILE, { repositoryStore })),
      revision === "HEAD" ? requireCleanWorkingTree({ location, repositoryStore }) : undefined,
    ]);
    source = await fetchSource({ ...options, declared: file.source, signers: sourceSigners(factory) });
  }
  source = { ...source, revision };
  const epoch = Math.floor(source.committedAt.getTime() / 1000);
  const tree = await factory.trees.ingest(directory, { epoch });
  if (tree.digest !== source.treeDigest) {
    throw pipelineErrors.make(
      "INPUT_CHANGED",
      `the source was fetched as ${source.treeDigest}, and stored as ${tree.digest}`,
    );
  }
  const { commit } = source;
  request.listener({
    type: "source-fetched",
    commit,
    files: source.entries.length,
    durationMs: performance.now() - begun,
  });
  return { source, file };
}

/** Reads a file that may be no link: in a working tree it could lead anywhere. */
function readOwnFile(path: string): Uint8Array {
  if (!lstatSync(path).isFile()) throw Object.assign(new Error(`not a regular file: ${path}`), { code: "ENOENT" });
  return readFileSync(path);
}

/** Reads and parses the pipeline file. @throws PIPELINE_MISSING and the codes of the document */
async function pipelineFileOf(read: () => Promise<Uint8Array>): Promise<PipelineFile> {
  let bytes: Uint8Array;
  try {
    bytes = await read();
  } catch (cause) {
    const absent =
      (isFactoryError(cause) && cause.code === "SOURCE_FILE_UNKNOWN") ||
      (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (!absent) throw cause;
    throw pipelineErrors.make("PIPELINE_MISSING", `expected ${PIPELINE_FILE} at the top of the revision, found none`, {
      cause,
    });
  }
  return parsePipelineFile(Buffer.from(bytes).toString("utf8"), PIPELINE_FILE);
}
