import { statSync } from "node:fs";
import { type Digest, isDigest } from "@touchmark/core";
import { findRuns, type IndexMending, openIndex, type RunRecord } from "@touchmark/store";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import { digestOfFile } from "./file-digest.ts";

/** A run by its id, a unique beginning of it, or `latest`. @throws RUN_UNKNOWN */
export async function findRun(factory: Factory, name: string): Promise<RunRecord> {
  const ids = factory.runs.ids();
  const found = name === "latest" ? ids.slice(0, 1) : ids.filter((id) => id.startsWith(name));
  const [id] = found;
  if (id === undefined || name === "") {
    const some = ids.slice(0, 3).join(", ");
    throw pipelineErrors.make("RUN_UNKNOWN", `expected a run, found ${JSON.stringify(name.slice(0, 80))}`, {
      hint: some === "" ? "there are no runs yet; touchmark run makes the first" : `the newest are ${some}`,
    });
  }
  if (found.length > 1 && id !== name) {
    throw pipelineErrors.make("RUN_UNKNOWN", `${JSON.stringify(name)} is the beginning of ${found.length} runs`);
  }
  return factory.runs.get(id);
}

/** The artifact that a person names: a digest, or a file, which is hashed. */
export interface NamedArtifact {
  readonly digest: Digest;
  /** Set when a file was named. */
  readonly path?: string;
}

/** Reads `sha256:…` or the path of a file. @throws ARTIFACT_UNKNOWN */
export async function namedArtifact(name: string): Promise<NamedArtifact> {
  if (isDigest(name)) return { digest: name };
  if (statSync(name, { throwIfNoEntry: false })?.isFile() !== true) {
    throw pipelineErrors.make(
      "ARTIFACT_UNKNOWN",
      `expected a file or sha256:<64 hex digits>, found ${JSON.stringify(name.slice(0, 200))}`,
    );
  }
  try {
    return { digest: digestOfFile(name), path: name };
  } catch (cause) {
    throw pipelineErrors.make("ARTIFACT_UNKNOWN", `cannot read ${JSON.stringify(name.slice(0, 200))}`, { cause });
  }
}

/** The runs that made an artifact of this digest, newest first. */
export async function runsOf(factory: Factory, digest: Digest, mending?: IndexMending): Promise<RunRecord[]> {
  const index = await openIndex(factory.home);
  const more = mending === undefined ? {} : { mending };
  try {
    return await findRuns({ content: factory.content, runs: factory.runs, index, ...more }, digest);
  } finally {
    index.close();
  }
}

/** True for text that names an artifact: a digest, or a file that exists. */
export function isDigestOrFile(name: string): boolean {
  return isDigest(name) || statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}
