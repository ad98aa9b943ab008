import { randomBytes } from "node:crypto";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Digest, digestHex, isDigest, isFactoryError, parseJson, sha256 } from "@touchmark/core";
import { type PredicateName, predicateType, type RuntimeTrace, readPredicate } from "@touchmark/formats/predicates";
import { builderId, stepId } from "@touchmark/identity";
import { writeFileAtomically } from "@touchmark/store";
import { type TrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { generatedFiles } from "@touchmark/worker";
import { pipelineErrors } from "./errors.ts";
import type { RecordedBundle } from "./evidence/recorder.ts";
import type { ResolvedInput } from "./execute-step.ts";
import type { Factory } from "./factory.ts";
import type { HostFile, HostFiles } from "./host-files.ts";
import { type ReadFile, unaccountedOf } from "./materials/used-files.ts";
import type { PlannedStep } from "./plan.ts";

/** Changes whenever a step with equal inputs could come out differently: sandbox view, tree format, evidence. */
const KEY_FORMAT = "touchmark step key v3";

/**
 * Everything that decides what a step does, as one digest, and whose word on it counts: equal steps of two projects are
 * two. The host's files are checked apart, by the trace.
 */
export function stepKey(
  step: PlannedStep,
  functionary: string,
  inputs: readonly ResolvedInput[],
  profile: Digest,
  epochSeconds: number,
  image: Digest | undefined,
): Digest {
  const { definition } = step;
  return sha256(
    canonicalJson({
      format: KEY_FORMAT,
      step: step.name,
      functionary,
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
      image,
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
  /** The same, as they were verified. */
  readonly verified: readonly VerifiedStatement[];
  readonly tier: string;
  readonly observer: string;
  readonly complete: boolean;
  readonly files: readonly HostFile[];
  /** Files of its inputs that it read, by their places. */
  readonly inputFiles: readonly ReadFile[];
  /** Files of others that it read, and that have no digest. */
  readonly unaccounted: number;
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
 * Looks for a result of the same key. A hit counts when the output tree is still there, all four statements about the
 * step verify as signed by those who alone may make them, belong to one run and name key, inputs and output, the trace
 * is complete, and every file of the host that the step used still has its digest. The tree itself is hashed by whoever
 * uses it.
 * @throws CACHE_POISONED when an entry is contradicted by the evidence that it names; the entry is set aside
 */
export async function recall(
  scope: CacheScope,
  step: PlannedStep,
  key: Digest,
  inputs: readonly ResolvedInput[],
): Promise<CachedStep | undefined> {
  const entry = readEntry(scope.factory, key);
  if (entry === undefined) return undefined;
  try {
    return await supported(scope, step, entry, inputs);
  } catch (error) {
    if (isFactoryError(error) && error.code === "CACHE_POISONED") setAside(scope.factory, key);
    throw error;
  }
}

async function supported(
  scope: CacheScope,
  step: PlannedStep,
  entry: CacheEntry,
  inputs: readonly ResolvedInput[],
): Promise<CachedStep | undefined> {
  if (!(await scope.factory.trees.use(entry.output))) return undefined;
  const found = await statementsOf(scope, step, entry);
  if (found === undefined) return undefined;
  const performed = readPredicate("link", found.link.statement.predicate);
  const observed = readPredicate("runtime-trace", found.trace.statement.predicate);
  const facts = (performed.environment ?? {}) as Readonly<Record<string, unknown>>;
  const materials = (performed.materials ?? []).map(({ name, digest }) => [name, digest?.["sha256"]]);
  const expected = inputs.map((input) => [input.from, digestHex(input.tree)]);
  const run = performed.touchmark_chain?.run;
  const poisoned = (what: string) => poisonedBy(step, what);
  if (facts["key"] !== entry.key) throw poisoned("names a link that was signed for another key");
  if (facts["outcome"] !== "succeeded" || facts["network"] !== "none")
    throw poisoned("names a link of a step that did not succeed, or had a network");
  if (canonicalJson(materials) !== canonicalJson(expected)) throw poisoned("names a link with other inputs");
  if (run === undefined || run !== entry.run) throw poisoned("names a link of another run");
  if (observed.monitoredProcess.event !== `run/${run}/step/${step.name}`)
    throw poisoned("names the trace of another step or run");
  const extension = observed.touchmark_trace;
  if (extension?.complete !== true) return undefined;
  // What an image holds is decided by its digest, which is part of the key.
  const files = step.definition.image === undefined ? hostFilesOf(observed) : [];
  if (!scope.hostFiles.unchanged(files)) return undefined;
  return {
    run,
    output: entry.output,
    functionary: stepId(scope.trustDomain, scope.project, scope.pipeline, step.name),
    link: found.link.bundle,
    trace: found.trace.bundle,
    bundles: recordedBundles(step, found),
    verified: Object.values(found),
    tier: typeof facts["tier"] === "string" ? facts["tier"] : "unknown",
    observer: extension.tier,
    complete: true,
    files,
    ...inputFilesOf(observed),
  };
}

/** What a trace says of the files that a step was given. */
function inputFilesOf(observed: RuntimeTrace): Pick<CachedStep, "inputFiles" | "unaccounted"> {
  const files = (observed.monitorLog.fileAccess ?? []).map((file): ReadFile => {
    const hex = file.digest?.["sha256"];
    const origin = String(file.annotations?.["origin"]);
    return { path: file.name ?? "", origin, ...(hex === undefined ? {} : { digest: `sha256:${hex}` }) };
  });
  return { inputFiles: files.filter((file) => file.origin === "input"), unaccounted: unaccountedOf(files) };
}

/** The four statements about a step: last part of the name, kind, and whether the step itself signs it. */
const statements = [
  { part: "workload", kind: "workload-attestation", own: false },
  { part: "link", kind: "link", own: true },
  { part: "trace", kind: "runtime-trace", own: true },
  { part: "mounts", kind: "mounts-and-network", own: false },
] as const satisfies readonly { part: string; kind: PredicateName; own: boolean }[];

type StatementPart = (typeof statements)[number]["part"];
type StepStatements = Readonly<Record<StatementPart, VerifiedStatement>>;

/** Verifies what the entry names. Undefined when something of it is no longer stored. */
async function statementsOf(
  scope: CacheScope,
  step: PlannedStep,
  entry: CacheEntry,
): Promise<StepStatements | undefined> {
  if (entry.bundles.length !== statements.length) throw poisonedBy(step, "names other bundles than a step has");
  const found = new Map<StatementPart, VerifiedStatement>();
  for (const { part, kind, own } of statements) {
    const row = entry.bundles.find((bundle) => bundle.name === `step/${step.name}/${part}`);
    if (row === undefined) throw poisonedBy(step, `names no ${kind}`);
    if (!(await scope.factory.content.use(row.digest))) return undefined;
    const identity = own
      ? stepId(scope.trustDomain, scope.project, scope.pipeline, step.name)
      : builderId(scope.trustDomain);
    const bytes = await wholeBundle(scope.factory, row.digest);
    if (bytes === undefined) return undefined;
    let verified: VerifiedStatement;
    try {
      verified = verifyBundle(bytes, scope.trustRoot, {
        artifact: "unbound",
        identity,
        issuer: scope.issuer,
        predicateType: predicateType(kind),
      });
    } catch (cause) {
      throw poisonedBy(step, `names a ${kind} that does not verify as ${identity}`, cause);
    }
    const output = verified.statement.subject.some(
      ({ name, digest }) => name === `output/${step.name}` && digest["sha256"] === digestHex(entry.output),
    );
    if (!output) throw poisonedBy(step, `names an output that its ${kind} does not`);
    found.set(part, verified);
  }
  return Object.fromEntries(found) as StepStatements;
}

/** A bundle's bytes. A damaged one, as a power cut may leave it, is like a lost one: the store sets it aside. */
async function wholeBundle(factory: Factory, digest: Digest): Promise<Uint8Array | undefined> {
  try {
    return await factory.content.get(digest);
  } catch (error) {
    if (isFactoryError(error) && ["STORE_BLOB_CORRUPT", "STORE_BLOB_MISSING"].includes(error.code)) return undefined;
    throw error;
  }
}

/** The bundles as they are recorded again; every fact from what was verified, none from the entry. */
function recordedBundles(step: PlannedStep, found: StepStatements): RecordedBundle[] {
  return statements.map(({ part, kind }) => {
    const { bundle, logEntries } = found[part];
    const [entry] = logEntries;
    if (entry === undefined) throw new TypeError("a verified statement has no log entry");
    return {
      name: `step/${step.name}/${part}`,
      digest: bundle,
      predicateType: predicateType(kind),
      logIndex: entry.logIndex,
    };
  });
}

function poisonedBy(step: PlannedStep, what: string, cause?: unknown): Error {
  return pipelineErrors.make("CACHE_POISONED", `the cache entry of step ${step.name} ${what}`, { cause });
}

/** Moves an entry out of the way, for inspection: the next run performs the step again. */
function setAside(factory: Factory, key: Digest): void {
  const name = `step-${digestHex(key)}-${randomBytes(4).toString("hex")}.json`;
  try {
    renameSync(entryPath(factory, key), join(factory.home.paths.quarantine, name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
}

/** The files of the host that a trace names with a digest; what the sandbox makes for itself is none of them. */
export function hostFilesOf(trace: RuntimeTrace): HostFile[] {
  return (trace.monitorLog.fileAccess ?? []).flatMap((file) => {
    const origin = (file.annotations as { origin?: unknown } | undefined)?.origin;
    const hex = file.digest?.["sha256"];
    return origin === "toolchain" && file.name !== undefined && hex !== undefined && !generatedFiles.has(file.name)
      ? [{ path: file.name, digest: `sha256:${hex}` }]
      : [];
  });
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
