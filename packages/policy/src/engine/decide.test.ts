import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { decisionJson } from "../explain/decision-json.ts";
import { decide } from "./decide.ts";
import { artifact, ask, codesOf, ISSUER, now, outcomesOf, policyOf, ruleOf, verdictOf } from "./decision.fixture.ts";
import { assertDecided } from "./stated.ts";

const passing = policyOf({ rules: [ruleOf("yes", "true")] });
const failing = policyOf({ name: "strict", rules: [ruleOf("no", "false")] });

test("D3: where no policy speaks, the decision is deny with POLICY_NONE", () => {
  expect(ask([])).toMatchObject({ result: "deny", verdicts: [], denials: [{ code: "POLICY_NONE" }] });
  expect(codesOf(ask({ ...passing, point: "publish" }))).toEqual(["POLICY_NONE"]);
  expect(codesOf(ask({ ...passing, match: { names: ["other"] } }))).toEqual(["POLICY_NONE"]);
  expect(ask(passing)).toMatchObject({ result: "allow", denials: [] });
});

test("D3: a policy in shadow, or one that only warns and decides nothing, speaks for nobody", () => {
  const shadow = ask({ ...passing, mode: "shadow" });
  expect(shadow).toMatchObject({
    result: "deny",
    denials: [{ code: "POLICY_NONE" }],
    verdicts: [{ verdict: "allow" }],
  });
  const expired = ask({ ...passing, mode: "warn", expires: "2026-01-01T00:00:00Z" });
  expect(codesOf(expired)).toEqual(["POLICY_NONE", "POLICY_EXPIRED"]);
  expect(codesOf(ask(policyOf({ mode: "audit" })))).toEqual(["POLICY_NONE", "POLICY_EMPTY"]);
  expect(ask({ ...failing, mode: "warn" })).toMatchObject({ result: "allow", verdicts: [{ verdict: "deny" }] });
});

test("D4: an empty policy denies, with attestations that are not demanded too", () => {
  const optional = { scan: { predicateType: "https://example.test/scan/v1", by: ["scanner"], required: false } };
  for (const empty of [policyOf({}), policyOf({ rules: [] }), policyOf({ attestations: optional })]) {
    expect(ask(empty).result).toBe("deny");
    expect(codesOf(ask(empty))).toEqual(["POLICY_EMPTY"]);
  }
});

test("D4: an expired policy decides nothing, which denies; the second of its expiry is too late", () => {
  expect(codesOf(ask({ ...passing, expires: "2026-11-22T12:00:00Z" }))).toEqual(["POLICY_EXPIRED"]);
  expect(ask({ ...passing, expires: "2026-11-22T12:00:01Z" }).result).toBe("allow");
  expect(codesOf(ask({ ...passing, expires: "some day" }))).toEqual(["POLICY_EXPIRED"]);
});

test("D5: names, environments, namespaces and an expression say what a policy is about", () => {
  const matches = (match: NonNullable<typeof passing.match>, request = {}, name = "host.test/team/app:1") =>
    ask({ ...passing, match }, { request, subject: { name, digest: artifact } }).result === "allow";
  expect(matches({ names: ["host.test/*/app:*"] })).toBe(true);
  expect(matches({ names: ["host.test/*"] })).toBe(false);
  expect(matches({ names: ["nothing", "host.test/**"] })).toBe(true);
  expect(matches({ environments: ["production"] }, { environment: "production" })).toBe(true);
  expect(matches({ environments: ["production"] }, { environment: "staging" })).toBe(false);
  expect(matches({ namespaces: ["payments"] }, { namespace: "default" })).toBe(false);
  expect(matches({ expression: 'request.kind == "Pod"' }, { kind: "Pod" })).toBe(true);
  expect(matches({ expression: 'request.kind == "Pod"' }, { kind: "Job" })).toBe(false);
});

test("D5: who does not say where is judged by the policies of everywhere", () => {
  const production = { ...failing, match: { environments: ["production"], namespaces: ["payments"] } };
  expect(ask([passing, production])).toMatchObject({ result: "deny" });
  expect(ask([passing, production], { request: { environment: "staging" } })).toMatchObject({ result: "allow" });
});

test("D5: a match that comes to nothing denies, and evidence is no part of it", () => {
  expect(codesOf(ask({ ...passing, match: { expression: "request.missing" } }))).toEqual(["POLICY_EVALUATION_ERROR"]);
  expect(codesOf(ask({ ...passing, match: { expression: "1" } }))).toEqual(["POLICY_EVALUATION_ERROR"]);
  const evading = ask({ ...passing, match: { expression: "attestations.size() == 0" } });
  expect(verdictOf(evading).denials[0]?.message).toContain("CEL_UNKNOWN_VARIABLE");
});

test("D6: verdicts stand side by side; only one that enforces denies, and none outweighs it", () => {
  expect(ask([passing, failing])).toMatchObject({
    result: "deny",
    verdicts: [
      { policy: { name: "strict" }, verdict: "deny" },
      { policy: { name: "test" }, verdict: "allow" },
    ],
  });
  for (const mode of ["warn", "audit", "shadow"] as const) {
    const decision = ask([passing, { ...failing, mode }]);
    expect(decision.result).toBe("allow");
    expect(decision.verdicts.map(({ verdict }) => verdict).sort()).toEqual(["allow", "deny"]);
    expect(ask([{ ...passing, mode }, failing]).result).toBe("deny");
  }
});

test("D7: a decision over stated evidence says so, and cannot be signed", () => {
  const decision = ask(passing);
  expect(decision.stated).toBe(true);
  const code = expect.objectContaining({ code: "ENGINE_DECISION_STATED" });
  expect(() => assertDecided(decision)).toThrow(code);
});

test("D1: what the decision rests on is named by digest", () => {
  const layouts = [{ digest: sha256("layout"), document: {} as never }];
  const refused = new Map([[sha256("bad"), "SIGNATURE_INVALID"]]);
  const { inputs } = ask([passing, failing], { layouts, refused, request: { a: 1 }, parameters: { b: "c" } });
  expect(inputs).toMatchObject({
    layouts: [sha256("layout")],
    refused: [{ bundle: sha256("bad"), code: "SIGNATURE_INVALID" }],
    request: sha256('{"a":1}'),
    parameters: sha256('{"b":"c"}'),
    issuer: ISSUER,
  });
  expect(inputs.policies).toHaveLength(2);
});

test("D1: parts of a second do not matter, so that the time in the decision repeats it", () => {
  const rule = policyOf({ rules: [ruleOf("time", "now == timestamp(request.at)")] });
  const at = new Date("2026-11-22T12:00:00.987Z");
  const decision = ask(rule, { now: at, request: { at: "2026-11-22T12:00:00Z" } });
  expect(decision).toMatchObject({ result: "allow", at: "2026-11-22T12:00:00Z" });
  const again = ask(rule, { now: new Date(decision.at), request: { at: "2026-11-22T12:00:00Z" } });
  expect(decisionJson(again)).toBe(decisionJson(decision));
});

test("D2: a clock without a time denies, and so does what cannot be read", () => {
  expect(ask(passing, { now: new Date(Number.NaN) })).toMatchObject({
    result: "deny",
    denials: [{ code: "POLICY_CLOCK_WRONG" }],
  });
  const circle: { [name: string]: unknown } = {};
  circle["self"] = circle;
  expect(codesOf(ask(passing, { request: circle as never }))).toEqual(["POLICY_EVALUATION_ERROR"]);
  const broken = { document: null, digest: sha256("x") } as never;
  const common = { point: "deploy", subject: { name: "app" }, request: {}, layouts: [], parameters: {} } as const;
  const decision = decide({ ...common, policies: [broken], evidence: [], now, issuer: ISSUER });
  expect(decision).toMatchObject({ result: "deny", denials: [{ code: "POLICY_EVALUATION_ERROR" }] });
});

test("D2: facts nested too deeply deny under ENGINE_INPUT_TOO_DEEP", () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 300; depth++) deep = [deep];
  const { denials, result } = ask(passing, { request: { deep: deep as never } });
  expect(result).toBe("deny");
  expect(denials[0]?.message).toContain("at most 200 levels");
});

test("D24: the nearest expiry stands in the verdict, in whole days", () => {
  expect(verdictOf(ask({ ...passing, expires: "2026-11-25T11:00:00Z" })).expiresInDays).toBe(2);
  expect(verdictOf(ask({ ...passing, expires: "2026-11-20T12:00:00Z" })).expiresInDays).toBe(-2);
  expect(outcomesOf(ask(passing))).toEqual({ yes: "passed" });
});
