import { type Digest, isFactoryError } from "@touchmark/core";
import { findBundles, type IndexMending, openIndex } from "@touchmark/store";
import { prepareExpectations, readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { Factory } from "../factory.ts";
import { gatherEvidence } from "../gather.ts";
import { chainHere } from "../verify-found.ts";

/** What this factory's own store knows about a digest, verified. */
export interface EvidenceHere {
  readonly statements: readonly VerifiedStatement[];
  readonly chains: readonly VerifiedChain[];
  /** Bundles that did not verify, and by which code. */
  readonly refused: ReadonlyMap<Digest, string>;
  /** Why there is no chain, where a release was claimed. */
  readonly broken?: { readonly code: string; readonly message: string };
}

/**
 * Gathers and verifies what the store has about a digest: the run that released it, and every bundle that names it.
 * What is not there is not there; nothing is thrown for absence. SPEC PO3.
 */
export async function evidenceHere(factory: Factory, digest: Digest): Promise<EvidenceHere> {
  const bundles = await bundlesAbout(factory, digest);
  const { statements, refused } = await verifyHere(factory, bundles);
  try {
    return { statements, chains: [chainHere(factory, digest, statements.filter(isStatement))], refused };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return { statements, chains: [], refused, broken: { code: error.code, message: error.message } };
  }
}

/** True for what is signed as a statement: chains are made of nothing else. */
export const isStatement = ({ kind }: VerifiedStatement): boolean => kind === "statement";

/** Verifies bundles as statements of anybody whom this factory's authority names. */
export async function verifyHere(
  factory: Factory,
  bundles: ReadonlyMap<Digest, Uint8Array>,
): Promise<{ readonly statements: readonly VerifiedStatement[]; readonly refused: ReadonlyMap<Digest, string> }> {
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { trustDomain, issuer } = factory.names();
  const expected = prepareExpectations({
    artifact: "unbound",
    identityPattern: `spiffe:\\/\\/${trustDomain.replaceAll(".", "\\.")}\\/.+`,
    issuer,
  });
  const statements: VerifiedStatement[] = [];
  const refused = new Map<Digest, string>();
  for (const [digest, bytes] of bundles) {
    try {
      statements.push(verifyBundle(bytes, trustRoot, expected));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      refused.set(digest, error.code);
    }
  }
  return { statements, refused };
}

/** Bundles of the store about a digest: nothing of them is verified yet. */
export async function bundlesAbout(
  factory: Factory,
  digest: Digest,
  mending?: IndexMending,
): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const bundles = new Map<Digest, Uint8Array>();
  try {
    for (const each of (await gatherEvidence(factory, digest, mending)).bundles) bundles.set(each.digest, each.bytes);
  } catch (error) {
    // A digest that no run released may still have statements about it.
    if (!isFactoryError(error)) throw error;
  }
  const index = await openIndex(factory.home);
  try {
    const more = mending === undefined ? {} : { mending };
    const stores = { content: factory.content, runs: factory.runs, index, ...more };
    for (const each of await findBundles(stores, digest)) bundles.set(each.digest, each.bytes);
  } finally {
    index.close();
  }
  return bundles;
}
