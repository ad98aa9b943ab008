import { type Digest, digestHex, isFactoryError, sha256 } from "@touchmark/core";
import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { builderId } from "@touchmark/identity";
import {
  prepareExpectations,
  readTrustRoot,
  type TrustRoot,
  type VerifiedStatement,
  verifyBundle,
} from "@touchmark/verify";
import { type ChainExpectations, type VerifiedChain, verifyChain } from "@touchmark/verify/chain";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import { readProject } from "./project-record.ts";

/** A chain that was found among bundles which anybody may have put there. */
export interface FoundChain {
  readonly chain: VerifiedChain;
  /** Bundles that did not verify, and why; they count for nothing. */
  readonly refused: ReadonlyMap<Digest, string>;
}

/** Most runs that may have released one artifact and are tried. */
const MAX_RELEASES = 32;

type FoundExpectations = ChainExpectations & { readonly now?: Date; readonly witnessPolicy?: string | undefined };

/**
 * Verifies an artifact by bundles of which some may be of others: what does not verify is passed over, and the chain of
 * one release must be whole. Reproducible builds release one artifact several times; any of them does.
 * @throws EVIDENCE_MISSING | CHAIN_…
 */
export function verifyFound(
  bundles: readonly Uint8Array[],
  trustRoot: TrustRoot,
  expectations: FoundExpectations,
): FoundChain {
  const { statements, refused } = verifyEach(bundles, trustRoot, expectations);
  return { chain: chainAmong(statements, expectations), refused };
}

function chainAmong(statements: readonly VerifiedStatement[], expectations: FoundExpectations): VerifiedChain {
  if (statements.length === 0) {
    throw pipelineErrors.make(
      "EVIDENCE_MISSING",
      `expected evidence about ${expectations.artifact} by ${expectations.builder}, found no bundle of its own`,
    );
  }
  const releases = releasesOf(statements, expectations.artifact).slice(0, MAX_RELEASES);
  let failure: unknown;
  for (const release of releases.length === 0 ? [undefined] : releases) {
    const others = new Set(releases.filter((each) => each !== release));
    try {
      const own = statements.filter((each) => !others.has(each));
      return verifyChain(own, expectations);
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/**
 * The same by this factory's own trust root and builder, for a source that the user had it build.
 * @throws EVIDENCE_MISSING | PROJECT_SOURCE_UNKNOWN | CHAIN_…
 */
export async function verifyFoundHere(
  factory: Factory,
  artifact: Digest,
  bundles: readonly Uint8Array[],
  demands: Pick<ChainExpectations, "require"> = {},
): Promise<FoundChain> {
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { trustDomain, issuer } = factory.names();
  const expected = { artifact, builder: builderId(trustDomain), issuer, source: "" };
  const { statements, refused } = verifyEach(bundles, trustRoot, expected);
  return { chain: chainHere(factory, artifact, statements, demands), refused };
}

/**
 * The same among statements that this factory's trust root verified already.
 * @throws EVIDENCE_MISSING | PROJECT_SOURCE_UNKNOWN | CHAIN_…
 */
export function chainHere(
  factory: Factory,
  artifact: Digest,
  statements: readonly VerifiedStatement[],
  demands: Pick<ChainExpectations, "require"> = {},
): VerifiedChain {
  const { trustDomain, issuer } = factory.names();
  const claims = releasesOf(statements, artifact).map((each) => readPredicate("release", each.statement.predicate));
  // The evidence only points to its source; it counts when the user asked for that source before.
  const known = claims.find(({ project, source }) => readProject(factory, project).sources.includes(source.uri));
  const [claim] = claims;
  if (known === undefined && claim !== undefined) {
    throw pipelineErrors.make(
      "PROJECT_SOURCE_UNKNOWN",
      `expected a source that project ${claim.project} was built from, found ${JSON.stringify(claim.source.uri)}`,
    );
  }
  const expected = {
    ...{ artifact, builder: builderId(trustDomain), issuer, ...demands },
    source: known?.source.uri ?? "unknown",
    project: known?.project,
    pipeline: known?.pipeline,
  };
  return chainAmong(statements, expected);
}

function verifyEach(
  bundles: readonly Uint8Array[],
  trustRoot: TrustRoot,
  { builder, issuer, witnessPolicy, now }: FoundExpectations,
): { statements: VerifiedStatement[]; refused: Map<Digest, string> } {
  const [, trustDomain = ""] = /^spiffe:\/\/([a-z0-9.-]+)\//.exec(builder) ?? [];
  const expected = prepareExpectations({
    artifact: "unbound",
    identityPattern: `spiffe:\\/\\/${trustDomain.replaceAll(".", "\\.")}\\/.+`,
    issuer: issuer ?? `https://${trustDomain}`,
    witnessPolicy,
    now,
  });
  const statements: VerifiedStatement[] = [];
  const refused = new Map<Digest, string>();
  for (const [digest, bytes] of new Map(bundles.map((each) => [sha256(each), each]))) {
    try {
      const verified = verifyBundle(bytes, trustRoot, expected);
      if (verified.kind === "statement") statements.push(verified);
      else refused.set(digest, "CHAIN_UNVERIFIED");
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      refused.set(digest, error.code);
    }
  }
  return { statements, refused };
}

/** Release manifests about the artifact, by their subject; the chain judges all the rest. */
function releasesOf(statements: readonly VerifiedStatement[], artifact: Digest): VerifiedStatement[] {
  return statements.filter(
    ({ statement }) =>
      statement.predicateType === predicateType("release") &&
      statement.subject.some((each) => each.digest.sha256 === digestHex(artifact)),
  );
}
