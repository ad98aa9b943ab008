import type { AdmissionGate, AdmissionVerdict } from "@touchmark/admission";
import { type AdmissionServer, admissionServer, imagePlaces } from "@touchmark/admission/server";
import { sha256 } from "@touchmark/core";
import { decideWithStated } from "@touchmark/policy";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

/*
 * Objects in which an image hides, put to the webhook over HTTP. Beside each stands a webhook that reads the images of
 * `spec.containers`, as so many do: it finds nothing wrong.
 *
 * Shown elsewhere: bodies of more than 3 MB, other content types, bodies that stand still (W12), shapeless pods (W4),
 * a late gate (W14), Kubernetes itself (W20).
 */

const good = `registry.example/team/app@${sha256("good")}`;
const evil = `registry.example/team/app@${sha256("evil")}`;
const asked: string[] = [];
/** Lets the one image pass, by a decision about it, and no other. */
const gate: AdmissionGate = {
  admit: async (references) => {
    asked.push(...references);
    return references.map(verdictOf);
  },
};
function verdictOf(reference: string): AdmissionVerdict {
  const digest = reference.slice(reference.indexOf("@") + 1) as ReturnType<typeof sha256>;
  const question = { subject: { name: reference, digest }, request: {}, policies: [], layouts: [], evidence: [] };
  const denied = decideWithStated({ ...question, point: "deploy", parameters: {}, now: new Date(), issuer: "x" });
  const isGood = reference === good;
  const decision = isGood ? ({ ...denied, result: "allow", denials: [] } as const) : denied;
  const message = isGood ? "" : "POLICY_NONE: no policy speaks";
  return { reference, digest, result: decision.result, message, warnings: [], decisions: [decision], explanation: "" };
}

let server: AdmissionServer;
beforeAll(async () => {
  server = await admissionServer({ gate, placesOf: imagePlaces([]), listen: { host: "127.0.0.1", port: 0 } });
});
afterAll(() => server.close());
beforeEach(() => asked.splice(0));

const review = (kind: string, object: unknown, group = "", more: object = {}) => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    ...{ uid: "705ab4f5-6393-11e8-b7cc-42010a800002", name: "app", namespace: "shop", operation: "CREATE" },
    ...{ kind: { group, version: "v1", kind }, resource: { group, version: "v1", resource: `${kind.toLowerCase()}s` } },
    ...{ userInfo: { username: "mallory" }, object, ...more },
  },
});
async function put(body: string): Promise<{ readonly allowed: boolean; readonly said: string }> {
  const headers = { "content-type": "application/json" };
  const reply = await fetch(`${server.url}/validate?timeout=10s`, { method: "POST", headers, body });
  const answer = (await reply.json()) as {
    code?: string;
    response?: { allowed: boolean; status?: { message: string } };
  };
  return { allowed: answer.response?.allowed === true, said: answer.response?.status?.message ?? answer.code ?? "" };
}
/** Images as a hurried webhook reads them, of which it asks. */
function hurried(body: string): boolean {
  const { request } = JSON.parse(body) as { request: { object?: { spec?: { containers?: { image: string }[] } } } };
  return (request.object?.spec?.containers ?? []).every(({ image }) => image === good);
}
const containers = [{ name: "app", image: good }];
const pod = (spec: object) => JSON.stringify(review("Pod", { metadata: {}, spec: { containers, ...spec } }));
const other = [{ name: "other", image: evil }];
const template = { metadata: {}, spec: { containers: other } };

test("the pod that all the others are made from is allowed, and its image was asked about", async () => {
  expect(await put(pod({}))).toEqual({ allowed: true, said: "" });
  expect(asked).toEqual([good]);
});

test.each([
  ["a container that comes first", pod({ initContainers: other }), "POLICY_NONE"],
  ["a container that comes later", pod({ ephemeralContainers: other }), "POLICY_NONE"],
  ["a volume", pod({ volumes: [{ name: "model", image: { reference: evil } }] }), "POLICY_NONE"],
  [
    "a template of a template",
    JSON.stringify(review("CronJob", { metadata: {}, spec: { jobTemplate: { spec: { template } } } }, "batch")),
    "POLICY_NONE",
  ],
  ["a deployment", JSON.stringify(review("Deployment", { metadata: {}, spec: { template } }, "apps")), "POLICY_NONE"],
  [
    "a kind of which nobody said where its images are",
    JSON.stringify(review("Rocket", { spec: { engine: evil } }, "space.example")),
    "ADMISSION_KIND_UNKNOWN",
  ],
  [
    "a member of the same name",
    pod({}).replace('"spec":{', `"spec":{"containers":[{"name":"app","image":"${evil}"}],`),
    "ADMISSION_REVIEW_MALFORMED",
  ],
  [
    "ten thousand others of its own",
    pod({
      initContainers: Array.from({ length: 10_000 }, (_, i) => ({
        name: `c${i}`,
        image: `r.example/a@${sha256(`${i}`)}`,
      })),
    }),
    "ADMISSION_IMAGES_TOO_MANY",
  ],
])("an image in %s", async (_, body, code) => {
  expect(hurried(body)).toBe(true);
  const { allowed, said } = await put(body);
  expect([allowed, said]).toEqual([false, expect.stringContaining(code)]);
  // What is refused for its form costs no question.
  expect(asked.length).toBeLessThanOrEqual(2);
});

test("an update that says it changes nothing, and a dry run that is none for the cluster", async () => {
  const before = { metadata: {}, spec: { containers } };
  const object = { metadata: {}, spec: { containers: other } };
  const update = (old: object) => JSON.stringify(review("Pod", object, "", { operation: "UPDATE", oldObject: old }));
  expect((await put(update(before))).allowed).toBe(false);
  expect((await put(JSON.stringify(review("Pod", object, "", { dryRun: true })))).allowed).toBe(false);
  // Connecting and deleting start nothing, and no other word stands for them.
  expect((await put(JSON.stringify(review("Pod", object, "", { operation: "delete" })))).allowed).toBe(false);
  expect((await put(JSON.stringify(review("Pod", object, "", { operation: "DELETED" })))).allowed).toBe(false);
});
