import type { Digest } from "@touchmark/core";
import type { Policy, PolicySet } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import { checkSet, type Pinned, pinned } from "@touchmark/policy";
import { isVerified } from "@touchmark/verify";
import { expect, test } from "vitest";
import { asked, now, party, policyOf, ruleOf, said, signed, world } from "./policy-scene.ts";

/*
 * Sets of policies, each rightly signed by somebody: by whom it must be, of which version, and with what beside it.
 *
 * Shown elsewhere: signatures and thresholds one by one (D21), files of a home that were exchanged (PO5).
 */

const strict = policyOf({ version: 2, rules: [ruleOf("false")] });
const mild = policyOf({ rules: [ruleOf("subject.name != ''")] });
const member = (policy: Policy) => ({ kind: "policy", name: policy.name, digest: pinned(policy).digest }) as const;
const setOf = (version: number, policy: Policy, more: Partial<PolicySet> = {}): Pinned<PolicySet> =>
  pinned({
    ...{ touchmark: "policy-set/v1", name: "ours", version, expires: "2027-06-01T00:00:00Z" },
    ...{
      members: [member(policy)],
      trust: { anna: party("user/anna"), otto: party("user/otto") },
      threshold: 2,
      ...more,
    },
  });
const by = (set: Digest, ...names: readonly string[]) =>
  names.map((name) => signed({ document: set }, { by: `user/${name}`, about: set, type: predicateType("policy-set") }));
const install = (next: Pinned<PolicySet>, signatures: ReturnType<typeof by>, former?: Pinned<PolicySet>) =>
  checkSet(former, next, signatures, { now, issuer: world.issuer, owners: { trust: {}, threshold: 1 } }).map(
    ({ code }) => code,
  );
const believed = (signatures: ReturnType<typeof by>) => signatures.length > 0 && signatures.every(isVerified);

test("the set of last year, with all its good signatures, put in the place of this year's", () => {
  const [old, current] = [setOf(1, mild), setOf(2, strict)];
  const signatures = by(old.digest, "anna", "otto");
  expect(believed(signatures)).toBe(true);
  expect(install(old, signatures, current)).toEqual(["POLICY_SET_ROLLBACK"]);
  // Under another name it would have a history of its own.
  const renamed = setOf(9, mild, { name: "theirs" });
  expect(install(renamed, by(renamed.digest, "anna", "otto"), current)).toEqual(["POLICY_SET_RENAMED"]);
  const next = setOf(3, strict);
  expect(install(next, by(next.digest, "anna", "otto"), current)).toEqual([]);
});

test("a set that names its own owners: those before it must let go of theirs", () => {
  const current = setOf(2, strict);
  const coup = setOf(3, mild, { trust: { eve: party("user/eve") }, threshold: 1 });
  expect(believed(by(coup.digest, "eve"))).toBe(true);
  expect(install(coup, by(coup.digest, "eve"), current)).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(install(coup, by(coup.digest, "eve", "anna"), current)).toEqual(["POLICY_SET_THRESHOLD"]);
  expect(install(coup, by(coup.digest, "anna", "otto"), current)).toEqual(["POLICY_SET_THRESHOLD"]);
  const twice = [...by(coup.digest, "eve", "anna"), ...by(coup.digest, "anna")];
  expect(install(coup, twice, current)).toEqual(["POLICY_SET_THRESHOLD"]);
});

test("signatures of one set moved beside another", () => {
  const [current, mine] = [setOf(2, strict), setOf(3, mild)];
  const next = setOf(3, strict);
  const signatures = by(next.digest, "anna", "otto");
  expect(believed(signatures)).toBe(true);
  expect(install(mine, signatures, current)).toEqual(["POLICY_SET_THRESHOLD"]);
});

test("a policy of an earlier set beside the set in force: each is signed, and they do not belong together", () => {
  const set = setOf(2, strict);
  expect(believed(by(set.digest, "anna", "otto"))).toBe(true);
  expect(said(asked([mild]))).toEqual(["allow"]);
  expect(said(asked([mild], { set })).toSorted()).toEqual(["POLICY_NOT_IN_SET", "POLICY_SET_INCOMPLETE", "deny"]);
  expect(said(asked([strict, mild], { set }))).toContain("POLICY_NOT_IN_SET");
  expect(said(asked([], { set }))).toContain("POLICY_SET_INCOMPLETE");
});
