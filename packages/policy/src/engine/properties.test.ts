import { sha256 } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CelInput } from "../cel/value.ts";
import { decisionJson } from "../explain/decision-json.ts";
import { explainMarkdown } from "../explain/markdown.ts";
import { explainTree } from "../explain/tree.ts";
import { pinned } from "../library/default-policies.ts";
import {
  artifact,
  ask,
  exceptionFor,
  now,
  party,
  policyOf,
  ruleOf,
  SCAN,
  signedException,
  stated,
} from "./decision.fixture.ts";
import type { StatedStatement } from "./stated.ts";

const REVIEW = "https://example.test/review/v1";
const people = ["anna", "otto", "rita", "mallory"] as const;

const statement: fc.Arbitrary<StatedStatement> = fc.oneof(
  fc
    .record({
      by: fc.constantFrom("scanner", "stranger"),
      clean: fc.boolean(),
      about: fc.constantFrom(artifact, sha256("other")),
      age: fc.integer({ min: -600, max: 7200 }),
    })
    .map(({ by, clean, about, age }) => stated({ clean }, { by, about, time: new Date(now.getTime() - age * 1000) })),
  fc
    .record({ who: fc.constantFrom(...people), note: fc.nat(2) })
    .map(({ who, note }) => stated({ note }, { by: `user/${who}`, predicateType: REVIEW })),
  fc
    .record({ rule: fc.constantFrom("clean", "reviewed"), by: fc.constantFrom("anna", "rita"), days: fc.nat(20) })
    .map(({ rule, by, days }) =>
      signedException(
        exceptionFor([rule], {
          id: `ex-${days}`,
          expires: new Date(now.getTime() + (days - 5) * 86_400_000).toISOString(),
        }),
        `user/${by}`,
      ),
    ),
);
const evidence = fc.array(statement, { maxLength: 8 });

/** Rules that ask for something to be there, and none that asks for something not to be. */
const monotone: fc.Arbitrary<Policy> = fc
  .record({
    threshold: fc.integer({ min: 1, max: 3 }),
    maxAgeSeconds: fc.option(fc.constant(3600), { nil: undefined }),
    required: fc.boolean(),
    rules: fc.subarray([
      ruleOf("clean", "attestations.scan.exists(s, s.predicate.clean)"),
      ruleOf("reviewed", "attestations.review.size() >= 2 || attestations.scan.size() > 1", { dependsOn: ["clean"] }),
    ]),
    granting: fc.boolean(),
  })
  .map(({ threshold, maxAgeSeconds, required, rules, granting }) =>
    policyOf({
      trust: {
        scanner: party("scanner"),
        ...Object.fromEntries(people.map((name) => [name, party(`user/${name}`)])),
        pair: party("user/anna", "user/otto"),
      },
      attestations: {
        scan: { predicateType: SCAN, by: ["scanner"], ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }) },
        review: { predicateType: REVIEW, by: ["anna", "otto", "pair"], threshold, required },
      },
      ...(granting ? { exceptions: { by: ["anna"] } } : {}),
      rules: rules.some(({ id }) => id === "clean") ? rules : [],
    }),
  );

test("D22: adding evidence turns no allowing into denying where rules only ask for presence", () => {
  let allowed = 0;
  fc.assert(
    fc.property(monotone, evidence, evidence, (policy, some, more) => {
      if (ask(policy, { evidence: some }).result !== "allow") return;
      allowed++;
      expect(ask(policy, { evidence: [...some, ...more] }).result).toBe("allow");
    }),
    { numRuns: 600, examples: [[policyOf({ rules: [ruleOf("clean", "true")] }), [], []]] },
  );
  expect(allowed).toBeGreaterThan(5);
});

test("D22: taking evidence away turns no denying into allowing, and without demanded evidence nothing is allowed", () => {
  fc.assert(
    fc.property(monotone, evidence, fc.nat(7), (policy, all, at) => {
      const fewer = all.filter((_, index) => index !== at);
      if (ask(policy, { evidence: all }).result === "deny")
        expect(ask(policy, { evidence: fewer }).result).toBe("deny");
      const none = all.filter(({ predicateType }) => predicateType !== SCAN);
      expect(ask(policy, { evidence: none }).result).toBe("deny");
    }),
    { numRuns: 300 },
  );
});

test("D1: neither the order of evidence and policies nor repetition changes a byte", () => {
  const question = fc.tuple(fc.array(monotone, { maxLength: 3 }), evidence);
  const shuffled = question.chain(([policies, given]) =>
    fc.tuple(
      fc.constant([policies, given] as const),
      fc.shuffledSubarray(policies, { minLength: policies.length }),
      fc.shuffledSubarray([...given, ...given], { minLength: given.length * 2 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([[policies, given], otherPolicies, otherGiven]) => {
      const decision = decisionJson(ask(policies, { evidence: given }));
      expect(decisionJson(ask(otherPolicies, { evidence: otherGiven }))).toBe(decision);
    }),
    { numRuns: 200 },
  );
});

test("D1: a decision is its replay, byte for byte, from its documents read anew", () => {
  fc.assert(
    fc.property(monotone, evidence, (policy, given) => {
      const decision = ask(policy, { evidence: given });
      const document = JSON.parse(JSON.stringify(policy)) as Policy;
      const replay = ask([], {
        policies: [pinned(document)],
        evidence: structuredClone(given),
        now: new Date(decision.at),
      });
      expect(decisionJson(replay)).toBe(decisionJson(decision));
    }),
    { numRuns: 300 },
  );
});

const anything = fc.anything({
  maxDepth: 3,
  withDate: true,
  withBigInt: true,
  withTypedArray: true,
  withNullPrototype: true,
});
const expression = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    "request.x == params.y",
    "attestations.all(k, attestations[k].size() > 0)",
    "vars.v",
    "chain.run",
    "[1][request]",
  ),
);

test("D2: no input throws, every decision has canonical JSON and an explanation", () => {
  const policy = fc.record(
    {
      touchmark: fc.constant("policy/v1"),
      name: fc.string(),
      version: fc.nat(),
      expires: fc.constantFrom("2099-01-01T00:00:00Z", "x"),
      point: fc.constant("deploy"),
      rules: fc.oneof(fc.array(fc.record({ id: fc.string(), title: fc.string(), expression })), anything),
      variables: fc.oneof(fc.array(fc.record({ name: fc.constant("v"), expression })), anything),
      match: fc.option(fc.record({ expression }), { nil: undefined }),
      attestations: fc.oneof(fc.constant({ scan: { predicateType: SCAN, by: ["scanner"] } }), anything),
      trust: fc.oneof(fc.constant({ scanner: party("scanner") }), anything),
      parameters: fc.oneof(fc.constant({ y: { type: "int" } }), anything),
      collections: anything,
    },
    { requiredKeys: ["point", "name", "version", "expires"] },
  );
  fc.assert(
    fc.property(
      policy,
      anything,
      anything,
      fc.array(statement, { maxLength: 3 }),
      (document, request, parameters, given) => {
        const decision = ask([], {
          policies: [{ document: document as never, digest: sha256("p") }],
          request: { x: request as CelInput },
          parameters: { y: parameters as CelInput },
          evidence: given,
        });
        expect(["allow", "deny"]).toContain(decision.result);
        expect(JSON.parse(decisionJson(decision))).toMatchObject({ touchmark: "decision/v1" });
        expect(explainTree(decision)).toContain(decision.result);
        expect(explainMarkdown(decision)).toContain(decision.result);
      },
    ),
    { numRuns: 800 },
  );
});
