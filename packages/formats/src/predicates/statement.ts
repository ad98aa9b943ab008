import type { Digest } from "@touchmark/core";
import { canonicalJson, digestHex, sha256 } from "@touchmark/core";
import { STATEMENT_TYPE, type Statement, type Subject } from "../statement.ts";
import { type PredicateName, type PredicateOf, predicates } from "./catalogue.ts";
import type { TriggerRequest } from "./trigger.ts";

/** A statement of one of the known kinds, its predicate checked. @throws PREDICATE_MALFORMED | PREDICATE_UNKNOWN_FIELD */
export function statementOf<Name extends PredicateName>(
  name: Name,
  subject: readonly Subject[],
  predicate: PredicateOf<Name>,
): Statement<PredicateOf<Name>> {
  const row = predicates[name];
  row.shape.check(predicate, "predicate");
  return { _type: STATEMENT_TYPE, subject, predicateType: row.type, predicate };
}

/** A subject by its SHA-256. */
export function subjectOf(name: string, digest: Digest): Subject {
  return { name, digest: { sha256: digestHex(digest) } };
}

/** The subject of a trigger: the request itself, by the digest of its canonical JSON. */
export function requestSubject(request: TriggerRequest): Subject {
  return subjectOf("request", sha256(canonicalJson(request)));
}

/** The subject of a source statement: the tree, by our tree digest and by git's own ids. */
export function sourceSubject(source: {
  readonly uri: string;
  readonly commit: string;
  readonly tree: string;
  readonly treeDigest: Digest;
}): Subject {
  return {
    name: `${source.uri}@${source.commit}`,
    digest: { sha256: digestHex(source.treeDigest), gitCommit: source.commit, gitTree: source.tree },
  };
}
