import { canonicalJson, type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { EvidenceLimits } from "@touchmark/registry";
import type { IndexMending } from "@touchmark/store";
import { prepareExpectations, readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { Factory } from "../factory.ts";
import { bundlesAbout, isStatement, verifyHere } from "../policy/evidence-here.ts";
import { chainHere, verifyFound } from "../verify-found.ts";
import { bundlesBeside, type RegistryPlaces, resolveReference } from "./registry-evidence.ts";

/** Evidence about one digest, as one set of trust roots verified it. */
export interface GatheredHere {
  readonly digest: Digest;
  readonly trustRoot: Digest;
  readonly statements: readonly VerifiedStatement[];
  readonly chains: readonly VerifiedChain[];
  /** Bundles that did not verify, and referrers that hold none, each with its code. */
  readonly refused: ReadonlyMap<Digest, string>;
  readonly bytes: number;
  readonly at: Date;
}

/** Where evidence of an admission gate comes from. */
export interface AdmissionEvidence {
  resolve(reference: string, signal: AbortSignal): Promise<Digest>;
  gather(digest: Digest, reference: string | undefined, signal: AbortSignal): Promise<GatheredHere>;
  /** Digest of the trust roots that count now. */
  trustRoot(): Promise<Digest>;
}

/** Somebody else whose word counts for a tenant. */
export interface TrustedParty {
  /** A Sigstore trusted root. */
  readonly trustRoot: Uint8Array;
  readonly issuers: readonly string[];
  /** SPIFFE id of the factory whose whole chains count, and the sources that they may begin with. */
  readonly builder?: string;
  readonly sources?: readonly string[];
}

/** What a source of evidence needs. */
export interface AdmissionEvidenceOptions {
  readonly factory: Factory;
  readonly places: RegistryPlaces;
  /** Default: this factory's own trust root. A tenant's parties take its place. */
  readonly parties?: readonly TrustedParty[];
  /** True: bundles that verified are kept in the store, so that decisions can be taken again. */
  readonly keep?: boolean;
  /** The manifest that lists the evidence of a file, where files are asked for that lie in an artifact of a registry. */
  readonly manifestOf?: (digest: Digest) => Digest | undefined;
  /** Bounds of a search in a registry. */
  readonly search?: Partial<EvidenceLimits>;
}

/**
 * Evidence of the own store and of a registry's referrers, every bundle verified. Both are looked at each time: what
 * lies only in one may speak for an artifact, or against it.
 */
export function admissionEvidence(options: AdmissionEvidenceOptions): AdmissionEvidence {
  const { factory, places, parties, keep = false, manifestOf = () => undefined, search = {} } = options;
  const root = async (): Promise<Digest> => {
    if (parties === undefined) return sha256(await factory.trustRoot());
    return sha256(canonicalJson(parties.map((each) => ({ ...each, trustRoot: sha256(each.trustRoot) }))));
  };
  const mending: IndexMending = {};
  return {
    trustRoot: root,
    resolve: (reference) => resolveReference(places, reference),
    async gather(digest, reference, signal) {
      const at = factory.clock.now();
      const trustRoot = await root();
      const bundles = new Map(await bundlesAbout(factory, digest, mending));
      signal.throwIfAborted();
      const refused = new Map<Digest, string>();
      if (reference !== undefined) {
        const beside = await bundlesBeside(places, reference, manifestOf(digest) ?? digest, search);
        for (const [each, bytes] of beside.bundles) bundles.set(each, bytes);
        for (const [each, reason] of beside.skipped) refused.set(each, reason);
      }
      signal.throwIfAborted();
      const verified =
        parties === undefined
          ? await verifiedHere(factory, digest, bundles)
          : verifiedBy(parties, digest, bundles, factory.clock.now());
      for (const [each, code] of verified.refused) refused.set(each, code);
      if (keep) {
        for (const { bundle } of verified.statements) await factory.content.put(bundles.get(bundle) as Uint8Array);
      }
      const bytes = [...bundles.values()].reduce((sum, each) => sum + each.length, 0);
      const { statements, chains } = verified;
      return { digest, trustRoot, statements, chains, refused, bytes, at };
    },
  };
}

interface Verified {
  readonly statements: readonly VerifiedStatement[];
  readonly chains: readonly VerifiedChain[];
  readonly refused: ReadonlyMap<Digest, string>;
}

async function verifiedHere(
  factory: Factory,
  digest: Digest,
  bundles: ReadonlyMap<Digest, Uint8Array>,
): Promise<Verified> {
  const { statements, refused } = await verifyHere(factory, bundles);
  try {
    return { statements, refused, chains: [chainHere(factory, digest, statements.filter(isStatement))] };
  } catch (error) {
    // No whole chain is a fact like any other: the policies say what it means.
    if (!isFactoryError(error)) throw error;
    return { statements, refused, chains: [] };
  }
}

/** Each bundle by whichever party's root and issuer it verifies with. */
function verifiedBy(
  parties: readonly TrustedParty[],
  digest: Digest,
  bundles: ReadonlyMap<Digest, Uint8Array>,
  now: Date,
): Verified {
  const ways = parties.flatMap(({ trustRoot, issuers }) => {
    const root = readTrustRoot(trustRoot);
    return issuers.map((issuer) => ({
      root,
      expected: prepareExpectations({ artifact: "unbound", identityPattern: ".+", issuer, now }),
    }));
  });
  const statements: VerifiedStatement[] = [];
  const refused = new Map<Digest, string>();
  for (const [each, bytes] of bundles) {
    let code: string | undefined;
    let verified: VerifiedStatement | undefined;
    for (const { root, expected } of ways) {
      try {
        verified = verifyBundle(bytes, root, expected);
        break;
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        code ??= error.code;
      }
    }
    if (verified === undefined) refused.set(each, code ?? "EVIDENCE_MISSING");
    else statements.push(verified);
  }
  return {
    statements,
    refused,
    chains: parties.flatMap((party) => chainsOf(party, digest, [...bundles.values()], now)),
  };
}

function chainsOf(
  { trustRoot, issuers, builder, sources = [] }: TrustedParty,
  artifact: Digest,
  bundles: readonly Uint8Array[],
  now: Date,
): VerifiedChain[] {
  if (builder === undefined) return [];
  const root = readTrustRoot(trustRoot);
  for (const source of sources) {
    for (const issuer of issuers) {
      try {
        return [verifyFound(bundles, root, { artifact, builder, source, issuer, now }).chain];
      } catch (error) {
        if (!isFactoryError(error)) throw error;
      }
    }
  }
  return [];
}
