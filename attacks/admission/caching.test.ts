import { admissionGate, evidenceCache, type Tenant, tenantTable, type VerifiedEvidence } from "@touchmark/admission";
import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import { decide, pinned } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import { expect, test } from "vitest";
import { artifact, now, scanned, signed, world } from "../policy/policy-scene.ts";

/*
 * Answers that were kept: of another place, of another time, without what they rested on. Evidence is signed, and
 * decisions are those of the engine.
 *
 * Shown elsewhere: eight containers of one image cost one lookup (C2, C8, X85), evidence of another trust root (C1),
 * policies that change while serving (C15, X85), a decision about other bytes (C10).
 */

const root = sha256("root");
const image = `registry.example/team/app@${artifact}` as const;

/** A gate with real decisions, over evidence that the test may change. */
function scene(policy: Policy, statements: readonly VerifiedStatement[]) {
  const clock = fixedClock(now);
  const known = { statements };
  let gathered = 0;
  const source = {
    resolve: async (reference: string) => sha256(reference),
    gather: async (digest: Digest): Promise<VerifiedEvidence> => {
      gathered++;
      return { digest, trustRoot: root, statements: known.statements, chains: [], refused: new Map(), at: clock.now() };
    },
  };
  const own: Tenant = {
    name: "own",
    evidence: evidenceCache({ source, clock, trustRoot: () => root }),
    decide: ({ subject, request, evidence, now: at }) =>
      decide({
        ...{ point: "deploy", subject, request, policies: [pinned(policy)], layouts: [] },
        ...{ evidence: evidence.statements, parameters: {}, now: at, issuer: world.issuer },
      }),
    ...{ breakGlass: () => undefined, problems: () => [] },
  };
  const gate = admissionGate({ tenants: () => tenantTable(own, []), clock, explain: () => "" });
  /** Result and first codes of one question. */
  const ask = async (facts: { readonly [name: string]: string } = {}, reference: string = image) => {
    const [verdict] = await gate.admit([reference], { withinMs: 30_000, dryRun: false, facts });
    const [decision] = verdict?.decisions ?? [];
    const codes = (decision?.verdicts ?? []).flatMap(({ denials }) => denials.map(({ code }) => code));
    return [verdict?.result, ...(decision?.denials ?? []).map(({ code }) => code), ...codes];
  };
  return { ask, clock, known, gathered: () => gathered };
}

/** What admission controllers keep: an answer by image. */
function keptAnswers(ask: (facts: { readonly [name: string]: string }) => Promise<readonly unknown[]>) {
  const answers = new Map<string, readonly unknown[]>();
  return async (facts: { readonly [name: string]: string }, reference: string = image) => {
    const answer = answers.get(reference) ?? (await ask(facts));
    answers.set(reference, answer);
    return answer[0];
  };
}

test("an answer that was given elsewhere: conditions are skipped where it was kept (kyverno/kyverno#17173)", async () => {
  const policy = scanned('request.environment == "staging" || attestations.scan.all(s, s.predicate.clean)');
  const { ask, gathered } = scene(policy, [signed({ clean: false })]);
  const kept = keptAnswers(ask);
  expect([await kept({ environment: "staging" }), await kept({ environment: "production" })]).toEqual([
    "allow",
    "allow",
  ]);
  expect(await ask({ environment: "staging" })).toEqual(["allow"]);
  expect(await ask({ environment: "production" })).toEqual(["deny", "POLICY_RULE_FAILED"]);
  // Who does not say where has no place that is let off.
  expect(await ask()).toEqual(["deny", "POLICY_EVALUATION_ERROR"]);
  expect(gathered()).toBe(1);
});

test("a denial that outlives its reason (kyverno/kyverno#17105)", async () => {
  const { ask, clock, known } = scene(scanned("attestations.scan.all(s, s.predicate.clean)"), []);
  const kept = keptAnswers(ask);
  expect(await kept({})).toBe("deny");
  known.statements = [signed({ clean: true })];
  clock.set(new Date(now.getTime() + 10_000));
  expect(await kept({})).toBe("deny");
  expect(await ask()).toEqual(["allow"]);
});

test("what was kept is no proof: unverified words stay unverified, however often (kyverno/kyverno#17130)", async () => {
  const copy = { ...signed({ clean: true }) };
  const { ask, gathered } = scene(scanned("attestations.scan.all(s, s.predicate.clean)"), [copy]);
  const seen = new Set<string>();
  const trusting = (digest: string) => seen.has(digest) || !seen.add(digest);
  expect([trusting(artifact), trusting(artifact)]).toEqual([false, true]);
  for (let round = 0; round < 2; round++) {
    expect((await ask())[1]).toBe("POLICY_EVIDENCE_UNVERIFIED");
  }
  expect(gathered()).toBe(1);
});

test("time that passes while evidence is kept: what expires meanwhile is expired", async () => {
  const aged = scanned("attestations.scan.all(s, s.predicate.clean)", {
    attestations: { scan: { predicateType: "https://example.com/scan/v1", by: ["scanner"], maxAgeSeconds: 60 } },
  });
  const { ask, clock } = scene(aged, [signed({ clean: true })]);
  const kept = keptAnswers(ask);
  expect([await kept({}), await ask()]).toEqual(["allow", ["allow"]]);
  clock.set(new Date(now.getTime() + 61_000));
  expect(await kept({})).toBe("allow");
  expect(await ask()).toEqual(["deny", "POLICY_ATTESTATION_MISSING"]);
});

test("a clock that was set back: what was gathered is of a time to come, and is gathered anew", async () => {
  const { ask, clock, known, gathered } = scene(scanned("attestations.scan.all(s, s.predicate.clean)"), [
    signed({ clean: true }),
  ]);
  expect(await ask()).toEqual(["allow"]);
  known.statements = [signed({ clean: false })];
  clock.set(new Date(now.getTime() - 60_000));
  expect(await ask()).toEqual(["deny", "POLICY_RULE_FAILED"]);
  expect(gathered()).toBe(2);
});
