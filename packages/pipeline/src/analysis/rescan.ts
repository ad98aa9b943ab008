import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  advisoryDatabaseErrors,
  advisoryPlace,
  applyVex,
  type ChangedPackage,
  type CompiledAdvisoryDatabase,
  changedPackages,
  databasePath,
  openAdvisoryDatabase,
  rematch,
} from "@touchmark/advisories";
import { type Digest, digestHex, isDigest, isFactoryError, parseJson } from "@touchmark/core";
import type { Finding, NotEvaluated, ScanGatePolicy, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { writeFileAtomically } from "@touchmark/store";
import { signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import { productVersion } from "../version.ts";
import { openFactoryAdvisories } from "./advisory-place.ts";
import { vulnsStatement } from "./analysis-statements.ts";
import { type KeptVex, keptVex, vexFor } from "./kept-vex.ts";
import { decideAll, scanSbom } from "./scan.ts";
import { readScanConfiguration } from "./scan-configuration.ts";
import { sbomOfArtifact } from "./stored-sbom.ts";

/** What became of one artifact since it was last looked at. */
export interface RescannedArtifact {
  readonly artifact: Digest;
  readonly name: string;
  readonly run: string;
  /** Set when its SBOM was matched again, whole or in part; absent: nothing that concerns it changed. */
  readonly scanned?: "whole" | "part";
  readonly findings: readonly Finding[];
  /** Ids that the last look did not have; all of them the first time. */
  readonly appeared: readonly Finding[];
  readonly gone: readonly Finding[];
  readonly gate: ScanGateResult;
  /** The new result, signed; absent when there was nothing new. */
  readonly bundle?: Digest;
}

/** How stored SBOMs are looked at again. */
export interface RescanOptions {
  /** Signs and logs what changed. */
  readonly attest: boolean;
  readonly signal?: AbortSignal;
  /** Runs that are looked at, newest first. Default: 1000. */
  readonly runs?: number;
}

/** What is remembered of an artifact between two looks. It is no evidence: without it the SBOM is matched whole. */
interface Remembered {
  readonly database: Digest;
  readonly sbom: Digest;
  readonly findings: readonly Finding[];
  readonly notEvaluated: readonly NotEvaluated[];
}

const MAX_MEMORY = 64 * 1024 * 1024;

/**
 * Matches the signed SBOM of every released artifact against the advisory data of today. Only packages whose advisories
 * changed are matched again; what is new is signed. @throws ADVISORY_…
 */
export async function rescanArtifacts(factory: Factory, options: RescanOptions): Promise<readonly RescannedArtifact[]> {
  const opened = await openFactoryAdvisories(factory);
  if (opened === undefined) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_DATABASE_MISSING",
      "expected advisory data to look at stored SBOMs by, found none",
    );
  }
  const { database } = opened;
  const { gate: policy } = readScanConfiguration(factory);
  const memory = join(advisoryPlace(factory.home.path).directory, "watch");
  mkdirSync(memory, { recursive: true, mode: 0o700 });
  const changes = new Map<Digest, readonly ChangedPackage[] | undefined>();
  const { kept } = await keptVex(factory);
  const scene: Scene = {
    factory,
    database,
    policies: policy === undefined ? [] : [policy],
    memory,
    changes,
    options,
    kept,
  };
  const results: RescannedArtifact[] = [];
  try {
    for (const { digest, name, run, project } of await releasedArtifacts(factory, options.runs ?? 1000)) {
      options.signal?.throwIfAborted();
      const result = await rescan(scene, { artifact: digest, name, run, project });
      if (result !== undefined) results.push(result);
    }
    forget(memory, new Set(results.map(({ artifact }) => artifact)));
  } finally {
    database.close();
  }
  return results;
}

interface Released {
  readonly artifact: Digest;
  readonly name: string;
  readonly run: string;
  readonly project: string;
}

interface Scene {
  readonly factory: Factory;
  readonly database: CompiledAdvisoryDatabase;
  readonly policies: readonly ScanGatePolicy[];
  readonly memory: string;
  readonly kept: readonly KeptVex[];
  readonly changes: Map<Digest, readonly ChangedPackage[] | undefined>;
  readonly options: RescanOptions;
}

async function rescan(
  scene: Scene,
  { artifact, name, run, project }: Released,
): Promise<RescannedArtifact | undefined> {
  const { factory, database, policies, memory } = scene;
  let stored: Awaited<ReturnType<typeof sbomOfArtifact>>;
  try {
    stored = await sbomOfArtifact(factory, artifact);
  } catch (error) {
    // Artifacts that nobody wanted analysed have none.
    if (isFactoryError(error) && error.code === "EVIDENCE_MISSING") return undefined;
    throw error;
  }
  const now = factory.clock.now();
  const path = join(memory, `${digestHex(artifact)}.json`);
  const before = recall(path, stored.digest);
  const changed = before === undefined ? undefined : changesSince(scene, before.database);
  const { result: matched, scanned } = match();
  const { result } = applyVex(matched, vexFor(scene.kept, { project, artifact, now }));
  const known = new Set((before?.findings ?? []).map(keyOf));
  const still = new Set(result.findings.map(keyOf));
  const appeared = result.findings.filter((finding) => !known.has(keyOf(finding)));
  const gone = (before?.findings ?? []).filter((finding) => !still.has(keyOf(finding)));
  const isNews = before === undefined || appeared.length > 0 || gone.length > 0;
  const bundle = isNews && scene.options.attest ? await attest(scene, artifact, name, result, now) : undefined;
  const remembered: Remembered = {
    database: database.facts.digest as Digest,
    sbom: stored.digest,
    findings: matched.findings,
    notEvaluated: matched.notEvaluated,
  };
  // Remembered last: a look that was cut off is taken again.
  if (scanned !== undefined) writeFileAtomically(path, JSON.stringify(remembered));
  return {
    ...{ artifact, name, run, appeared, gone },
    ...(scanned === undefined ? {} : { scanned }),
    findings: result.findings,
    gate: decideAll(result, policies, now),
    ...(bundle === undefined ? {} : { bundle }),
  };

  function match(): { result: ScanResult; scanned?: "whole" | "part" } {
    const whole = (): ScanResult => scanSbom(stored.sbom, { now, policies, database });
    if (before === undefined || changed === undefined) return { result: whole(), scanned: "whole" };
    const previous: ScanResult = {
      ...scanSbom(stored.sbom, { now, policies }),
      findings: before.findings,
      notEvaluated: before.notEvaluated,
      advisories: database.facts,
    };
    if (before.database === database.facts.digest) return { result: previous };
    return { result: rematch(previous, changed, database, { at: now.toISOString() }), scanned: "part" };
  }
}

async function attest(scene: Scene, artifact: Digest, name: string, result: ScanResult, at: Date): Promise<Digest> {
  const statement = vulnsStatement({ name, digest: artifact }, result, productVersion, at);
  return (await signAttestation(scene.factory, statement)).bundle;
}

/** Packages whose advisories differ between an earlier database and this one; undefined when that is no longer there. */
function changesSince({ factory, database, changes }: Scene, earlier: Digest): readonly ChangedPackage[] | undefined {
  if (earlier === database.facts.digest) return [];
  if (changes.has(earlier)) return changes.get(earlier);
  let found: readonly ChangedPackage[] | undefined;
  try {
    const before = openAdvisoryDatabase(databasePath(advisoryPlace(factory.home.path), earlier), { digest: earlier });
    try {
      found = changedPackages(before, database);
    } finally {
      before.close();
    }
  } catch (error) {
    if (!isFactoryError(error)) throw error;
  }
  changes.set(earlier, found);
  return found;
}

function recall(path: string, sbom: Digest): Remembered | undefined {
  try {
    const value = parseJson(readFileSync(path), { maxBytes: MAX_MEMORY }) as Partial<Remembered> | null;
    const isWhole = value?.sbom === sbom && Array.isArray(value.findings) && Array.isArray(value.notEvaluated);
    return isWhole && value.database !== undefined && isDigest(value.database) ? (value as Remembered) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what is remembered of artifacts that are no more. */
function forget(memory: string, kept: ReadonlySet<Digest>): void {
  for (const name of readdirSync(memory)) {
    const digest = `sha256:${name.replace(/\.json$/, "")}`;
    if (!isDigest(digest) || !kept.has(digest)) rmSync(join(memory, name), { force: true });
  }
}

/** Artifacts of runs that succeeded, each once, by its newest run. */
async function releasedArtifacts(factory: Factory, limit: number) {
  const found = new Map<
    Digest,
    { readonly digest: Digest; readonly name: string; readonly run: string; readonly project: string }
  >();
  for (const run of await factory.runs.list({ limit })) {
    if (run.state !== "succeeded") continue;
    for (const { digest, name } of run.artifacts)
      if (!found.has(digest)) found.set(digest, { digest, name, run: run.id, project: run.project });
  }
  return [...found.values()];
}

function keyOf({ id, component, severity }: Finding): string {
  return JSON.stringify([id, component, severity.class]);
}
