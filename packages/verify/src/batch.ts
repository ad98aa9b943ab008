import { type Digest, isDigest, isFactoryError, type Json, type Nature, parseJson } from "@touchmark/core";
import { verifyErrors } from "./errors.ts";
import type { ArtifactContent, Expectations } from "./expectation.ts";
import { readTrustRoot, type TrustRoot } from "./trust-root.ts";
import type { VerifiedSignature, VerifiedStatement } from "./verified.ts";
import { verifyEvidence } from "./verify-bundle.ts";

/** One case of a batch: the options of `touchmark verify` in camel case. Null means absent. */
export interface BatchCase {
  /** Echoed as it is. */
  readonly id?: Json;
  /** Path of the artifact, or its digest. */
  readonly artifact: string;
  /** Path of the bundle. */
  readonly bundle: string;
  /** Path of the trusted root. */
  readonly trustRoot: string;
  readonly identity?: string;
  readonly identityPattern?: string;
  readonly issuer?: string;
  readonly predicateType?: string;
  /** Path of a PEM public key. */
  readonly key?: string;
  readonly keyHint?: string;
  readonly keyValidFrom?: string;
  readonly keyValidUntil?: string;
  readonly logThreshold?: number;
  readonly timestampThreshold?: number;
  readonly allowLogTime?: boolean;
  /** Path of a witness policy. */
  readonly witnessPolicy?: string;
}

/** `refused`: the evidence does not hold. `error`: nothing was decided, since the question itself is unusable. */
export type Verdict = "accepted" | "refused" | "error";

/** What is known of an accepted bundle, as JSON. */
export interface AcceptedFacts {
  readonly artifact: Digest | null;
  readonly bundle: Digest;
  readonly trustRoot: Digest;
  /** Null for a signature over the artifact's own bytes. */
  readonly predicateType: string | null;
  /** Name in the signer's certificate; null for a managed key. */
  readonly identity: string | null;
  readonly issuer: string | null;
  readonly keyHint: string | null;
  readonly times: readonly { readonly at: string; readonly source: string; readonly operator: string }[];
  readonly logEntries: readonly {
    readonly origin: string;
    readonly operator: string;
    readonly logIndex: number;
    readonly treeSize: number;
    readonly witnesses: readonly string[];
  }[];
  readonly notChecked: readonly string[];
}

/** The answer to one case. */
export interface BatchResult extends Partial<AcceptedFacts> {
  readonly id: Json;
  readonly verdict: Verdict;
  /** Null when accepted. */
  readonly code: string | null;
  readonly message: string;
  readonly hint?: string;
}

/** How a batch reads files: paths are as the cases spell them, and the caller resolves them. Both may throw anything. */
export interface BatchFiles {
  bytes(path: string): Uint8Array;
  /** Digest of a file, for artifacts too large to hold. */
  digest(path: string): Digest;
}

const paths = ["artifact", "bundle", "trustRoot", "key", "witnessPolicy"] as const;
const texts = [
  "identity",
  "identityPattern",
  "issuer",
  "predicateType",
  "keyHint",
  "keyValidFrom",
  "keyValidUntil",
] as const;
const numbers = ["logThreshold", "timestampThreshold"] as const;

const typeOf: Readonly<Record<string, "string" | "number" | "boolean">> = Object.fromEntries([
  ...[...paths, ...texts].map((name) => [name, "string"] as const),
  ...numbers.map((name) => [name, "number"] as const),
  ["allowLogTime", "boolean"] as const,
]);

/** Verdict for a nature of error. */
export function verdictOf(nature: Nature): Verdict {
  return nature === "refused" ? "refused" : "error";
}

/** The facts of an accepted bundle, as JSON. */
export function acceptedFacts(verified: VerifiedStatement | VerifiedSignature): AcceptedFacts {
  const { signer } = verified;
  return {
    artifact: verified.artifact ?? null,
    bundle: verified.bundle,
    trustRoot: verified.trustRoot,
    predicateType: verified.kind === "statement" ? verified.statement.predicateType : null,
    identity: signer.kind === "certificate" ? signer.identity : null,
    issuer: signer.kind === "certificate" ? signer.issuer : null,
    keyHint: signer.kind === "key" ? signer.hint : null,
    times: verified.times.map((time) => ({ at: time.at.toISOString(), source: time.source, operator: time.operator })),
    logEntries: verified.logEntries.map(({ origin, operator, logIndex, treeSize, cosignatures }) => ({
      origin,
      operator,
      logIndex,
      treeSize,
      witnesses: cosignatures.map((each) => each.witness),
    })),
    notChecked: verified.notChecked,
  };
}

/** The answer for an error. What is no error of this project is one of ours, and nothing is accepted. */
export function failedResult(error: unknown): Omit<BatchResult, "id"> {
  if (isFactoryError(error)) {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return { verdict: verdictOf(error.nature), code: error.code, message: error.message, ...hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { verdict: "error", code: "INTERNAL", message };
}

/**
 * Answers the lines of a batch, one after the other; trusted roots are read once. Never throws: a line that is no case
 * is an error of that line.
 */
export function batchVerifier(files: BatchFiles, options: { readonly now?: Date } = {}): (line: string) => BatchResult {
  const roots = new Map<string, TrustRoot>();
  const rootAt = (path: string): TrustRoot => {
    const root = roots.get(path) ?? readTrustRoot(readFile(files, path));
    roots.set(path, root);
    return root;
  };
  return (line) => {
    let id: Json = null;
    try {
      const given = readLine(line);
      id = given["id"] ?? null;
      const batchCase = readCase(given);
      return { id, ...answer(batchCase, files, rootAt, options) };
    } catch (error) {
      return { id, ...failedResult(error) };
    }
  };
}

function invalid(message: string, cause?: unknown): Error {
  return verifyErrors.make("EXPECTATION_INVALID", message, cause === undefined ? {} : { cause });
}

function readLine(line: string): { readonly [key: string]: Json } {
  const value = parseJson(line, { maxBytes: 1024 * 1024, maxDepth: 16 });
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("expected a JSON object a line");
  return value as { readonly [key: string]: Json };
}

function readCase(given: { readonly [key: string]: Json }): BatchCase {
  const present: Record<string, Json> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === "id") continue;
    const type = Object.hasOwn(typeOf, name) ? typeOf[name] : undefined;
    if (type === undefined) throw invalid(`unknown option ${JSON.stringify(name.slice(0, 60))}`);
    if (value === null) continue;
    if (typeof value !== type) {
      throw invalid(`expected a ${type} for ${name}, found ${JSON.stringify(value).slice(0, 60)}`);
    }
    present[name] = value;
  }
  for (const name of ["artifact", "bundle", "trustRoot"]) {
    if (present[name] === undefined) throw verifyErrors.make("EXPECTATION_MISSING", `expected the option ${name}`);
  }
  return present as unknown as BatchCase;
}

function readFile(files: BatchFiles, path: string): Uint8Array {
  return reading(path, () => files.bytes(path));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw verifyErrors.make("FILE_UNREADABLE", `cannot read ${JSON.stringify(path)}: ${why}`, { cause });
  }
}

function answer(
  given: BatchCase,
  files: BatchFiles,
  rootAt: (path: string) => TrustRoot,
  options: { readonly now?: Date },
): Omit<BatchResult, "id"> {
  const { artifact, bundle, trustRoot, key, witnessPolicy, id: _, ...rest } = given;
  const text = (path: string) => Buffer.from(readFile(files, path)).toString("utf8");
  const expectations: Expectations = {
    ...rest,
    artifact: isDigest(artifact) ? artifact : artifactAt(files, artifact),
    key: key === undefined ? undefined : text(key),
    witnessPolicy: witnessPolicy === undefined ? undefined : text(witnessPolicy),
    now: options.now,
  };
  const verified = verifyEvidence(readFile(files, bundle), rootAt(trustRoot), expectations);
  const facts = acceptedFacts(verified);
  const what = facts.predicateType ?? "the artifact itself";
  const who = facts.identity ?? `the key ${JSON.stringify(facts.keyHint)}`;
  return { verdict: "accepted", code: null, message: `${who} signed ${what}`, ...facts };
}

function artifactAt(files: BatchFiles, path: string): ArtifactContent {
  return { digest: reading(path, () => files.digest(path)), read: () => readFile(files, path) };
}
