import { type Digest, digestHex, sha256 } from "@touchmark/core";
import type { PolicySet } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import { mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { expect, test } from "vitest";
import type { Pinned } from "../decision.ts";
import { pinned } from "../library/default-policies.ts";
import { ask, codesOf, policyOf, ruleOf } from "./decision.fixture.ts";
import { checkSet } from "./policy-set.ts";
import { ENGINE_VERSION, isEarlier } from "./version.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const person = (name: string) => ({ identities: [{ identity: `spiffe://${world.trustDomain}/user/${name}` }] });
const member = policyOf({ rules: [ruleOf("yes", "true")] });
const members = [{ kind: "policy", name: "test", digest: pinned(member).digest }] as const;
const setOf = (parts: Partial<PolicySet> = {}): Pinned<PolicySet> =>
  pinned({ touchmark: "policy-set/v1", name: "ours", version: 2, expires: "2099-01-01T00:00:00Z", members, ...parts });

const signatures = new Map<string, VerifiedStatement>();
/** The set, signed by a person; once for each, because signing takes a while. */
function signedBy(
  name: string,
  set: Digest,
  document: Digest = set,
  type = predicateType("policy-set"),
): VerifiedStatement {
  const key = `${name} ${set} ${document} ${type}`;
  const known = signatures.get(key);
  if (known !== undefined) return known;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "set", digest: { sha256: digestHex(set) } }],
    predicateType: type,
    predicate: { document },
  };
  const bundle = mintBundle(world, { statement, leaf: { uris: [`spiffe://${world.trustDomain}/user/${name}`] } });
  const expected = { artifact: "unbound", identityPattern: ".+", issuer: world.issuer, now: world.at } as const;
  const verified = verifyBundle(bundle.bytes, trustRoot, expected);
  signatures.set(key, verified);
  return verified;
}
const question = {
  now: world.at,
  issuer: world.issuer,
  owners: { trust: { anna: person("anna"), otto: person("otto") }, threshold: 1 },
};
const codes = (
  previous: Pinned<PolicySet> | undefined,
  next: Pinned<PolicySet>,
  signed: readonly VerifiedStatement[],
  parts = {},
) => checkSet(previous, next, signed, { ...question, ...parts }).map(({ code }) => code);

test("D20: a set in force pins what is decided with, all of it and nothing else", () => {
  const decide = (set: Pinned<PolicySet>, policies = [member]) => codesOf(ask(policies, { set, now: world.at }));
  expect(decide(setOf())).toEqual([]);
  const more = setOf({ members: [...members, { kind: "layout", name: "steps", digest: sha256("layout") }] });
  expect(decide(more)).toEqual(["POLICY_SET_INCOMPLETE"]);
  const other = { ...member, name: "smuggled" };
  expect(decide(setOf(), [member, other])).toEqual(["POLICY_NOT_IN_SET"]);
});

test("D20: an expired set, and one for a later engine, deny", () => {
  const decide = (set: Pinned<PolicySet>) => codesOf(ask([member], { set, now: world.at }));
  expect(decide(setOf({ expires: "2020-01-01T00:00:00Z" }))).toEqual(["POLICY_SET_EXPIRED"]);
  expect(decide(setOf({ expires: "never" }))).toEqual(["POLICY_SET_EXPIRED"]);
  expect(decide(setOf({ engine: "99.0.0" }))).toEqual(["POLICY_ENGINE_TOO_OLD"]);
  expect(decide(setOf({ engine: ENGINE_VERSION }))).toEqual([]);
  expect(isEarlier("0.9.9", "0.10.0")).toBe(true);
  expect(isEarlier("1.0.0", "0.99.99")).toBe(false);
  expect(isEarlier("1.0", "0.0.1")).toBe(true);
});

test("D21: the first set needs its owners' signatures", () => {
  const set = setOf();
  expect(codes(undefined, set, [signedBy("anna", set.digest)])).toEqual([]);
  expect(codes(undefined, set, [])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, set, [signedBy("mallory", set.digest)])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, set, [{ ...signedBy("anna", set.digest) }])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, set, [signedBy("anna", sha256("another"))])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, set, [signedBy("anna", set.digest, sha256("another"))])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, set, [signedBy("anna", set.digest, set.digest, predicateType("policy"))])).toEqual([
    "POLICY_SET_THRESHOLD",
  ]);
});

test("D21: a threshold counts different owners", () => {
  const set = setOf();
  const two = { owners: { trust: question.owners.trust, threshold: 2 } };
  expect(codes(undefined, set, [signedBy("anna", set.digest), signedBy("anna", set.digest)], two)).toEqual([
    "POLICY_SET_THRESHOLD",
  ]);
  expect(codes(undefined, set, [signedBy("anna", set.digest), signedBy("otto", set.digest)], two)).toEqual([]);
});

test("D21: a set that names nobody may demand more of the owners, never less", () => {
  const strict = setOf({ threshold: 2 });
  expect(codes(undefined, strict, [signedBy("anna", strict.digest)])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(undefined, strict, [signedBy("anna", strict.digest), signedBy("otto", strict.digest)])).toEqual([]);
  const loose = setOf({ threshold: 1 });
  const two = { owners: { trust: question.owners.trust, threshold: 2 } };
  expect(codes(undefined, loose, [signedBy("anna", loose.digest)], two)).toEqual(["POLICY_SET_THRESHOLD"]);
});

test("D21: the next set is signed by whom the former demands, and by whom it demands itself", () => {
  const former = setOf({ version: 1, trust: { otto: person("otto") } });
  const next = setOf();
  expect(codes(former, next, [signedBy("anna", next.digest)])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(former, next, [signedBy("otto", next.digest)])).toEqual([]);
  const handover = setOf({ trust: { anna: person("anna") } });
  expect(codes(former, handover, [signedBy("otto", handover.digest)])).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(codes(former, handover, [signedBy("otto", handover.digest), signedBy("anna", handover.digest)])).toEqual([]);
});

test("D21: no way back: an earlier or equal version, or another name, is refused", () => {
  const signed = (set: Pinned<PolicySet>) => [signedBy("anna", set.digest)];
  const older = setOf({ version: 1 });
  const equal = setOf({ description: "other words" });
  const renamed = setOf({ version: 3, name: "theirs" });
  expect(codes(setOf(), older, signed(older))).toEqual(["POLICY_SET_ROLLBACK"]);
  expect(codes(setOf(), equal, signed(equal))).toEqual(["POLICY_SET_ROLLBACK"]);
  expect(codes(setOf(), renamed, signed(renamed))).toEqual(["POLICY_SET_RENAMED"]);
  expect(codes(setOf(), setOf(), signed(setOf()))).toEqual([]);
  const expired = setOf({ version: 3, expires: "2020-01-01T00:00:00Z", engine: "99.0.0" });
  expect(codes(setOf(), expired, signed(expired))).toEqual(["POLICY_SET_EXPIRED", "POLICY_ENGINE_TOO_OLD"]);
});
