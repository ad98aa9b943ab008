import { type Digest, leafHash, sha256, sha256Bytes, verifyInclusion } from "@touchmark/core";
import {
  dsseRekordBody,
  type Envelope,
  hashedRekordBody,
  PAYLOAD_TYPE,
  preAuthEncoding,
  STATEMENT_TYPE,
  type Statement,
  serializeBundle,
  serializeStatement,
  type TransparencyLogEntry,
} from "@touchmark/formats/evidence";
import { signErrors } from "./errors.ts";
import type { Signer } from "./signer.ts";
import type { BundleProfile, LogInclusion, LogWitness, TimestampWitness } from "./witness.ts";

/** One statement to sign, and who vouches for it. */
export interface SigningRequest {
  /** in-toto Statement v1 with at least one digested subject. Signed as canonical JSON. */
  readonly statement: Statement<unknown>;
  readonly signer: Signer;
  readonly log: LogWitness;
  readonly timestamp: TimestampWitness;
  /** Default `v2`. */
  readonly profile?: BundleProfile;
}

/** A Sigstore bundle as bytes, never to be changed again. */
export interface SignedBundle {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly digest: Digest;
  readonly logIndex: number;
}

/**
 * Signs one statement: envelope, time-stamp, log entry, bundle. The bundle is answered only after the entry is durable
 * and its proof was checked.
 * @throws STATEMENT_INVALID | LOG_INCLUSION_WRONG | LOG_PROMISE_MISSING, and whatever signer, log and authority throw
 */
export async function signStatement(request: SigningRequest): Promise<SignedBundle> {
  checkStatement(request.statement);
  const payload = serializeStatement(request.statement);
  const preAuth = preAuthEncoding(PAYLOAD_TYPE, payload);
  const { certificate } = request.signer;
  const signature = await request.signer.sign(preAuth);
  const envelope: Envelope = { payloadType: PAYLOAD_TYPE, payload, signatures: [{ sig: signature }] };
  const profile = request.profile ?? "v2";
  const body =
    profile === "v2"
      ? hashedRekordBody({ digest: sha256Bytes(preAuth), signature, certificate })
      : dsseRekordBody({ envelope, certificate });
  const [inclusion, stamp] = await Promise.all([
    request.log.append(body, { profile }),
    request.timestamp.stamp(signature),
  ]);
  const bytes = serializeBundle({
    keyMaterial: { kind: "certificate", certificate, others: [] },
    logEntries: [logEntry(profile, body, inclusion)],
    timestamps: [stamp],
    content: { kind: "envelope", ...envelope },
  });
  return { bytes, digest: sha256(bytes), logIndex: inclusion.index };
}

/**
 * The same for several at once: their entries reach the log together, so that it takes them in one batch.
 * Answers keep the order. When one fails, the first failure is thrown after all have ended; entries that were already
 * logged stay in the log and are vouched for by no bundle.
 */
export async function signStatements(requests: readonly SigningRequest[]): Promise<readonly SignedBundle[]> {
  const outcomes = await Promise.allSettled(requests.map(signStatement));
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

function checkStatement(statement: Statement<unknown>): void {
  const fail = (message: string): never => {
    throw signErrors.make("STATEMENT_INVALID", message);
  };
  if (statement._type !== STATEMENT_TYPE) fail(`expected _type ${STATEMENT_TYPE}, found ${statement._type}`);
  if (typeof statement.predicateType !== "string" || !URL.canParse(statement.predicateType)) {
    fail(`expected a URI as predicateType, found ${JSON.stringify(statement.predicateType)}`);
  }
  if (!Array.isArray(statement.subject) || statement.subject.length === 0) fail("expected a subject, found none");
  for (const { name, digest } of statement.subject) {
    if (!/^[0-9a-f]{64}$/.test(digest?.sha256 ?? "")) {
      fail(`expected a sha256 digest of subject ${JSON.stringify(name)}, found ${JSON.stringify(digest)}`);
    }
  }
}

/** The bundle's log entry, once the log's answer has been checked against what was sent. */
function logEntry(profile: BundleProfile, body: Uint8Array, inclusion: LogInclusion): TransparencyLogEntry {
  try {
    verifyInclusion(inclusion.index, inclusion.treeSize, leafHash(body), inclusion.hashes, inclusion.rootHash);
  } catch (cause) {
    throw signErrors.make("LOG_INCLUSION_WRONG", `the proof of entry ${inclusion.index} does not hold`, { cause });
  }
  const entry = {
    logIndex: inclusion.index,
    logId: inclusion.logId,
    inclusionProof: {
      logIndex: inclusion.index,
      rootHash: inclusion.rootHash,
      treeSize: inclusion.treeSize,
      hashes: inclusion.hashes,
      checkpoint: inclusion.checkpoint,
    },
    canonicalizedBody: body,
  };
  if (profile === "v2") return { ...entry, kind: "hashedrekord", version: "0.0.2", integratedTime: 0 };
  const { integratedTime, signedEntryTimestamp } = inclusion;
  if (integratedTime === undefined || signedEntryTimestamp === undefined) {
    throw signErrors.make("LOG_PROMISE_MISSING", "expected a signed entry timestamp from the log, found none");
  }
  return { ...entry, kind: "dsse", version: "0.0.1", integratedTime, signedEntryTimestamp };
}
