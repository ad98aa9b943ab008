import { readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Digest, digestHex, isDigest, parseJson, sha256 } from "@touchmark/core";
import { type Link, predicateType, type RuntimeTrace, readPredicate } from "@touchmark/formats/predicates";
import { stepId } from "@touchmark/identity";
import { writeFileAtomically } from "@touchmark/store";
import { type TrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { pipelineErrors } from "./errors.ts";
import type { RecordedBundle } from "./evidence/recorder.ts";
import type { ResolvedInput } from "./execute-step.ts";
import type { Factory } from "./factory.ts";
import type { HostFile, HostFiles } from "./host-files.ts";
import type { PlannedStep } from "./plan.ts";

/** Changes whenever a step with equal inputs could come out differently: sandbox view, tree format, evidence. */
const KEY_FORMAT = "touchmark step key v1";

/** Everything that decides what a step does, as one digest. The host's files are checked apart, by the trace. */
export function stepKey(
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  profile: Digest,
  epochSeconds: number,
): Digest {
  const { definition } = step;
  return sha256(
    canonicalJson({
      format: KEY_FORMAT,
      step: step.name,
      command: definition.command,
      directory: definition.directory,
      environment: step.environment,
      inputs: inputs.map(({ at, access, tree }) => ({ at, access, tree })),
      output: definition.output,
      network: definition.network,
      limits: { ...definition.limits },
      toolchains: definition.toolchains,
      insecureProcess: definition.insecureProcess,
      profile,
      epochSeconds,
    }),
  );
}

/** What the cache remembers of a performed step. A hint where to look: what counts is the signed evidence. */
interface CacheEntry {
  readonly key: Digest;
  readonly run: string;
  readonly output: Digest;
  readonly bundles: readonly RecordedBundle[];
}

/** A step that need not run again. */
export interface CachedStep {
  readonly run: string;
  readonly output: Digest;
  readonly functionary: string;
  readonly link: Digest;
  readonly trace: Digest;
  readonly bundles: readonly RecordedBundle[];
  readonly tier: string;
  readonly observer: string;
  readonly complete: boolean;
  readonly files: readonly HostFile[];
}

/** Where the trust domain, project and pipeline of a step's identity come from. */
export interface CacheScope {
  readonly factory: Factory;
  readonly trustRoot: TrustRoot;
  readonly trustDomain: string;
  readonly issuer: string;
  readonly project: string;
  readonly pipeline: string;
  readonly hostFiles: HostFiles;
}

/** Remembers a performed step. */
export function remember(factory: Factory, entry: CacheEntry): void {
  writeFileAtomically(entryPath(factory, entry.key), `${canonicalJson(entry)}\n`, { durable: false });
}

/**
 * Looks for a result of the same key. A hit counts when the output tree is still there, the link verifies as signed by
 * this very step's identity and names key, inputs and output, the trace verifies and is complete, and every file of
 * the host that the step used still has its digest.
 * @throws CACHE_POISONED when an entry is contradicted by the evidence that it names
 */
export async function recall(
  scope: CacheScope,
  step: PlannedStep,
  key: Digest,
  inputs: readonly ResolvedInput[],
): Promise<CachedStep | undefined> {
  const { factory } = scope;
  const entry = readEntry(factory, key);
  if (entry === undefined) return undefined;
  if (!(await factory.trees.use(entry.output))) return undefined;
  const functionary = stepId(scope.trustDomain, scope.project, scope.pipeline, step.name);
  const link = await verifiedBundle(scope, entry, "link", functionary);
  const trace = await verifiedBundle(scope, entry, "runtime-trace", functionary);
  if (link === undefined || trace === undefined) return undefined;
  const performed = readPredicate("link", link.statement.predicate);
  const problem = contradiction(performed, link, trace, key, inputs, entry);
  if (problem !== undefined) {
    throw pipelineErrors.make("CACHE_POISONED", `the cache entry of step ${step.name} ${problem}`);
  }
  const observed = readPredicate("runtime-trace", trace.statement.predicate);
  const extension = observed.touchmark_trace;
  if (extension?.complete !== true) return undefined;
  const files = hostFilesOf(observed);
  if (!scope.hostFiles.unchanged(files)) return undefined;
  return {
    run: entry.run,
    output: entry.output,
    functionary,
    link: link.bundle,
    trace: trace.bundle,
    bundles: entry.bundles,
    tier: String((performed.environment as { tier?: unknown } | undefined)?.tier ?? "unknown"),
    observer: extension.tier,
    complete: true,
    files,
  };
}

/** The files of the host that a trace names with a digest. */
export function hostFilesOf(trace: RuntimeTrace): HostFile[] {
  return (trace.monitorLog.fileAccess ?? []).flatMap((file) => {
    const origin = (file.annotations as { origin?: unknown } | undefined)?.origin;
    const hex = file.digest?.["sha256"];
    return origin === "toolchain" && file.name !== undefined && hex !== undefined
      ? [{ path: file.name, digest: `sha256:${hex}` as Digest }]
      : [];
  });
}

function contradiction(
  performed: Link,
  link: VerifiedStatement,
  trace: VerifiedStatement,
  key: Digest,
  inputs: readonly ResolvedInput[],
  entry: CacheEntry,
): string | undefined {
  const environment = (performed.environment ?? {}) as { key?: unknown; outcome?: unknown };
  if (environment.key !== key) return "names a link that was signed for another key";
  if (environment.outcome !== "succeeded") return "names a link of a step that did not succeed";
  if (!namesOutput(link, entry.output) || !namesOutput(trace, entry.output))
    return "names an output that its evidence does not";
  const materials = (performed.materials ?? []).map((material) => material.digest?.["sha256"]).sort();
  const expected = inputs.map((input) => digestHex(input.tree)).sort();
  return canonicalJson(materials) === canonicalJson(expected) ? undefined : "names a link with other inputs";
}

function namesOutput(verified: VerifiedStatement, output: Digest): boolean {
  return verified.statement.subject.some((subject) => subject.digest["sha256"] === digestHex(output));
}

async function verifiedBundle(
  scope: CacheScope,
  entry: CacheEntry,
  name: "link" | "runtime-trace",
  identity: string,
): Promise<VerifiedStatement | undefined> {
  const row = entry.bundles.find((bundle) => bundle.predicateType === predicateType(name));
  if (row === undefined || !(await scope.factory.content.has(row.digest))) return undefined;
  const bytes = await scope.factory.content.get(row.digest);
  try {
    return verifyBundle(bytes, scope.trustRoot, {
      artifact: "unbound",
      identity,
      issuer: scope.issuer,
      predicateType: predicateType(name),
    });
  } catch (cause) {
    throw pipelineErrors.make("CACHE_POISONED", `the cache names a ${name} that does not verify as ${identity}`, {
      cause,
    });
  }
}

function readEntry(factory: Factory, key: Digest): CacheEntry | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(entryPath(factory, key));
  } catch {
    return undefined;
  }
  try {
    const entry = parseJson(bytes, { maxBytes: 1024 * 1024 }) as unknown as CacheEntry;
    const sound =
      entry.key === key &&
      typeof entry.run === "string" &&
      isDigest(entry.output) &&
      Array.isArray(entry.bundles) &&
      entry.bundles.every(
        (row: RecordedBundle) =>
          isDigest(row.digest) && typeof row.predicateType === "string" && typeof row.name === "string",
      );
    return sound ? entry : undefined;
  } catch {
    // A damaged hint is no hint.
    return undefined;
  }
}

function entryPath(factory: Factory, key: Digest): string {
  return join(factory.home.paths.cache, `step-${digestHex(key)}.json`);
}
