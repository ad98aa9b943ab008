import type { Digest, Json } from "@touchmark/core";
import type { Subject } from "@touchmark/formats/evidence";
import type { VerifiedStatement } from "@touchmark/verify";

/** Who signed a statement: a name that somebody vouches for, or a key. */
export type EvidenceSigner =
  | { readonly kind: "certificate"; readonly identity: string; readonly issuer: string }
  | { readonly kind: "key"; readonly key: Digest };

/** One statement as the engine sees it, whichever door it came through. */
export interface Evidence {
  /** Digest of the bundle. */
  readonly bundle: Digest;
  readonly predicateType: string;
  readonly predicate: Json;
  readonly subject: readonly Subject[];
  readonly signer: EvidenceSigner;
  /** The earliest time that somebody trusted vouches for. */
  readonly time: Date | undefined;
  readonly trustRoot: Digest | undefined;
}

/** A verified statement as evidence. */
export function evidenceOf(verified: VerifiedStatement): Evidence {
  const { bundle, statement, signer, times, trustRoot } = verified;
  return {
    bundle,
    predicateType: statement.predicateType,
    predicate: statement.predicate,
    subject: statement.subject,
    signer:
      signer.kind === "certificate"
        ? { kind: "certificate", identity: signer.identity, issuer: signer.issuer }
        : { kind: "key", key: signer.key },
    time: times[0]?.at,
    trustRoot,
  };
}

/** Each once, in an order that does not depend on that in which they were given. */
export function inOrder(evidence: readonly Evidence[]): readonly Evidence[] {
  const byKey = new Map<string, Evidence>();
  for (const each of evidence) {
    const key = `${each.bundle} ${each.trustRoot ?? ""}`;
    const other = byKey.get(key);
    // The same bundle verified twice: what vouches for the earlier time is the stricter one.
    if (other === undefined || (each.time?.getTime() ?? Infinity) < (other.time?.getTime() ?? Infinity)) {
      byKey.set(key, each);
    }
  }
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, each]) => each);
}

/** A signer in words, which is also what tells signers apart. */
export function signerName(signer: EvidenceSigner): string {
  return signer.kind === "certificate" ? `${signer.identity} of ${signer.issuer}` : `key ${signer.key}`;
}

/** True when a statement is about a digest. */
export function isAbout(evidence: Evidence, digest: string): boolean {
  return evidence.subject.some((subject) => digestOf(subject) === digest);
}

/** The SHA-256 of a subject; another one's value with its algorithm where there is none. */
export function digestOf(subject: Subject): string {
  const sha256 = Object.hasOwn(subject.digest, "sha256") ? subject.digest["sha256"] : undefined;
  if (sha256 !== undefined) return `sha256:${sha256}`;
  const [first] = Object.entries(subject.digest).sort(([left], [right]) => (left < right ? -1 : 1));
  return first === undefined ? "" : `${first[0]}:${first[1]}`;
}
