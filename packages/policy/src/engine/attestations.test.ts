import { sha256 } from "@touchmark/core";
import type { Policy, WantedAttestation } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { artifact, ask, codesOf, now, party, policyOf, ruleOf, SCAN, stated, verdictOf } from "./decision.fixture.ts";

const trust: NonNullable<Policy["trust"]> = {
  scanner: { ...party("scanner"), role: "scans" },
  anna: party("user/anna"),
  otto: party("user/otto"),
  team: party("user/anna", "user/otto"),
  keyed: { keys: [sha256("key one"), sha256("key two")] },
};
const wanting = (wanted: Partial<WantedAttestation> = {}, parts: Partial<Policy> = {}) =>
  policyOf({ trust, attestations: { scan: { predicateType: SCAN, by: ["scanner"], ...wanted } }, ...parts });
const reasons = (decision: ReturnType<typeof ask>) =>
  verdictOf(decision).attestations.map(({ notCounted }) => notCounted ?? "counted");

test("D8: a demanded attestation that is missing denies", () => {
  expect(codesOf(ask(wanting()))).toEqual(["POLICY_ATTESTATION_MISSING"]);
  const decision = ask(wanting(), { evidence: [stated({ clean: true })] });
  expect(decision.result).toBe("allow");
  expect(verdictOf(decision).attestations).toMatchObject([
    { wanted: "scan", functionary: "scanner", signer: "spiffe://factory.test/scanner of https://factory.test" },
  ]);
});

test("D8: a statement of another type, subject or signer is not counted, and the reason is told", () => {
  const about = sha256("something else");
  const evidence = [
    stated({ a: 1 }, { predicateType: "https://example.test/other/v1" }),
    stated({ b: 1 }, { about }),
    stated({ c: 1 }, { by: "stranger" }),
    stated({ d: 1 }, { subject: [{ name: "app", digest: { sha512: artifact.slice(7) } }] }),
  ];
  const decision = ask(wanting(), { evidence });
  expect(codesOf(decision)).toEqual(["POLICY_ATTESTATION_MISSING"]);
  expect(reasons(decision).sort()).toEqual([
    "it is not about the subject",
    "it is not about the subject",
    "its signer is none of scanner",
  ]);
});

test("D8: identities are compared whole, with who vouched for them", () => {
  const issuer = "https://elsewhere.test";
  const foreign = { ...stated({}), signer: { ...stated({}).signer, issuer } as never };
  expect(reasons(ask(wanting(), { evidence: [foreign] }))).toEqual(["its signer is none of scanner"]);
  const known = { scanner: { identities: [{ identity: "spiffe://factory.test/scanner", issuer }] } };
  expect(ask(wanting({}, { trust: known }), { evidence: [foreign] }).result).toBe("allow");
  const starred = { scanner: { identities: [{ identity: "spiffe://factory.test/*", pattern: true }] } };
  expect(ask(wanting({}, { trust: starred }), { evidence: [stated({})] }).result).toBe("allow");
  expect(ask(wanting({}, { trust: starred }), { evidence: [stated({}, { by: "a/b" })] }).result).toBe("deny");
  const literal = { scanner: { identities: [{ identity: "spiffe://factory.test/*" }] } };
  expect(ask(wanting({}, { trust: literal }), { evidence: [stated({})] }).result).toBe("deny");
});

test("D8: names that objects have of themselves are no functionaries", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    expect(ask(wanting({ by: [name] }), { evidence: [stated({})] }).result).toBe("deny");
  }
});

test("D8: age counts from the time that somebody vouches for; without one it cannot count", () => {
  const at = (time: string) => ({ evidence: [stated({}, { time: new Date(time) })] });
  const fresh = wanting({ maxAgeSeconds: 3600 });
  expect(ask(fresh, at("2026-11-22T11:00:00Z")).result).toBe("allow");
  expect(reasons(ask(fresh, at("2026-11-22T10:59:59Z")))).toEqual(["it is older than 3600 s"]);
  const { time: _, ...timeless } = stated({});
  expect(reasons(ask(fresh, { evidence: [timeless] }))[0]).toContain("nobody vouches for the time");
  expect(ask(wanting(), { evidence: [timeless] }).result).toBe("allow");
});

test("D8: a signature from after the decision is not counted; clocks may differ by minutes", () => {
  const later = (minutes: number) => ({ evidence: [stated({}, { time: new Date(now.getTime() + minutes * 60_000) })] });
  expect(ask(wanting(), later(4)).result).toBe("allow");
  expect(reasons(ask(wanting(), later(6)))).toEqual(["it was signed after the time of this decision"]);
});

test("D8: a failing statement hides no passing one, nor the reverse", () => {
  const good = stated({ clean: true });
  const bad = stated({ clean: false });
  const any = wanting({}, { rules: [ruleOf("any", "attestations.scan.exists(s, s.predicate.clean)")] });
  const all = wanting({}, { rules: [ruleOf("all", "attestations.scan.all(s, s.predicate.clean)")] });
  for (const evidence of [
    [good, bad],
    [bad, good],
  ]) {
    expect(ask(any, { evidence }).result).toBe("allow");
    expect(codesOf(ask(all, { evidence }))).toEqual(["POLICY_RULE_FAILED"]);
  }
});

test("D8: what an attestation is about can be an input, the source, or anything of the run", () => {
  const tree = sha256("tree");
  const facts = { source: { uri: "git+https://x.test/y", commit: "c".repeat(40), treeDigest: tree } };
  const ofTree = stated({}, { about: tree });
  const ofCommit = stated({ x: 1 }, { subject: [{ digest: { gitCommit: "c".repeat(40) } }] });
  const source = wanting({ about: "source" });
  expect(ask(source, { evidence: [ofTree], chain: facts }).result).toBe("allow");
  expect(ask(source, { evidence: [ofCommit], chain: facts }).result).toBe("allow");
  expect(ask(source, { evidence: [ofTree] }).result).toBe("deny");
  expect(ask(source, { evidence: [stated({})], chain: facts }).result).toBe("deny");
  expect(ask(wanting({ about: "run" }), { evidence: [ofTree], chain: facts }).result).toBe("allow");
  expect(ask(wanting({ about: "run" }), { evidence: [ofTree] }).result).toBe("deny");
  const inputs = { evidence: [ofTree], request: { inputs: [{ from: "source", digest: tree }] } };
  expect(ask(wanting({ about: "inputs" }), inputs).result).toBe("allow");
  expect(ask(wanting({ about: "inputs" }), { ...inputs, request: { inputs: [tree] } }).result).toBe("allow");
  expect(ask(wanting({ about: "inputs" }), { ...inputs, request: {} }).result).toBe("deny");
});

test("D8: rules see statements with their signer's functionary and role; what is unknown is absent", () => {
  const rule = (expression: string) => wanting({}, { rules: [ruleOf("sees", expression)] });
  const evidence = [stated({ n: 1 })];
  for (const expression of [
    'attestations.scan[0].signer.functionary == "scanner" && attestations.scan[0].signer.role == "scans"',
    `attestations.scan[0].subject[0].digest == subject.digest && attestations.scan[0].predicateType == "${SCAN}"`,
    'attestations.scan[0].time == now && attestations.scan[0].bundle.startsWith("sha256:")',
    "!has(attestations.scan[0].signer.key)",
  ]) {
    expect(codesOf(ask(rule(expression), { evidence })), expression).toEqual([]);
  }
});

test("D9: a threshold counts different functionaries, each with a signer of its own", () => {
  const two = wanting({ by: ["anna", "otto"], threshold: 2 });
  const anna = stated({ who: 1 }, { by: "user/anna" });
  const otto = stated({ who: 2 }, { by: "user/otto" });
  expect(ask(two, { evidence: [anna, otto] }).result).toBe("allow");
  const again = stated({ who: 3 }, { by: "user/anna" });
  expect(codesOf(ask(two, { evidence: [anna, again] }))).toEqual(["POLICY_THRESHOLD"]);
  expect(reasons(ask(two, { evidence: [anna, again] }))).toEqual([
    "1 of 2 functionaries signed",
    "1 of 2 functionaries signed",
  ]);
});

test("D9: one person under two names counts once, and so does one functionary with two keys", () => {
  const anna = stated({ who: 1 }, { by: "user/anna" });
  const otto = stated({ who: 2 }, { by: "user/otto" });
  const overlapping = wanting({ by: ["anna", "team"], threshold: 2 });
  expect(codesOf(ask(overlapping, { evidence: [anna] }))).toEqual(["POLICY_THRESHOLD"]);
  expect(ask(overlapping, { evidence: [anna, otto] }).result).toBe("allow");
  const keys = ["key one", "key two"].map((key) => ({
    ...stated({ key }),
    signer: { kind: "key", key: sha256(key) } as const,
  }));
  const both = wanting({ by: ["keyed", "anna"], threshold: 2 });
  expect(codesOf(ask(both, { evidence: keys }))).toEqual(["POLICY_THRESHOLD"]);
  expect(ask(both, { evidence: [...keys, anna] }).result).toBe("allow");
});

test("D9: below the threshold rules see nothing, where it is not demanded too", () => {
  const anna = stated({ who: 1 }, { by: "user/anna" });
  const rules = [ruleOf("none", "attestations.scan.size() == 0")];
  const optional = wanting({ by: ["anna", "otto"], threshold: 2, required: false }, { rules });
  expect(ask(optional, { evidence: [anna] }).result).toBe("allow");
});
