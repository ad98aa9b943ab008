import { type Digest, isFactoryError } from "@touchmark/core";
import {
  type Predecessor,
  type PredicateName,
  type PredicateOf,
  predicateName,
  predicateType,
  readPredicate,
} from "@touchmark/formats/predicates";
import { chainErrors } from "./chain-errors.ts";
import { isVerified, type VerifiedStatement } from "./verified.ts";

/** A statement of a run, with its place in the chain. */
export interface ChainStatement<Name extends PredicateName = PredicateName> {
  readonly verified: VerifiedStatement;
  readonly digest: Digest;
  readonly kind: Name;
  readonly predicate: PredicateOf<Name>;
  readonly run: string;
  readonly predecessors: readonly Predecessor[];
  /** SPIFFE id of the signer. */
  readonly signer: string;
  /** Who vouched for the signer. */
  readonly issuer: string;
}

/** The statements of an evidence directory, by the digest of their bundles. */
export type Evidence = ReadonlyMap<Digest, VerifiedStatement>;

/**
 * Takes verified statements in, by bundle digest.
 * @throws CHAIN_UNVERIFIED | CHAIN_BUNDLE_DUPLICATE
 */
export function gather(statements: readonly VerifiedStatement[]): Evidence {
  const evidence = new Map<Digest, VerifiedStatement>();
  const trustRoot = statements[0]?.trustRoot;
  for (const verified of statements) {
    if (!isVerified(verified) || verified.kind !== "statement" || verified.trustRoot !== trustRoot) {
      throw chainErrors.make("CHAIN_UNVERIFIED", "expected statements that were verified with one trusted root");
    }
    if (evidence.has(verified.bundle)) {
      throw chainErrors.make("CHAIN_BUNDLE_DUPLICATE", `the bundle ${verified.bundle} was given twice`);
    }
    evidence.set(verified.bundle, verified);
  }
  return evidence;
}

/** Reads a statement's predicate by its schema. @throws CHAIN_PREDICATE_MALFORMED | CHAIN_SIGNER_UNEXPECTED */
export function readChainStatement(verified: VerifiedStatement): ChainStatement | undefined {
  const kind = predicateName(verified.statement.predicateType);
  if (kind === undefined) return undefined;
  const predicate = readOf(kind, verified);
  const place = "touchmark_chain" in predicate ? predicate.touchmark_chain : predicate;
  if (typeof place !== "object" || place === null || !("run" in place) || !("predecessors" in place)) {
    throw chainErrors.make("CHAIN_PREDICATE_MALFORMED", `a statement of ${kind} does not say which run it is of`);
  }
  if (verified.signer.kind !== "certificate") {
    throw chainErrors.make("CHAIN_SIGNER_UNEXPECTED", `a statement of ${kind} is signed by a bare key`);
  }
  return {
    verified,
    digest: verified.bundle,
    kind,
    predicate,
    run: place.run,
    predecessors: place.predecessors,
    signer: verified.signer.identity,
    issuer: verified.signer.issuer,
  };
}

function readOf(kind: PredicateName, verified: VerifiedStatement): PredicateOf<PredicateName> {
  try {
    return readPredicate(kind, verified.statement.predicate);
  } catch (cause) {
    const why = isFactoryError(cause) ? cause.message : String(cause);
    throw chainErrors.make("CHAIN_PREDICATE_MALFORMED", `a statement of ${kind}: ${why}`, { cause });
  }
}

/** True for statements of one kind. */
export function isOf<Name extends PredicateName>(kind: Name) {
  return (statement: ChainStatement): statement is ChainStatement<Name> => statement.kind === kind;
}

/** The one statement of a kind. @throws CHAIN_STATEMENT_MISSING | CHAIN_STATEMENT_DUPLICATE */
export function only<Name extends PredicateName>(
  statements: readonly ChainStatement[],
  kind: Name,
  matches: (statement: ChainStatement<Name>) => boolean = () => true,
  what = "the run",
): ChainStatement<Name> {
  const [found, ...more] = statements.filter(isOf(kind)).filter(matches);
  if (found === undefined) {
    throw chainErrors.make(
      "CHAIN_STATEMENT_MISSING",
      `expected a statement ${predicateType(kind)} of ${what}, found none`,
    );
  }
  if (more.length > 0) {
    throw chainErrors.make("CHAIN_STATEMENT_DUPLICATE", `expected one statement ${predicateType(kind)} of ${what}`);
  }
  return found;
}

/** Digest of the subject with the name, or of the first subject. */
export function subjectDigest(statement: ChainStatement, name?: string): Digest | undefined {
  const { subject } = statement.verified.statement;
  const found = name === undefined ? subject[0] : subject.find((each) => each.name === name);
  const hex = found?.digest["sha256"];
  return hex === undefined ? undefined : `sha256:${hex}`;
}
