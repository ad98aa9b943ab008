import type { Digest } from "@touchmark/core";
import { chainErrors } from "./chain-errors.ts";
import { type ChainStatement, isOf } from "./chain-statements.ts";
import type { VerifiedStatement } from "./verified.ts";

/** Statements of other runs are there only because a cache hit of this run accounts for them. */
export function checkRuns(chain: readonly ChainStatement[], release: ChainStatement<"release">): void {
  const adopted = new Set(
    chain
      .filter(isOf("cache-hit"))
      .filter((hit) => hit.run === release.run)
      .flatMap((hit) => [hit.predicate.original.link, ...hit.predicate.original.bundles]),
  );
  const foreign = chain.find((each) => each.run !== release.run && !adopted.has(each.digest));
  if (foreign !== undefined) {
    throw chainErrors.make(
      "CHAIN_RUN_MIXED",
      `a statement of ${foreign.kind} is of run ${foreign.run}, not ${release.run}`,
    );
  }
}

/** Kinds that a statement must rest on, beside what it says itself. */
const restsOn: Readonly<Partial<Record<ChainStatement["kind"], readonly ChainStatement["kind"][]>>> = {
  source: ["trigger"],
  "node-attestation": ["trigger"],
  link: ["trigger", "source"],
  "runtime-trace": ["trigger", "source"],
  "mounts-and-network": ["trigger", "source"],
  "workload-attestation": ["trigger", "source"],
  "cache-hit": ["trigger", "source", "link"],
  environment: ["trigger", "source"],
  "worker-images": ["trigger", "source"],
  image: ["trigger", "source", "link"],
  provenance: ["trigger", "source"],
};

/** Each statement names statements of the chain that were logged before it, and those that its kind must rest on. */
export function checkPredecessors(
  chain: readonly ChainStatement[],
  release: ChainStatement<"release">,
  documents: ReadonlyMap<Digest, VerifiedStatement> = new Map(),
): void {
  const byDigest = new Map(chain.map((each) => [each.digest, each]));
  for (const statement of chain) {
    if (statement.run !== release.run) continue;
    const kinds = new Set<string>();
    for (const { digest, name } of statement.predecessors) {
      const document = documents.get(digest);
      if (document !== undefined) {
        checkOrder({ kind: name, verified: document }, statement);
        continue;
      }
      const earlier = byDigest.get(digest);
      if (earlier === undefined) {
        throw chainErrors.make(
          "CHAIN_PREDECESSOR_MISSING",
          `${statement.kind} rests on ${name}, ${digest}, which is missing`,
        );
      }
      checkOrder(earlier, statement);
      kinds.add(earlier.kind);
    }
    const unnamed = restsOn[statement.kind]?.find((kind) => !kinds.has(kind));
    if (unnamed !== undefined) {
      throw chainErrors.make("CHAIN_PREDECESSOR_UNNAMED", `${statement.kind} does not name the ${unnamed} it rests on`);
    }
  }
  const named = new Set(release.predecessors.map(({ digest }) => digest));
  const links = new Set(chain.filter(isOf("link")).map((link) => link.digest));
  for (const provenance of chain.filter(isOf("provenance"))) {
    const has = new Set(provenance.predecessors.map(({ digest }) => digest));
    const missing = [...links].find((digest) => !has.has(digest));
    if (missing !== undefined) {
      throw chainErrors.make("CHAIN_PREDECESSOR_UNNAMED", `a provenance does not name the link ${missing}`);
    }
  }
  const left = chain.find((each) => each.digest !== release.digest && !named.has(each.digest));
  if (left !== undefined) {
    throw chainErrors.make(
      "CHAIN_PREDECESSOR_UNNAMED",
      `the release manifest does not rest on ${left.kind} ${left.digest}`,
    );
  }
}

/** The log is the clock: what came earlier has the smaller index, wherever both are in one log. */
function checkOrder(
  earlier: { readonly kind: string; readonly verified: VerifiedStatement },
  later: ChainStatement,
): void {
  for (const before of earlier.verified.logEntries) {
    for (const after of later.verified.logEntries) {
      if (before.origin === after.origin && before.logIndex >= after.logIndex) {
        throw chainErrors.make("CHAIN_ORDER", `${later.kind} was logged before the ${earlier.kind} that it rests on`);
      }
    }
  }
}
