import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import type { Decision, PolicyVerdict } from "@touchmark/policy";
import { expect, test } from "vitest";
import { evidenceCacheErrors } from "../cache/errors.ts";
import { evidenceCache } from "../cache/evidence-cache.ts";
import type { EvidenceSource, VerifiedEvidence } from "../evidence-source.ts";
import { admissionGate } from "./admission-gate.ts";
import { type Tenant, tenantTable } from "./tenant.ts";
import type { AdmissionContext, AdmissionVerdict, UsedBreakGlass } from "./types.ts";

const root = sha256("root");
const image = (name: string): string => `registry.example/team/${name}:1`;
const context = (more: Partial<AdmissionContext> = {}): AdmissionContext => ({
  ...{ withinMs: 30_000, dryRun: false, facts: { user: "ada" } },
  ...more,
});
const unreachable = evidenceCacheErrors.make("EVIDENCE_CACHE_SLOW", "unreachable");

/** A decision as policies would make it: `allow` is whether it passes. */
function decisionOf(allow: boolean, digest: Digest, name: string, verdicts: readonly PolicyVerdict[] = []): Decision {
  const denials = allow ? [] : [{ code: "POLICY_NONE", message: "no policy speaks" } as const];
  const nothing = sha256("");
  return {
    ...{ touchmark: "decision/v1", point: "deploy", subject: { name, digest }, result: allow ? "allow" : "deny" },
    ...{ at: "2026-11-21T12:00:00Z", denials, verdicts, cost: 1 },
    inputs: {
      ...{ policies: [], layouts: [], evidence: [], refused: [], request: nothing, parameters: nothing },
      trustRoots: [root],
    },
  };
}

/** A gate whose only tenant allows what the test says. */
function scene(
  options: { readonly allows?: (name: string) => boolean; readonly source?: Partial<EvidenceSource> } = {},
) {
  const clock = fixedClock("2026-11-21T12:00:00Z");
  let gathered = 0;
  let decided = 0;
  const permissions = new Map<string, UsedBreakGlass>();
  const told: AdmissionVerdict[] = [];
  const allowed = { is: options.allows ?? (() => true) };
  const source: EvidenceSource = {
    resolve: async (reference) => sha256(reference),
    gather: async (digest): Promise<VerifiedEvidence> => {
      gathered++;
      return { digest, trustRoot: root, statements: [], chains: [], refused: new Map(), at: clock.now() };
    },
    ...options.source,
  };
  const own: Tenant = {
    name: "own",
    evidence: evidenceCache({ source, clock, trustRoot: () => root }),
    decide: ({ subject }) => {
      decided++;
      return decisionOf(allowed.is(subject.name), subject.digest, subject.name);
    },
    breakGlass: (digest, namespace) => permissions.get(`${digest} ${namespace ?? ""}`),
    problems: () => [],
  };
  const make = (tenant: Tenant = own) =>
    admissionGate({
      ...{ tenants: () => tenantTable(tenant, []), clock, explain: () => "tree" },
      onVerdict: (verdict) => told.push(verdict),
    });
  const count = () => ({ gathered, decided });
  return { clock, own, gate: make(), make, permissions, told, allowed, count };
}

test("C8: a verdict for each reference in the order of asking; equal ones share one decision", async () => {
  const { gate, count } = scene({ allows: (name) => name.includes("good") });
  const asked = [image("good"), image("bad"), image("good"), image("bad")];
  const verdicts = await gate.admit(asked, context());
  expect(verdicts.map(({ reference }) => reference)).toEqual(asked);
  expect(verdicts.map(({ result }) => result)).toEqual(["allow", "deny", "allow", "deny"]);
  expect(verdicts[1]).toMatchObject({
    digest: sha256(image("bad")),
    message: `${image("bad")}: POLICY_NONE: no policy speaks`,
    explanation: "tree",
  });
  expect(count()).toEqual({ gathered: 2, decided: 2 });
  expect(await gate.admit([], context())).toEqual([]);
});

test("C8: a question is decided anew every time, on evidence that is kept", async () => {
  const { gate, allowed, count } = scene();
  expect((await gate.admit([image("a")], context()))[0]?.result).toBe("allow");
  allowed.is = () => false;
  expect((await gate.admit([image("a")], context()))[0]?.result).toBe("deny");
  allowed.is = () => true;
  expect((await gate.admit([image("a")], context()))[0]?.result).toBe("allow");
  expect(count()).toEqual({ gathered: 1, decided: 3 });
});

test("C9: a denial never rests on old evidence: it is gathered anew, and what was attested meanwhile counts", async () => {
  const { gate, allowed, clock, count } = scene();
  await gate.admit([image("a")], context());
  clock.set("2026-11-21T12:00:10Z");
  const { decided } = count();
  allowed.is = () => count().gathered === 2;
  expect((await gate.admit([image("a")], context()))[0]?.result).toBe("allow");
  expect(count()).toEqual({ gathered: 2, decided: decided + 2 });
});

test("C10: everything that goes wrong is a denial by its code", async () => {
  const source = { resolve: () => Promise.reject(unreachable) };
  const { gate } = scene({ source });
  const codes = async (...references: string[]) =>
    (await gate.admit(references, context())).map(({ result, failure }) => [result, failure?.code]);
  expect(await codes(image("a"), "", "nginx", "a b", `x@${"y".repeat(5000)}`, "https://h.example/a")).toEqual([
    ["deny", "EVIDENCE_CACHE_SLOW"],
    ...Array.from({ length: 5 }, () => ["deny", "reference"]),
  ]);
  const bug = scene({ source: { gather: () => Promise.reject(new TypeError("broken")) } });
  expect(await bug.gate.admit([image("a")], context())).toMatchObject([
    { result: "deny", failure: { code: "internal", message: "broken" }, digest: sha256(image("a")) },
  ]);
});

test("C10: an answer about another digest is no answer", async () => {
  const { own, make } = scene();
  const wrong = make({ ...own, decide: () => decisionOf(true, sha256("other"), "other") });
  expect((await wrong.admit([image("a")], context()))[0]).toMatchObject({
    result: "deny",
    failure: { code: "internal" },
  });
});

test("C11: what is not decided in time is denied as timeout, and what was decided stays", async () => {
  const never = new Promise<VerifiedEvidence>(() => {});
  const { own, make, clock } = scene();
  const gather: EvidenceSource["gather"] = async (digest) =>
    digest === sha256(image("slow"))
      ? never
      : { digest, trustRoot: root, statements: [], chains: [], refused: new Map(), at: clock.now() };
  const source: EvidenceSource = { resolve: async (reference) => sha256(reference), gather };
  const gate = make({ ...own, evidence: evidenceCache({ source, clock, trustRoot: () => root }) });
  const verdicts = await gate.admit([image("slow"), image("fast")], context({ withinMs: 20 }));
  expect(verdicts.map(({ failure, result }) => failure?.code ?? result)).toEqual(["timeout", "allow"]);
  const left = new AbortController();
  left.abort();
  expect((await gate.admit([image("fast")], context({ signal: left.signal })))[0]?.failure?.code).toBe("timeout");
});

test("C12: break-glass turns a denial into a shown permission, for its digest and namespace alone", async () => {
  const used = { id: "bg-1", by: "ada", reason: "outage", expires: "2026-11-21T13:00:00Z" };
  const { gate, permissions, told } = scene({ allows: () => false });
  permissions.set(`${sha256(image("a"))} prod`, used);
  const [there] = await gate.admit([image("a")], context({ namespace: "prod" }));
  expect(there).toMatchObject({ result: "allow", breakGlass: used, message: "" });
  expect(there?.decisions[0]?.result).toBe("deny");
  expect(there?.warnings[0]).toBe("break-glass bg-1 by ada lets it pass until 2026-11-21T13:00:00Z: outage");
  expect(there?.warnings[1]).toContain("POLICY_NONE");
  expect(there?.explanation).toContain("outage");
  expect((await gate.admit([image("a")], context({ namespace: "other" })))[0]?.result).toBe("deny");
  expect((await gate.admit([image("b")], context({ namespace: "prod" })))[0]?.result).toBe("deny");
  expect(told).toHaveLength(3);
  await gate.admit([image("a")], context({ namespace: "prod", dryRun: true }));
  expect(told).toHaveLength(3);
});

test("C12: break-glass works where the registry does not, as long as the digest is known", async () => {
  const source = { resolve: () => Promise.reject(unreachable), gather: () => Promise.reject(unreachable) };
  const { gate, permissions } = scene({ source });
  const digest = sha256("a");
  permissions.set(`${digest} `, { id: "bg-1", by: "ada", reason: "outage", expires: "2026-11-21T13:00:00Z" });
  const verdicts = await gate.admit([`registry.example/team/a@${digest}`, digest, image("a")], context());
  expect(verdicts.map(({ result }) => result)).toEqual(["allow", "allow", "deny"]);
  expect(verdicts[0]?.failure?.code).toBe("EVIDENCE_CACHE_SLOW");
});

test("C13: a namespace is of one tenant: by its whole name, by the longest pattern, or the factory's own", () => {
  const { own } = scene();
  const tenant = (name: string): Tenant => ({ ...own, name });
  const table = tenantTable(own, [
    { namespaces: ["team-*"], tenant: tenant("wide") },
    { namespaces: ["team-a-*", "x+y"], tenant: tenant("narrow") },
    { namespaces: ["team-a-prod"], tenant: tenant("exact") },
  ]);
  const of = (name?: string) => table.of(name).name;
  expect(["team-a-prod", "team-a-dev", "team-b", "other", "xxy", "x+y", "team-", "a.team-b"].map(of)).toEqual([
    "exact",
    "narrow",
    "wide",
    "own",
    "own",
    "narrow",
    "wide",
    "own",
  ]);
  expect(of(undefined)).toBe("own");
  expect(table.all.map(({ name }) => name)).toEqual(["own", "wide", "narrow", "exact"]);
});

test("C14: policies that only warn, rules of tomorrow and exceptions are told with what is allowed", async () => {
  const verdict = (mode: "warn" | "enforce" | "shadow" | "audit", name: string): PolicyVerdict => ({
    policy: { name, version: 1, digest: root, mode },
    verdict: mode === "enforce" ? "allow" : "deny",
    denials: mode === "enforce" ? [] : [{ code: "POLICY_RULE_FAILED", rule: "r", message: "too old" }],
    rules: [
      {
        ...{ id: "soon", title: "Soon", severity: "low", outcome: "pending", values: [], practices: [], cost: 0 },
        effectiveOn: "2027-01-01T00:00:00Z",
      },
      {
        ...{ id: "let", title: "Let", severity: "low", outcome: "excepted", values: [], practices: [], cost: 0 },
        exception: { id: "e1", statement: root, reason: "known", expires: "2026-12-01T00:00:00Z" },
      },
    ],
    attestations: [],
    expiresInDays: 10,
  });
  const { own, make } = scene();
  const verdicts = [verdict("warn", "w"), verdict("enforce", "e"), verdict("shadow", "s"), verdict("audit", "a")];
  const decide: Tenant["decide"] = ({ subject }) => decisionOf(true, subject.digest, subject.name, verdicts);
  const [said] = await make({ ...own, decide, problems: () => ["new policies cannot be used"] }).admit(
    [image("a")],
    context(),
  );
  expect(said?.warnings).toEqual([
    "policy w: POLICY_RULE_FAILED r: too old",
    "policy w: soon will deny from 2027-01-01T00:00:00Z: Soon",
    "policy w: exception e1 for let until 2026-12-01T00:00:00Z: known",
    "policy e: soon will deny from 2027-01-01T00:00:00Z: Soon",
    "policy e: exception e1 for let until 2026-12-01T00:00:00Z: known",
    "new policies cannot be used",
  ]);
});

test("C8: memory stays flat over many requests for ever new images", async () => {
  const { own, make, clock } = scene();
  const source: EvidenceSource = {
    resolve: async (reference) => sha256(reference),
    gather: async (digest) => ({
      ...{ digest, trustRoot: root, statements: [], chains: [], refused: new Map(), bytes: 100_000, at: clock.now() },
    }),
  };
  const cache = evidenceCache({ source, clock, trustRoot: () => root, bytes: 1_000_000 });
  const gate = make({ ...own, evidence: cache });
  for (let round = 0; round < 20; round++) {
    await gate.admit(
      Array.from({ length: 250 }, (_, i) => image(`n${round}-${i}`)),
      context(),
    );
  }
  expect(cache.state()).toMatchObject({ entries: 9, underWay: 0, waiting: 0, gathered: 5000 });
});
