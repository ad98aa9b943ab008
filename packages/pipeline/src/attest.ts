import { type Digest, parseJson } from "@touchmark/core";
import { STATEMENT_TYPE, type Statement } from "@touchmark/formats/evidence";
import { assertMayAttest, predicateName, readPredicate, subjectOf } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import { openIndex, readBundle } from "@touchmark/store";
import { EvidenceRecorder } from "./evidence/recorder.ts";
import type { Factory } from "./factory.ts";
import type { NamedArtifact } from "./lookup.ts";

/** Largest predicate that is signed. */
const MAX_PREDICATE_BYTES = 16 * 1024 * 1024;

/** A statement that somebody other than the factory makes. */
export interface AttestRequest {
  readonly artifact: NamedArtifact;
  readonly type: string;
  /** JSON. */
  readonly predicate: Uint8Array;
}

/** What was signed. */
export interface AttestReport {
  readonly bundle: Digest;
  readonly identity: string;
  readonly logIndex: number;
  /** The bundle itself. */
  readonly bytes: Uint8Array;
}

/** Signs a further predicate about an artifact, as `attest`. @throws PREDICATE_RESERVED | PREDICATE_TYPE_UNKNOWN */
export async function attestArtifact(factory: Factory, request: AttestRequest): Promise<AttestReport> {
  assertMayAttest(request.type);
  const predicate = parseJson(request.predicate, { maxBytes: MAX_PREDICATE_BYTES });
  const known = predicateName(request.type);
  if (known !== undefined) readPredicate(known, predicate);
  const name = request.artifact.path?.split("/").at(-1) ?? request.artifact.digest;
  return signAttestation(factory, {
    _type: STATEMENT_TYPE,
    subject: [subjectOf(name, request.artifact.digest)],
    predicateType: request.type,
    predicate,
  });
}

/** Signs a statement as `attest`, logs it, and keeps its bundle. Who may sign what was decided before. */
export async function signAttestation(factory: Factory, statement: Statement<unknown>): Promise<AttestReport> {
  const identity = await factory.attestIdentity();
  const spiffeId = attestId(identity.trustDomain);
  const recorder = new EvidenceRecorder(identity, await factory.log(), factory.content);
  const [bundle] = await recorder.record([{ name: "attest", spiffeId, statement }]);
  if (bundle === undefined) throw new TypeError("the recorder answered no bundle");
  const bytes = await keepBundle(factory, bundle.digest);
  return { bundle: bundle.digest, identity: spiffeId, logIndex: bundle.logIndex, bytes };
}

/** Makes a stored bundle durable, and findable by its subjects; its bytes. */
export async function keepBundle(factory: Factory, digest: Digest): Promise<Uint8Array> {
  await factory.content.durable();
  const bytes = await factory.content.get(digest);
  const content = readBundle(bytes);
  if (content !== undefined) {
    const index = await openIndex(factory.home);
    try {
      index.putBundle(digest, content);
    } finally {
      index.close();
    }
  }
  return bytes;
}
