import type { Digest } from "@touchmark/core";
import type { Decision, DecisionSubject } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";

/** Evidence about one digest, as verified by one trust root. Never a verdict. */
export interface VerifiedEvidence {
  readonly digest: Digest;
  readonly trustRoot: Digest;
  readonly statements: readonly VerifiedStatement[];
  readonly chains: readonly VerifiedChain[];
  /** Bundles that did not verify, and by which code. */
  readonly refused: ReadonlyMap<Digest, string>;
  /** Size of all bundles: what keeping it costs. */
  readonly bytes?: number;
  /** When it was gathered. */
  readonly at: Date;
}

/** Where evidence comes from: the factory's own store, a registry's referrers. The composition root wires it. */
export interface EvidenceSource {
  /** Digest of a reference `HOST/NAME:TAG`; itself for one by digest. @throws what the registry client throws */
  resolve(reference: string, signal: AbortSignal): Promise<Digest>;
  /** Gathers and verifies. `reference` says where to look beside the own store. */
  gather(digest: Digest, reference: string | undefined, signal: AbortSignal): Promise<VerifiedEvidence>;
}

/** Decides about one subject with evidence; wired to the one decision function and the policies in force. */
export type Decide = (question: {
  readonly subject: DecisionSubject;
  readonly request: { readonly [name: string]: string | boolean | null | readonly string[] };
  readonly evidence: VerifiedEvidence | undefined;
  readonly now: Date;
}) => Decision;
