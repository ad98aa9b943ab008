import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import type { AdmissionGate } from "../gate/types.ts";
import type { JsonObject } from "../review/object.ts";
import { imagePlaces } from "../review/places.ts";
import { byDigest, byTag, podOf, reviewBytesOf, workload } from "../review/review.fixture.ts";
import { readAdmissionReview } from "../review/review.ts";
import { evidenceAnnotation } from "./annotation.ts";
import type { PatchOperation, ReviewAnswer } from "./answer.ts";
import { decisionAbout, scriptedGate, verdictAbout } from "./gate.fixture.ts";
import { answerReview, type WebhookKind, type WebhookParts } from "./webhook.ts";

const patience = () => ({ withinMs: 10_000, signal: new AbortController().signal });

async function ask(
  kind: WebhookKind,
  [name, object, more]: readonly [string, object | undefined, object?],
  parts: Partial<WebhookParts> = {},
): Promise<ReviewAnswer> {
  const request = readAdmissionReview(reviewBytesOf(name, object, more));
  return answerReview(kind, request, { gate: scriptedGate(), placesOf: imagePlaces([]), ...parts }, patience());
}
const pod = (image: string, more: JsonObject = {}) => workload("Pod", podOf(image, more));
const told = (patch: readonly PatchOperation[]) => {
  const value = patch.find(({ path }) => path.includes("evidence"))?.value;
  return JSON.parse(typeof value === "string" ? value : "{}") as object;
};

test("W5: each image is asked about once, with the namespace and the facts of the question", async () => {
  const gate = scriptedGate();
  const spec = podOf(byDigest("a"), { initContainers: [{ name: "i", image: byDigest("a") }] });
  const answer = await ask("validating", ["Deployment", workload("Deployment", spec), { dryRun: true }], {
    gate,
    environment: "production",
  });
  expect(answer).toMatchObject({ allowed: true, message: "", patch: [], audit: { verdict: "allow" } });
  expect(gate.asked).toMatchObject([
    {
      references: [byDigest("a")],
      context: {
        ...{ namespace: "shop", dryRun: true },
        facts: {
          ...{ kind: "apps/Deployment", operation: "CREATE", user: "ada", environment: "production" },
          caller: { name: "ada", kind: "person", authentication: "token" },
        },
      },
    },
  ]);
  expect(answer.audit["decisions"]).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("W5: one denied image denies; the message says which, why and how, the codes are the policies'", async () => {
  const spec = podOf(byDigest("good"), { volumes: [{ name: "v", image: { reference: byDigest("bad") } }] });
  const answer = await ask("validating", ["Pod", workload("Pod", spec)]);
  expect(answer.allowed).toBe(false);
  expect(answer.codes).toEqual(["POLICY_RULE_FAILED"]);
  expect(answer.message).toBe(`${byDigest("bad")}: POLICY_RULE_FAILED: not built here\n\ndeny\n  built-here failed`);
  expect(answer.message).not.toContain(byDigest("good"));
});

test("W5: warnings of an allowed image are passed on", async () => {
  const answer = await ask("validating", ["Pod", pod(byDigest("warn"))]);
  expect(answer.warnings).toEqual([`tomorrow this will be denied (${byDigest("warn")})`]);
});

test("W6: the validating webhook lets no tag pass, unless somebody says that it is insecure", async () => {
  const gate = scriptedGate();
  const denied = await ask("validating", ["Pod", pod(byTag("a"))], { gate });
  expect([denied.allowed, denied.codes, gate.asked]).toEqual([false, ["ADMISSION_TAG_UNPINNED"], []]);
  const allowed = await ask("validating", ["Pod", pod(byTag("a"))], { insecureAllowTags: true });
  expect([allowed.allowed, allowed.warnings[0]]).toEqual([true, expect.stringContaining("insecure: ")]);
});

test("W6: the mutating webhook writes digests in the place of tags, everywhere, and tells the evidence of pods", async () => {
  const spec = {
    containers: [
      { name: "app", image: byTag("a") },
      { name: "side", image: byDigest("b") },
    ],
    volumes: [{ name: "v", image: { reference: byTag("c") } }],
  };
  const a = `registry.example/team/a@${sha256(byTag("a"))}`;
  const c = `registry.example/team/c@${sha256(byTag("c"))}`;
  const answer = await ask("mutating", ["Pod", workload("Pod", spec)]);
  expect(answer.patch.slice(0, 3)).toEqual([
    { op: "replace", path: "/spec/containers/0/image", value: a },
    { op: "replace", path: "/spec/volumes/0/image/reference", value: c },
    { op: "add", path: "/metadata/annotations", value: {} },
  ]);
  expect(answer.patch[3]?.path).toBe("/metadata/annotations/admission.touchmark.dev~1evidence");
  expect(told(answer.patch)).toEqual({
    [a]: { from: byTag("a"), policies: [sha256("policy")], evidence: [sha256("statement")] },
    [byDigest("b")]: { from: byDigest("b"), policies: [sha256("policy")], evidence: [sha256("statement")] },
    [c]: { from: byTag("c"), policies: [sha256("policy")], evidence: [sha256("statement")] },
  });
  const deployment = await ask("mutating", ["Deployment", workload("Deployment", podOf(byTag("a")))]);
  expect(deployment.patch).toEqual([{ op: "replace", path: "/spec/template/spec/containers/0/image", value: a }]);
});

test("W6: asked again about its own work it changes nothing; a denied object is not changed", async () => {
  const first = await ask("mutating", ["Pod", pod(byDigest("a"))]);
  const annotations = { [evidenceAnnotation]: JSON.stringify(told(first.patch)) };
  const again = { metadata: { annotations }, spec: podOf(byDigest("a")) };
  expect((await ask("mutating", ["Pod", again])).patch).toEqual([]);
  expect(await ask("mutating", ["Pod", pod(byTag("bad"))])).toMatchObject({ allowed: false, patch: [] });
});

test("W7: an update asks about what it changes alone: what ran before goes on, and forges no annotation", async () => {
  const gate = scriptedGate();
  const oldObject = { metadata: { annotations: { [evidenceAnnotation]: '{"x":1}' } }, spec: podOf(byDigest("bad")) };
  const update = { operation: "UPDATE", oldObject };
  const forged = { metadata: { annotations: { [evidenceAnnotation]: '{"y":1}' } }, spec: podOf(byDigest("bad")) };
  const kept = await ask("mutating", ["Pod", forged, update], { gate });
  expect([kept.allowed, gate.asked]).toEqual([true, []]);
  expect(told(kept.patch)).toEqual({});
  const added = {
    spec: { containers: [...podOf(byDigest("bad")).containers, { name: "b", image: byDigest("c") }] },
  };
  expect((await ask("validating", ["Pod", added, update], { gate })).allowed).toBe(true);
  expect(gate.asked.map(({ references }) => references)).toEqual([[byDigest("c")]]);
  const moved = { spec: { containers: [{ name: "other", image: byDigest("bad") }] } };
  expect((await ask("validating", ["Pod", moved, update])).allowed).toBe(false);
});

test("W7: what runs nothing is not asked about: deletions, connections, scaling", async () => {
  const gate = scriptedGate();
  const none = [
    ["Pod", undefined, { operation: "DELETE", oldObject: pod(byDigest("bad")) }],
    ["Scale", { spec: { replicas: 3 } }, { operation: "UPDATE", subResource: "scale" }],
  ] as const;
  for (const one of none) expect((await ask("validating", one, { gate })).allowed).toBe(true);
  expect(gate.asked).toEqual([]);
});

test("W4: what is created or changed without being shown is denied", async () => {
  for (const operation of ["CREATE", "UPDATE"]) {
    const answer = await ask("validating", ["Pod", undefined, { operation, oldObject: pod(byDigest("a")) }]);
    expect([answer.allowed, answer.codes]).toEqual([false, ["ADMISSION_OBJECT_MALFORMED"]]);
  }
  expect((await ask("validating", ["PodProxyOptions", undefined, { operation: "CONNECT" }])).allowed).toBe(true);
});

const failing: readonly (readonly [what: string, admit: AdmissionGate["admit"], code: string])[] = [
  ["throws", () => Promise.reject(new Error("out of order")), "ADMISSION_GATE_FAILED"],
  ["says nothing", async () => [], "ADMISSION_GATE_FAILED"],
  ["is about another image", async () => [verdictAbout(byDigest("x"))], "ADMISSION_GATE_FAILED"],
  [
    "allows other bytes",
    async ([one = ""]) => [{ ...verdictAbout(one), digest: sha256("x") }],
    "ADMISSION_GATE_FAILED",
  ],
  ["allows without decision", async ([one = ""]) => [{ ...verdictAbout(one), decisions: [] }], "ADMISSION_GATE_FAILED"],
  [
    "allows what its decision denies",
    async ([one = ""]) => [{ ...verdictAbout(one), decisions: [decisionAbout(sha256("a"), "deny")] }],
    "ADMISSION_GATE_FAILED",
  ],
  [
    "decides about other bytes",
    async ([one = ""]) => [{ ...verdictAbout(one), decisions: [decisionAbout(sha256("x"), "allow")] }],
    "ADMISSION_GATE_FAILED",
  ],
];
test.each(failing)("W8: a gate that %s admits nothing", async (_, admit, code) => {
  expect(await ask("validating", ["Pod", pod(byDigest("a"))], { gate: { admit } })).toMatchObject({
    ...{ allowed: false, codes: [code] },
  });
});

test("W8: a gate that does not answer in time admits nothing, and is told that nobody waits", async () => {
  let left = false;
  const admit: AdmissionGate["admit"] = (_, { signal, withinMs }) =>
    new Promise((resolve) => {
      expect(withinMs).toBeLessThan(100);
      signal?.addEventListener("abort", () => {
        left = true;
        resolve([]);
      });
    });
  const request = readAdmissionReview(reviewBytesOf("Pod", pod(byDigest("a"))));
  const parts = { gate: { admit }, placesOf: imagePlaces([]) };
  const answer = await answerReview("validating", request, parts, { ...patience(), withinMs: 100 });
  expect([answer.allowed, answer.codes, left]).toEqual([false, ["ADMISSION_TIMEOUT"], true]);
});

test("W8: break-glass allows what policies deny, and stands in the audit log", async () => {
  const glass = { id: "bg-1", by: "ada", reason: "outage", expires: "2026-11-22T00:00:00Z" };
  const admit: AdmissionGate["admit"] = async ([one = ""]) => [
    { ...verdictAbout(one), result: "allow", breakGlass: glass, warnings: ["break-glass bg-1"] },
  ];
  const answer = await ask("validating", ["Pod", pod(byDigest("bad"))], { gate: { admit } });
  expect(answer).toMatchObject({ allowed: true, audit: { "break-glass": "bg-1" } });
});
