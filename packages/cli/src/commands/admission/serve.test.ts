import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene } from "../../admission/admission.fixture.ts";
import { ended, start } from "../../fixture.ts";

let scene: AdmissionScene;
let policy: string;
let good: Digest;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
  good = sha256("good");
  await scene.check(good, true);
});
afterAll(() => scene.close());

interface Served {
  ask(
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly text: string; readonly identity: string }>;
  stop(): Promise<{ readonly code: number | string | null; readonly err: string }>;
}

/** Starts the service by the factory's authority, and waits for the line about its address. */
async function served(...words: readonly string[]): Promise<Served> {
  const all = ["admission", "serve", "--listen", "127.0.0.1:0", "--tls-name", "admission.internal", "--json", ...words];
  const child = start(scene.home, scene.directory, all);
  const end = ended(child);
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes("\n") && child.exitCode === null && child.stdout !== null) await once(child.stdout, "data");
  if (!out.includes("authority")) throw new Error(out);
  const { address, authority } = JSON.parse(out) as { address: string; authority: string };
  const ca = readFileSync(authority);
  return {
    ask: (path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const [host, port] = address.split(":");
        const options = { host, port, path, ca, servername: "admission.internal", agent: false };
        const headers = { "content-type": "application/json" };
        const sent = request({ ...options, method: text === undefined ? "GET" : "POST", headers }, (reply) => {
          const identity = "getPeerCertificate" in reply.socket ? peerName(reply.socket) : "";
          let all = "";
          reply.on("data", (chunk: Buffer) => (all += chunk.toString()));
          reply.on("end", () => resolve({ status: reply.statusCode ?? 0, text: all, identity }));
        });
        sent.on("error", reject);
        sent.end(text);
      }),
    stop: async () => {
      child.kill("SIGTERM");
      return end;
    },
  };
}

function peerName(socket: object): string {
  const certificate = (socket as { getPeerCertificate: () => { subjectaltname?: string } }).getPeerCertificate();
  return certificate.subjectaltname ?? "";
}

test("X85: the service answers by the policies in force, under an identity of the factory, until it is told to stop", async () => {
  const service = await served("--policy", policy, "--environment", "production");
  const both = await service.ask("/v1/verdict", { references: [good, sha256("bad")] });
  expect([both.status, JSON.parse(both.text)]).toMatchObject([
    200,
    { result: "deny", verdicts: [{ reference: good, result: "allow" }, { result: "deny" }] },
  ]);
  expect(both.text).toContain("POLICY_ATTESTATION_MISSING");
  const { trustDomain } = scene.factory.names();
  expect(both.identity).toContain(`URI:spiffe://${trustDomain}/admission`);
  expect((await service.ask("/readyz")).text).toBe("ready\n");
  expect((await service.ask("/metrics")).text).toMatch(/^touchmark_admission_tenants 1$/m);
  expect(await service.stop()).toMatchObject({ code: 0, err: expect.stringContaining("admission service stopped") });
});

test("X85: a component that is not admitted keeps everybody out, and the reason is told", async () => {
  const own = sha256("the service itself");
  const service = await served("--policy", policy, "--component", own);
  expect((await service.ask("/v1/verdict", { references: [good] })).text).toContain("ADMISSION_NOT_READY");
  const ready = await service.ask("/readyz");
  expect([ready.status, ready.text]).toEqual([503, expect.stringContaining(own)]);
  expect((await service.stop()).code).toBe(0);
  const admitted = await served("--policy", policy, "--component", good);
  for (;;) if ((await admitted.ask("/readyz")).status === 200) break;
  expect((await admitted.ask("/v1/verdict", { references: [good] })).text).toContain('"result":"allow"');
  await admitted.stop();
});

test.each([
  [["--listen", "0.0.0.0:0"], "expected --tls-name"],
  [["--listen", "unix:/tmp/x"], "expected --listen HOST:PORT"],
  [["--tls-cert", "x.pem"], "expected --tls-cert and --tls-key together"],
  [["--callers", "ca.pem"], "expected a PEM file"],
  [["--template", "Rollout"], "ADMISSION_TEMPLATE_INVALID"],
])("X85: refused: serve %j", async (words, message) => {
  const said = await scene.say("admission", "serve", "--listen", "127.0.0.1:0", ...words);
  expect([said.code, said.err]).toEqual([2, expect.stringContaining(message)]);
});

test("X86: manifests carry the authority, fail closed, and ask about every kind that makes pods", async () => {
  const words = [
    "--url",
    "https://admission.internal:8443",
    "--template",
    "example.dev/Policy=template:/spec/template",
  ];
  const { code, out } = await scene.say("admission", "manifests", ...words, "--provider", "--json");
  const { items } = JSON.parse(out) as { items: { kind: string; webhooks: object[]; spec: { caBundle: string } }[] };
  expect([code, items.map(({ kind }) => kind)]).toEqual([
    0,
    ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Provider"],
  ]);
  expect(items[1]?.webhooks[0]).toMatchObject({
    ...{ failurePolicy: "Fail", timeoutSeconds: 10, admissionReviewVersions: ["v1"] },
    clientConfig: { url: "https://admission.internal:8443/validate" },
    rules: [
      { resources: expect.arrayContaining(["pods", "pods/ephemeralcontainers"]) },
      {},
      {},
      { resources: ["policies"] },
    ],
  });
  expect(Buffer.from(items[2]?.spec.caBundle ?? "", "base64").toString()).toContain("BEGIN CERTIFICATE");
  const image = `registry.example/touchmark@${good}`;
  writeFileSync(join(scene.directory, "ca.pem"), "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
  const inside = ["--service", "touchmark/admission:8443", "--component", image, "--authority", "ca.pem"];
  const yaml = await scene.say("admission", "manifests", ...inside, "--validating-only");
  expect(yaml.out.match(/^kind: \w+$/gm)).toEqual(["kind: ValidatingWebhookConfiguration"]);
  expect(yaml.out).toContain("matchConditions:");
  expect(yaml.out).toContain(good);
});

test.each([
  [[], "expected --url or --service"],
  [["--url", "http://x"], "expected an https address"],
  [["--service", "x"], "expected --service NAMESPACE/NAME"],
  [["--url", "https://x", "--timeout", "31"], "expected --timeout between 1 and 30"],
  [["--service", "a/b", "--component", "registry.example/x:1"], "expected --component HOST/NAME@sha256:"],
  [["--url", "https://x", "--authority", "none.pem"], "expected a PEM file"],
])("X86: refused: manifests %j", async (words, message) => {
  const said = await scene.say("admission", "manifests", ...words);
  expect([said.code, said.err]).toEqual([2, expect.stringContaining(message)]);
});
