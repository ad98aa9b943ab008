import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { type LockedPackage, type Lockfile, readLockfile } from "@touchmark/formats/lockfiles";
import { type Material, type Materials, predicateType, readPredicate } from "@touchmark/formats/predicates";
import type { RunRecord } from "@touchmark/store";
import { pipelineErrors } from "../errors.ts";
import type { Factory } from "../factory.ts";
import { findRun } from "../lookup.ts";
import { type BuiltOf, factoryBuildOf } from "./factory-build.ts";
import { besideLockfile } from "./lockfiles-of-step.ts";

/** A material of a run, and why it is there. */
export interface MaterialExplanation {
  readonly run: string;
  readonly step: string;
  readonly material: Material;
  /** Lock entries that allow it. */
  readonly locked: readonly { readonly file: string; readonly key: string; readonly scope: string }[];
  /** Shortest ways from the project to the package, each a list of lock keys; the project's own is left out. */
  readonly ways: readonly (readonly string[])[];
  /** What it was itself built of, where a factory that the user trusts said so. */
  readonly builtOf?: BuiltOf;
}

/** Statements about materials of a run, in order. They are read, not verified: `verify` does that. */
export async function materialsOfRun(factory: Factory, run: RunRecord): Promise<readonly Materials[]> {
  const found: Materials[] = [];
  for (const row of run.bundles) {
    if (row.predicateType !== predicateType("materials")) continue;
    const { content } = parseBundle(await factory.content.get(row.digest));
    if (content.kind === "envelope") found.push(readPredicate("materials", parseStatement(content.payload).predicate));
  }
  return found;
}

/**
 * Explains every material of a run whose package URL, name or address is the one given.
 * @throws RUN_UNKNOWN | MATERIAL_UNKNOWN | MATERIALS_CONFIG_*
 */
export async function explainMaterial(
  factory: Factory,
  wanted: string,
  runName?: string,
): Promise<readonly MaterialExplanation[]> {
  const run = runName === undefined ? await newestWithMaterials(factory) : await findRun(factory, runName);
  const statements = await materialsOfRun(factory, run);
  const found = statements.flatMap((statement) => {
    const lockfiles = lockfilesOf(factory, run, statement);
    return statement.materials
      .filter((material) => isWanted(material, wanted))
      .map((material) => explain(run.id, statement.step, material, lockfiles));
  });
  if (found.length === 0) {
    const names = statements.flatMap((statement) => statement.materials.flatMap(({ purl }) => purl ?? []));
    const near = names.filter((name) => name.toLowerCase().includes(wanted.toLowerCase())).slice(0, 5);
    throw pipelineErrors.make(
      "MATERIAL_UNKNOWN",
      `expected a package of run ${run.id}, found ${JSON.stringify(wanted.slice(0, 200))}`,
      {
        hint: near.length > 0 ? `near it: ${near.join(", ")}` : "touchmark materials list shows what the mirror holds",
      },
    );
  }
  return Promise.all(
    found.map(async (each) => {
      const builtOf = await factoryBuildOf(factory, each.material);
      return builtOf === undefined ? each : { ...each, builtOf };
    }),
  );
}

async function newestWithMaterials(factory: Factory): Promise<RunRecord> {
  for (const id of factory.runs.ids()) {
    const run = await factory.runs.get(id);
    if (run.bundles.some((row) => row.predicateType === predicateType("materials"))) return run;
  }
  throw pipelineErrors.make("RUN_UNKNOWN", "expected a run with a fetch step, found none");
}

function isWanted(material: Material, wanted: string): boolean {
  const { purl, url } = material;
  if (url === wanted) return true;
  if (purl === undefined || !["archive", "download", "git"].includes(material.kind)) return false;
  const bare = purl.replace(/[?#].*$/, "");
  const unversioned = bare.replace(/@[^@/]*$/, "");
  const name = decodeURIComponent(unversioned.replace(/^pkg:[^/]+\//, ""));
  return [purl, bare, unversioned, name, `${name}@${bare.slice(unversioned.length + 1)}`].includes(wanted);
}

/** The lockfiles that spoke for a step, when the source that held them is still stored. */
function lockfilesOf(factory: Factory, run: RunRecord, statement: Materials): Lockfile[] {
  const tree = (run.details as { source?: { treeDigest?: Digest } }).source?.treeDigest;
  if (tree === undefined) return [];
  return statement.lockfiles.flatMap(({ path }) => {
    const file = join(factory.trees.root(tree), path);
    const companion = (beside: string): Uint8Array | undefined => besideLockfile(dirname(file), beside);
    return existsSync(file) ? [readLockfile(path, readFileSync(file), { companion })] : [];
  });
}

function explain(run: string, step: string, material: Material, lockfiles: readonly Lockfile[]): MaterialExplanation {
  const entries = lockfiles.flatMap((lockfile) =>
    lockfile.packages
      .filter((entry) => entry.purl !== undefined && entry.purl === material.purl)
      .map((entry) => ({ lockfile, entry })),
  );
  return {
    ...{ run, step, material },
    locked: entries.map(({ lockfile, entry }) => ({ file: lockfile.path, key: entry.key, scope: entry.scope })),
    ways: entries.map(({ lockfile, entry }) => wayTo(lockfile, entry)).filter((way) => way.length > 0),
  };
}

/** The shortest way from a direct dependency to an entry, by breadth first. */
function wayTo(lockfile: Lockfile, target: LockedPackage): readonly string[] {
  const byKey = new Map(lockfile.packages.map((entry) => [entry.key, entry]));
  const ways = new Map<string, readonly string[]>();
  const queue = lockfile.packages.filter((entry) => entry.direct);
  for (const entry of queue) ways.set(entry.key, [entry.key]);
  for (let at = 0; at < queue.length; at++) {
    const entry = queue[at];
    const way = entry && ways.get(entry.key);
    if (entry === undefined || way === undefined) continue;
    if (entry.key === target.key) return way;
    for (const key of entry.dependencies) {
      const next = byKey.get(key);
      if (next === undefined || ways.has(key)) continue;
      ways.set(key, [...way, key]);
      queue.push(next);
    }
  }
  return [];
}
