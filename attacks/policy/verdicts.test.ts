import { sha256 } from "@touchmark/core";
import type { Policy, PolicyException } from "@touchmark/formats/policy";
import { type Decision, decide, type PolicyVerdict, pinned } from "@touchmark/policy";
import { isVerified, type VerifiedStatement } from "@touchmark/verify";
import { expect, test } from "vitest";
import {
  artifact,
  asked,
  now,
  party,
  policyOf,
  ruleOf,
  said,
  scanned,
  signed,
  signedException,
  spiffe,
  world,
} from "./policy-scene.ts";

/*
 * Mistakes that admission controllers made, each with the evidence that went through them. Beside each stands the way in
 * which they judged: it lets the artifact pass, or stops one that nothing is wrong with.
 *
 * Shown elsewhere: a failing statement hides no passing one (D8), an age without a time (D8), one person under two names
 * (D9), exceptions of requesters and strangers (D16, PO6), rollback and thresholds of sets (D21, PO5).
 */

const clean = scanned("attestations.scan.all(s, s.predicate.clean)");
const wrong = signed({ clean: false });
const good = signed({ clean: true });

test("one status for all policies, where the last one decides (JiRaska/open-bank-oss#9935)", () => {
  const audit = { ...scanned("subject.name != ''"), name: "audit", mode: "audit" } as const;
  const last = (verdicts: readonly PolicyVerdict[]) =>
    new Map(verdicts.map(({ verdict }) => ["image", verdict])).get("image");
  const decision = asked([clean, audit], { evidence: [wrong] });
  expect(last(decision.verdicts)).toBe("allow");
  expect(said(decision)).toEqual(["deny", "POLICY_RULE_FAILED rule"]);
  // The reverse stopped workloads: a policy that only looks on denies nobody, and its verdict stands beside.
  const strict = { ...clean, name: "strict", mode: "audit" } as const;
  const easy = scanned("subject.name != ''");
  const watched = asked([easy, strict], { evidence: [wrong] });
  expect(last(watched.verdicts)).toBe("deny");
  expect([watched.result, ...watched.verdicts.map(({ verdict }) => verdict)]).toEqual(["allow", "allow", "deny"]);
});

test("a good signature by somebody else (kyverno/kyverno#4668)", () => {
  const verifies = (statements: readonly VerifiedStatement[]) => statements.every(isVerified) && statements.length > 0;
  for (const evidence of [
    [signed({ clean: true }, { by: "user/mallory" })],
    [signed({ clean: true }, { by: "scanner/evil" })],
    [signed({ clean: true }, { by: "Scanner" })],
    [signed({ clean: true }, { issuer: "https://accounts.example" })],
  ]) {
    expect(verifies(evidence)).toBe(true);
    expect(said(asked(clean, { evidence }))).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
  }
});

test("no attestation at all, of which every one is good (nirmata/kyverno-notation-aws#179)", () => {
  const all = (predicates: readonly { readonly clean: boolean }[]) => predicates.every((each) => each.clean);
  expect(all([])).toBe(true);
  expect(said(asked(clean))).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
  // A collector that finds nothing in a newer layout of bundles (kyverno/kyverno#16678) is no absence of findings.
  const other = signed({ clean: true }, { type: "https://example.com/scan/v2" });
  expect(said(asked(clean, { evidence: [other] }))).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
  const elsewhere = signed({ clean: true }, { about: sha256("another artifact") });
  expect(said(asked(clean, { evidence: [elsewhere] }))).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
});

const excepting = scanned("attestations.scan.all(s, s.predicate.clean)", {
  trust: { scanner: party("scanner"), security: party("user/grace") },
  exceptions: { by: ["security"] },
});
const exception = (more: Partial<PolicyException> = {}): PolicyException => ({
  ...{
    touchmark: "exception/v1",
    id: "ticket-1",
    policy: "production",
    rules: ["rule"],
    subject: { digest: artifact },
  },
  ...{ reason: "until the vendor answers", requester: spiffe("user/linus"), approvers: [spiffe("user/grace")] },
  ...{ created: "2026-05-01T00:00:00Z", expires: "2026-06-02T00:00:00Z", ...more },
});

test("an expired exception, which background scans went on to honour (kyverno/kyverno#17473)", () => {
  const evidence = [wrong, signedException(exception(), "user/grace")];
  const later = new Date("2026-06-02T00:00:00Z");
  const named = (rules: readonly string[]) => rules.includes("rule");
  expect(named(exception().rules)).toBe(true);
  expect(said(asked(excepting, { evidence }))).toEqual(["allow"]);
  // Gates, rescans and commands ask this one function, with the time as one of its inputs.
  expect(said(asked(excepting, { evidence, now: later }))).toEqual(["deny", "POLICY_RULE_FAILED rule"]);
});

test("one rule excepted for several artifacts, each by itself (conforma/cli#2126)", () => {
  const [one, two, three] = ["one", "two", "three"].map((each) => sha256(each)) as [
    typeof artifact,
    typeof artifact,
    typeof artifact,
  ];
  const granted = [one, two].map((digest, i) =>
    signedException(exception({ id: `ticket-${i}`, subject: { digest } }), "user/grace"),
  );
  const about = (digest: typeof artifact) =>
    asked(excepting, {
      subject: { name: "app", digest },
      evidence: [...granted, signed({ clean: false }, { about: digest })],
    }).result;
  expect([one, two, three].map(about)).toEqual(["allow", "allow", "deny"]);
});

test("an exception that its requester signed under every name at hand", () => {
  const requested = exception({ requester: spiffe("user/grace") });
  const believed = (content: PolicyException, by: string) => content.approvers.includes(spiffe(by));
  expect(believed(requested, "user/grace")).toBe(true);
  const evidence = [wrong, signedException(requested, "user/grace")];
  const decision = asked(excepting, { evidence });
  expect(said(decision)).toEqual(["deny", "POLICY_RULE_FAILED rule"]);
  const looked = decision.verdicts[0]?.attestations.find(({ wanted }) => wanted === "exception:ticket-1");
  expect(looked?.notCounted).toContain("nobody approves for himself");
  // The same words signed by another issuer's Grace, and words about rules of another policy.
  const foreign = signed(signedException(exception(), "user/grace").statement.predicate, {
    ...{ by: "user/grace", issuer: "https://accounts.example" },
    ...{ about: sha256(JSON.stringify(exception())), type: "https://touchmark.dev/predicates/exception/v1" },
  });
  expect(asked(excepting, { evidence: [wrong, foreign] }).result).toBe("deny");
  const other = signedException(exception({ policy: "staging" }), "user/grace");
  expect(asked(excepting, { evidence: [wrong, other] }).result).toBe("deny");
});

test("a clock that was set back, or forth", () => {
  const at = (time: string, policy: Policy = clean, evidence = [good]): readonly string[] =>
    said(asked(policy, { evidence, now: new Date(time) }));
  // With the clock set back before its end an expired policy looks fresh; what was signed since then gives it away.
  const old = { ...clean, expires: "2026-05-01T00:00:00Z" };
  const looksFresh = (policy: Policy, clock: string) => Date.parse(policy.expires) > Date.parse(clock);
  expect(looksFresh(old, "2026-04-30T00:00:00Z")).toBe(true);
  expect(at("2026-04-30T00:00:00Z", old)).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
  expect(at("2030-01-01T00:00:00Z")).toEqual(["deny", "POLICY_EXPIRED"]);
  // Hosts differ by minutes, and nobody is stopped by it.
  const minutes = (count: number) => new Date(now.getTime() - count * 60_000).toISOString();
  expect([at(minutes(4)), at(minutes(6))]).toEqual([["allow"], ["deny", "POLICY_ATTESTATION_MISSING"]]);
  expect(said(asked(clean, { evidence: [good], now: new Date(Number.NaN) }))).toEqual(["deny", "POLICY_CLOCK_WRONG"]);
});

test("a statement made up in memory, with all that a verified one has", () => {
  const looksVerified = (each: VerifiedStatement) => each.kind === "statement" && each.signer.kind === "certificate";
  const copies: readonly VerifiedStatement[] = [
    { ...good },
    structuredClone(good),
    Object.create(good) as VerifiedStatement,
    new Proxy(good, {}),
  ];
  for (const copy of copies) {
    expect(looksVerified(copy)).toBe(true);
    expect(said(asked(clean, { evidence: [copy] }))[1]).toBe("POLICY_EVIDENCE_UNVERIFIED");
  }
});

test("no policy, an empty one, and one for elsewhere: silence is no consent", () => {
  const noneDenies = (verdicts: readonly PolicyVerdict[]) => verdicts.every(({ verdict }) => verdict === "allow");
  const questions: readonly (readonly [Decision, string])[] = [
    [asked([]), "POLICY_NONE"],
    [asked(policyOf({})), "POLICY_EMPTY"],
    [asked({ ...policyOf({ rules: [ruleOf("subject.name != ''")] }), mode: "shadow" }), "POLICY_NONE"],
    [asked(policyOf({ rules: [ruleOf("subject.name != ''")], match: { names: ["elsewhere/**"] } })), "POLICY_NONE"],
  ];
  expect(questions.filter(([decision]) => noneDenies(decision.verdicts))).toHaveLength(3);
  for (const [decision, code] of questions) expect(said(decision)).toEqual(["deny", code]);
  const parts = {
    subject: { name: "app", digest: artifact },
    request: {},
    layouts: [],
    parameters: {},
    evidence: [good],
  };
  const point = decide({ ...parts, point: "publish", policies: [pinned(clean)], now, issuer: world.issuer });
  expect(said(point)).toEqual(["deny", "POLICY_NONE"]);
});
