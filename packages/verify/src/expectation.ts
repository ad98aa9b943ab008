import { createPublicKey } from "node:crypto";
import { type Digest, isDigest, isFactoryError, sha256 } from "@touchmark/core";
import { parseWitnessPolicy, type WitnessPolicy } from "@touchmark/formats/evidence";
import { verifyErrors } from "./errors.ts";
import { readPublicKey, type VerificationKey } from "./public-key.ts";

/** An artifact by its digest, with its bytes for the bundles that sign them. */
export interface ArtifactContent {
  readonly digest: Digest;
  /** Called only for a message signature, which covers the bytes themselves. */
  read(): Uint8Array;
}

/** What the verifier demands. An absent member never stands for "anything" where acceptance hangs on it. */
export interface Expectations {
  /**
   * The artifact that the statement must speak of: digest, or content. `"unbound"` leaves the subjects to the caller,
   * who has a whole chain of statements to compare.
   */
  readonly artifact: Digest | Uint8Array | ArtifactContent | "unbound";
  /** Name in the signer's certificate, compared as a whole. Needs `issuer`. */
  readonly identity?: string | undefined;
  /** Regular expression for that name, anchored at both ends. Needs `issuer`. */
  readonly identityPattern?: string | undefined;
  /** Who vouched for the identity, compared as a whole. */
  readonly issuer?: string | undefined;
  /** PEM public key of a managed key, instead of an identity. */
  readonly key?: string | undefined;
  /** The hint by which a bundle must name that key. */
  readonly keyHint?: string | undefined;
  /** From when on the key's signatures count: RFC 3339, inclusive. */
  readonly keyValidFrom?: string | Date | undefined;
  /** Until when, inclusive. */
  readonly keyValidUntil?: string | Date | undefined;
  readonly predicateType?: string | undefined;
  /** Log operators that must have recorded the signature. Default and least 1. */
  readonly logThreshold?: number | undefined;
  /** Operators that must vouch for the time. Default and least 1. */
  readonly timestampThreshold?: number | undefined;
  /** Counts the time that a log signs by its own clock. Default false. */
  readonly allowLogTime?: boolean | undefined;
  /** Text of a C2SP tlog-policy file: witnesses that must have cosigned each checkpoint. */
  readonly witnessPolicy?: string | undefined;
  /** Now; for cosignatures that claim the future. Default: the host's clock. */
  readonly now?: Date | undefined;
}

/** Expectations that were checked once and serve any number of verifications. */
export interface PreparedExpectations {
  readonly artifact: Expectations["artifact"];
  readonly signer:
    | { readonly kind: "identity"; matches(identity: string): boolean; readonly shown: string; readonly issuer: string }
    | {
        readonly kind: "key";
        readonly key: VerificationKey;
        readonly hint: string | undefined;
        readonly from: number;
        readonly until: number;
      };
  readonly predicateType: string | undefined;
  readonly logThreshold: number;
  readonly timestampThreshold: number;
  readonly allowLogTime: boolean;
  readonly witnesses: WitnessPolicy | undefined;
  readonly now: Date | undefined;
}

const prepared = new WeakSet<object>();

/** Names of all expectations, with what JavaScript type each has. */
const types: Readonly<Record<Exclude<keyof Expectations, "artifact">, string>> = {
  identity: "string",
  identityPattern: "string",
  issuer: "string",
  key: "string",
  keyHint: "string",
  keyValidFrom: "time",
  keyValidUntil: "time",
  predicateType: "string",
  logThreshold: "number",
  timestampThreshold: "number",
  allowLogTime: "boolean",
  witnessPolicy: "string",
  now: "date",
};

/** Checks expectations. @throws EXPECTATION_MISSING | EXPECTATION_INVALID | EXPECTATION_CONFLICT */
export function prepareExpectations(given: Expectations | PreparedExpectations): PreparedExpectations {
  if (typeof given === "object" && given !== null && prepared.has(given)) return given as PreparedExpectations;
  const expectations = given as Expectations;
  checkShape(expectations);
  const ready: PreparedExpectations = {
    artifact: expectations.artifact,
    signer: expectations.key === undefined ? identityOf(expectations) : keyOf(expectations, expectations.key),
    predicateType: expectations.predicateType,
    logThreshold: threshold("logThreshold", expectations.logThreshold),
    timestampThreshold: threshold("timestampThreshold", expectations.timestampThreshold),
    allowLogTime: expectations.allowLogTime ?? false,
    witnesses: witnessesOf(expectations.witnessPolicy),
    now: expectations.now,
  };
  prepared.add(ready);
  return ready;
}

function invalid(message: string, cause?: unknown): Error {
  return verifyErrors.make("EXPECTATION_INVALID", message, cause === undefined ? {} : { cause });
}

function checkShape(expectations: Expectations): void {
  if (typeof expectations !== "object" || expectations === null) throw invalid("expected an object of expectations");
  for (const [name, value] of Object.entries(expectations)) {
    if (name === "artifact" || value === undefined) continue;
    const type = Object.hasOwn(types, name) ? types[name as keyof typeof types] : undefined;
    if (type === undefined) throw invalid(`unknown expectation ${JSON.stringify(name.slice(0, 60))}`);
    const fits =
      type === "date"
        ? value instanceof Date
        : type === "time"
          ? typeof value === "string" || value instanceof Date
          : typeof value === type;
    if (!fits) throw invalid(`expected a ${type} for ${name}, found ${JSON.stringify(value)?.slice(0, 60)}`);
    if (value === "") throw invalid(`expected a ${name}, found an empty string`);
  }
  checkArtifact(expectations.artifact);
}

function checkArtifact(artifact: Expectations["artifact"] | undefined): void {
  if (artifact === undefined || artifact === null) {
    throw verifyErrors.make("EXPECTATION_MISSING", "expected an artifact, or its digest");
  }
  if (typeof artifact === "string" ? artifact !== "unbound" && !isDigest(artifact) : !isContent(artifact)) {
    throw invalid("expected the artifact as sha256:<64 hex digits>, or its bytes");
  }
}

function isContent(artifact: Exclude<Expectations["artifact"], string>): boolean {
  return artifact instanceof Uint8Array || (isDigest(artifact.digest) && typeof artifact.read === "function");
}

function identityOf(expectations: Expectations): PreparedExpectations["signer"] {
  const { identity, identityPattern, issuer } = expectations;
  for (const name of ["keyHint", "keyValidFrom", "keyValidUntil"] as const) {
    if (expectations[name] !== undefined) throw verifyErrors.make("EXPECTATION_CONFLICT", `${name} needs a key`);
  }
  if (identity !== undefined && identityPattern !== undefined) {
    throw verifyErrors.make("EXPECTATION_CONFLICT", "expected either identity or identityPattern, found both");
  }
  const shown = identity ?? identityPattern;
  if (shown === undefined)
    throw verifyErrors.make("EXPECTATION_MISSING", "expected an identity or a key, found neither");
  if (issuer === undefined)
    throw verifyErrors.make("EXPECTATION_MISSING", "expected an issuer along with the identity");
  if (identity !== undefined) return { kind: "identity", matches: (name) => name === identity, shown, issuer };
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^(?:${identityPattern})$`, "u");
  } catch (cause) {
    throw invalid(`expected a regular expression, found ${JSON.stringify(shown.slice(0, 100))}`, cause);
  }
  return { kind: "identity", matches: (name) => pattern.test(name), shown, issuer };
}

function keyOf(expectations: Expectations, pem: string): PreparedExpectations["signer"] {
  for (const name of ["identity", "identityPattern", "issuer"] as const) {
    if (expectations[name] !== undefined) {
      throw verifyErrors.make("EXPECTATION_CONFLICT", `expected either a key or an identity, found key and ${name}`);
    }
  }
  const from = timeOf("keyValidFrom", expectations.keyValidFrom) ?? Number.NEGATIVE_INFINITY;
  const until = timeOf("keyValidUntil", expectations.keyValidUntil) ?? Number.POSITIVE_INFINITY;
  if (from > until) throw invalid("expected keyValidFrom to be before keyValidUntil");
  return { kind: "key", key: readPem(pem), hint: expectations.keyHint, from, until };
}

function readPem(pem: string): VerificationKey {
  if (!/^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) throw invalid("expected a PEM public key");
  try {
    return readPublicKey(createPublicKey(pem).export({ format: "der", type: "spki" }));
  } catch (cause) {
    throw invalid(`expected a PEM public key of a known kind: ${(cause as Error).message}`, cause);
  }
}

const timeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function timeOf(name: string, value: string | Date | undefined): number | undefined {
  if (value === undefined) return undefined;
  const at = typeof value === "string" ? (timeShape.test(value) ? Date.parse(value) : Number.NaN) : value.getTime();
  if (Number.isNaN(at))
    throw invalid(`expected an RFC 3339 time for ${name}, found ${JSON.stringify(value).slice(0, 60)}`);
  return at;
}

function threshold(name: string, value: number | undefined): number {
  if (value === undefined) return 1;
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(`expected ${name} to be a whole number from 1 on`);
  return value;
}

function witnessesOf(text: string | undefined): WitnessPolicy | undefined {
  if (text === undefined) return undefined;
  try {
    return parseWitnessPolicy(text);
  } catch (cause) {
    if (isFactoryError(cause) && cause.nature === "invalid") throw cause;
    throw invalid("expected a witness policy", cause);
  }
}

/** Digest of the expected artifact, or undefined when the caller compares subjects. */
export function artifactDigest(artifact: Expectations["artifact"]): Digest | undefined {
  if (typeof artifact === "string") return artifact === "unbound" ? undefined : artifact;
  return artifact instanceof Uint8Array ? sha256(artifact) : artifact.digest;
}

/** Bytes of the expected artifact. @throws ARTIFACT_CONTENT_NEEDED | FILE_UNREADABLE */
export function artifactBytes(artifact: Expectations["artifact"]): Uint8Array {
  if (artifact instanceof Uint8Array) return artifact;
  if (typeof artifact === "string") {
    throw verifyErrors.make(
      "ARTIFACT_CONTENT_NEEDED",
      "the bundle signs the artifact's bytes; only a digest was given",
    );
  }
  try {
    return artifact.read();
  } catch (cause) {
    if (isFactoryError(cause)) throw cause;
    throw verifyErrors.make("FILE_UNREADABLE", `cannot read the artifact: ${(cause as Error).message}`, { cause });
  }
}
