import { userInfo } from "node:os";
import type { Statement } from "@touchmark/formats/evidence";
import { type Predecessor, requestSubject, sourceSubject, statementOf } from "@touchmark/formats/predicates";
import { builderId } from "@touchmark/identity";
import type { SignatureFacts } from "@touchmark/source";
import { chainOf, type RunFacts, timeOf } from "./run-facts.ts";

/** Who asked for the run, when, with which parameters. Signed before anything runs. */
export function triggerStatement(facts: RunFacts): Statement<unknown> {
  const user = userInfo();
  return statementOf("trigger", [requestSubject(facts.request)], {
    ...chainOf(facts, []),
    actor: { kind: "local-user", name: user.username, id: String(user.uid), authentication: "kernel" },
    cause: "command",
    requestedAt: timeOf(facts.startedAt),
    request: facts.request,
    factory: { name: "touchmark", version: facts.version, builder: builderId(facts.trustDomain) },
  });
}

/** The tree that the run starts from. Signed before the first step starts. */
export function sourceStatement(facts: RunFacts, predecessors: readonly Predecessor[]): Statement<unknown> {
  const { source } = facts;
  return statementOf("source", [sourceSubject(source)], {
    ...chainOf(facts, predecessors),
    uri: source.uri,
    revision: source.revision,
    commit: source.commit,
    tree: source.tree,
    treeDigest: source.treeDigest,
    entries: source.entries.length,
    bytes: source.bytes,
    committedAt: timeOf(source.committedAt),
    author: `${source.author.name} <${source.author.email}>`,
    committer: `${source.committer.name} <${source.committer.email}>`,
    signature: signatureFacts(source.signature),
    submodules: source.submodules.map(({ path, uri, commit }) => ({ path, uri, commit })),
    largeFiles: source.lfs.map(({ path, digest, size }) => ({ path, digest, bytes: size })),
    workingTree: source.workingTree,
    changedFiles: source.changedFiles.map((change) => change.path),
    pipelineFile: facts.pipelineFile,
  });
}

/** The source's facts in the words of the predicate. A signature of a kind that nobody knows is unverified. */
export function signatureFacts(facts: SignatureFacts) {
  const statuses = {
    unsigned: "absent",
    verified: "good",
    "unlisted-key": "unverified",
    invalid: "bad",
    unverified: "unverified",
  } as const;
  const key = facts.keyFingerprint ?? facts.keyId;
  return {
    format: facts.kind === "unknown" ? ("x509" as const) : facts.kind,
    status: statuses[facts.verification],
    ...(key === undefined ? {} : { key }),
    ...(facts.principal === undefined ? {} : { signer: facts.principal }),
    detail: facts.reason,
  };
}
