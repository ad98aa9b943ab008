import { sha256 } from "@touchmark/core";
import type { Policy, PolicyException } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import {
  artifact,
  ask,
  codesOf,
  exceptionFor,
  now,
  outcomesOf,
  party,
  policyOf,
  ruleOf,
  signedException,
  stated,
  verdictOf,
} from "./decision.fixture.ts";

const policy: Policy = policyOf({
  trust: { anna: party("user/anna"), otto: party("user/otto"), both: party("user/anna", "user/otto") },
  exceptions: { by: ["anna", "otto"] },
  rules: [ruleOf("hard", "false", { message: "it is hard" }), ruleOf("easy", "true")],
});
const asking = (content: PolicyException, parts: { readonly by?: string; readonly policy?: Policy } = {}) =>
  ask(parts.policy ?? policy, { evidence: [signedException(content, parts.by)] });
const whyNot = (decision: ReturnType<typeof ask>) =>
  verdictOf(decision).attestations.map(({ notCounted }) => notCounted);

test("D16: an exception lifts the rule that it names, and stands in the result", () => {
  const content = exceptionFor(["hard"]);
  const decision = asking(content);
  expect(decision.result).toBe("allow");
  expect(verdictOf(decision).rules[0]).toMatchObject({
    outcome: "excepted",
    message: "it is hard",
    exception: {
      id: "ex-1",
      reason: content.reason,
      expires: content.expires,
      statement: signedException(content).bundle,
    },
  });
  expect(verdictOf(decision).attestations).toMatchObject([{ wanted: "exception:ex-1", functionary: "anna" }]);
  expect(asking(exceptionFor(["easy"])).result).toBe("deny");
});

test("D24: an exception in use brings the expiry nearer; one that nothing needed does not", () => {
  expect(verdictOf(asking(exceptionFor(["hard"]))).expiresInDays).toBe(8);
  const easy = { ...policy, rules: [ruleOf("easy", "true")] };
  expect(verdictOf(asking(exceptionFor(["easy"]), { policy: easy })).expiresInDays).toBe(39);
});

test("D16: it counts only in its time", () => {
  expect(whyNot(asking(exceptionFor(["hard"], { expires: "2026-11-22T12:00:00Z" })))).toEqual([
    "it expired on 2026-11-22T12:00:00Z",
  ]);
  expect(whyNot(asking(exceptionFor(["hard"], { created: "2026-11-22T12:00:01Z" })))).toEqual([
    "it begins on 2026-11-22T12:00:01Z",
  ]);
  const late = { ...signedException(exceptionFor(["hard"])), time: new Date(now.getTime() + 3_600_000) };
  expect(whyNot(ask(policy, { evidence: [late] }))).toEqual(["it was signed after the time of this decision"]);
});

test("D16: it counts only for its subject and policy, and never for everything", () => {
  const unlisted = { result: "deny", verdicts: [{ attestations: [] }] };
  expect(asking(exceptionFor(["hard"], { subject: { digest: sha256("other") } }))).toMatchObject(unlisted);
  expect(asking(exceptionFor(["hard"], { subject: {} }))).toMatchObject(unlisted);
  expect(asking(exceptionFor(["hard"], { policy: "another" }))).toMatchObject(unlisted);
});

test("D16: a package URL covers the package, in the version that it names", () => {
  const about = (purl: string, name: string) =>
    ask(policy, { evidence: [signedException(exceptionFor(["hard"], { subject: { purl } }))], subject: { name } })
      .result;
  expect(about("pkg:npm/left-pad@1.3.0", "pkg:npm/left-pad@1.3.0")).toBe("allow");
  expect(about("pkg:npm/left-pad", "pkg:npm/left-pad@1.3.0")).toBe("allow");
  expect(about("pkg:npm/left-pad@1.3.0", "pkg:npm/left-pad@1.3.1")).toBe("deny");
  expect(about("pkg:npm/*", "pkg:npm/left-pad@1.3.0")).toBe("deny");
  expect(about("pkg:npm/left-pad", "left-pad")).toBe("deny");
});

test("D16: nobody approves for himself, and only approvers whom it names and the policy allows", () => {
  const requester = "spiffe://factory.test/user/anna";
  for (const own of [requester, "user/anna", "anna"]) {
    expect(whyNot(asking(exceptionFor(["hard"], { requester: own })))[0]).toContain("nobody approves for himself");
  }
  expect(whyNot(asking(exceptionFor(["hard"]), { by: "user/mallory" }))).toEqual([
    "its signer is none of its approvers",
  ]);
  const approvers = ["spiffe://factory.test/user/mallory"];
  expect(whyNot(asking(exceptionFor(["hard"], { approvers }), { by: "user/mallory" }))).toEqual([
    "the policy lets only anna, otto grant exceptions",
  ]);
  const { exceptions: _, ...silent } = policy;
  expect(whyNot(asking(exceptionFor(["hard"]), { policy: silent }))).toEqual([
    "the policy lets nobody grant exceptions",
  ]);
});

test("D16: with a threshold, as many different approvers must have signed the same words", () => {
  const two = { ...policy, exceptions: { by: ["anna", "otto"], threshold: 2 } };
  const content = exceptionFor(["hard"]);
  const [anna, otto] = [signedException(content, "user/anna"), signedException(content, "user/otto")];
  expect(ask(two, { evidence: [anna, otto] }).result).toBe("allow");
  expect(whyNot(ask(two, { evidence: [anna] }))).toEqual(["1 of 2 approvers signed"]);
  const one = { ...two, exceptions: { by: ["anna", "both"], threshold: 2 } };
  expect(ask(one, { evidence: [anna] }).result).toBe("deny");
  // The same digest over other words is another exception.
  const { predicate } = anna;
  const { document } = predicate as { readonly document: string };
  const forged = { ...otto, predicate: { document, content: { ...content, reason: "another" } } as never };
  expect(ask(two, { evidence: [anna, forged] }).result).toBe("deny");
});

test("D16: an exception in another form, or about other bytes, is none", () => {
  const good = signedException(exceptionFor(["hard"]));
  const { content, document } = good.predicate as { readonly content: object; readonly document: string };
  for (const predicate of [null, "x", {}, { document }, { document, content: { ...content, extra: 1 } }, { content }]) {
    expect(ask(policy, { evidence: [{ ...good, predicate: predicate as never }] })).toMatchObject({
      result: "deny",
      verdicts: [{ attestations: [] }],
    });
  }
  expect(ask(policy, { evidence: [{ ...good, subject: stated({}).subject }] }).result).toBe("deny");
});

test("D16: of several the one that lasts longest is shown; errors and skipped rules are lifted as well", () => {
  const longer = exceptionFor(["hard"], { id: "ex-2", expires: "2026-12-24T00:00:00Z" });
  const evidence = [signedException(exceptionFor(["hard"])), signedException(longer, "user/otto")];
  const shown = verdictOf(ask(policy, { evidence })).rules[0]?.exception;
  expect(shown?.id).toBe("ex-2");
  expect(verdictOf(ask(policy, { evidence: evidence.toReversed() })).rules[0]?.exception).toEqual(shown);
  const odd = { ...policy, rules: [ruleOf("hard", "request.x"), ruleOf("next", "true", { dependsOn: ["hard"] })] };
  expect(outcomesOf(asking(exceptionFor(["hard"]), { policy: odd }))).toEqual({ hard: "excepted", next: "passed" });
});

test("D13: an excepted dependency does not stand in the way of the rule after it", () => {
  const chained = { ...policy, rules: [ruleOf("hard", "false"), ruleOf("next", "false", { dependsOn: ["hard"] })] };
  const decision = asking(exceptionFor(["hard"]), { policy: chained });
  expect(outcomesOf(decision)).toEqual({ hard: "excepted", next: "failed" });
  expect(codesOf(decision)).toEqual(["POLICY_RULE_FAILED"]);
  expect(decision.subject.digest).toBe(artifact);
});
