import { join } from "node:path";
import { canonicalJson, parseJson } from "@touchmark/core";
import { readIfPresent, writeFileAtomically } from "@touchmark/store";
import type { Factory } from "./factory.ts";

/** What this factory's user has built under a project's name. */
export interface ProjectRecord {
  readonly project: string;
  /** Sources that a run was asked for, by URI, oldest first. */
  readonly sources: readonly string[];
  readonly pipelines: readonly string[];
}

const MAX_RECORD_BYTES = 1024 * 1024;

/** The record of a project; empty when nothing was built under that name. */
export function readProject(factory: Factory, project: string): ProjectRecord {
  const bytes = readIfPresent(recordPath(factory, project));
  if (bytes === undefined) return { project, sources: [], pipelines: [] };
  return parseJson(bytes, { maxBytes: MAX_RECORD_BYTES }) as unknown as ProjectRecord;
}

/** Notes that the user asked for a run of the project from this source; verification later accepts no other. */
export async function recordProject(
  factory: Factory,
  project: string,
  source: string,
  pipeline: string,
): Promise<void> {
  const known = readProject(factory, project);
  if (known.sources.includes(source) && known.pipelines.includes(pipeline)) return;
  const lock = await factory.home.lock("projects");
  try {
    const { sources, pipelines } = readProject(factory, project);
    const record: ProjectRecord = {
      project,
      sources: [...new Set([...sources, source])],
      pipelines: [...new Set([...pipelines, pipeline])],
    };
    writeFileAtomically(recordPath(factory, project), `${canonicalJson(record)}\n`, { durable: true });
  } finally {
    lock.release();
  }
}

/** Project names are checked by the pipeline document: letters, digits, dots, dashes and underscores. */
function recordPath(factory: Factory, project: string): string {
  return join(factory.home.paths.projects, `${project.replace(/[^A-Za-z0-9._-]/g, "_")}.json`);
}
