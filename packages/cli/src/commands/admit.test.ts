import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Digest, sha256 } from "@touchmark/core";
import { readPredicate } from "@touchmark/formats/predicates";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene } from "../admission/admission.fixture.ts";

let scene: AdmissionScene;
let policy: string;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
});
afterAll(() => scene.close());

const codesIn = (out: string): unknown =>
  (JSON.parse(out) as { verdicts: { result: string; failure?: { code: string } }[] }).verdicts.map(
    ({ result, failure }) => failure?.code ?? result,
  );

test("X80: what policies allow is admitted, what they deny is explained with exit code 3", async () => {
  const good = scene.write("good.bin", "good");
  const bad = scene.write("bad.bin", "bad");
  scene.write("unknown.bin", "unknown");
  await scene.check(good, true);
  await scene.check(bad, false);
  const admitted = await scene.say("admit", "good.bin", good, "--policy", policy);
  expect(admitted).toMatchObject({ code: 0, err: "" });
  expect(admitted.out).toContain(`admitted ${good} (good.bin)`);
  const denied = await scene.say("admit", "bad.bin", "--policy", policy);
  expect(denied.code).toBe(3);
  expect(denied.out).toContain("Run the checks again.");
  const missing = await scene.say("admit", "unknown.bin", "good.bin", "--policy", policy, "--json");
  expect(missing.code).toBe(3);
  expect(JSON.parse(missing.out)).toMatchObject({
    result: "deny",
    denied: 1,
    verdicts: [{ result: "deny" }, { result: "allow" }],
  });
  expect(missing.out).toContain("POLICY_ATTESTATION_MISSING");
});

test("X80: without a policy of its own the built-in ones decide, and a digest that nobody knows is denied", async () => {
  const { code, out } = await scene.say("admit", sha256("nobody knows"), "--json");
  expect(code).toBe(3);
  expect(codesIn(out)).toEqual(["deny"]);
});

test("X80: the time of --at decides, and nothing is recorded", async () => {
  const digest = scene.write("later.bin", "later");
  await scene.check(digest, true);
  const expiring = scene.policy("expiring.yaml", (text) => text.replace("2040", "2035"));
  expect((await scene.say("admit", "later.bin", "--policy", expiring)).code).toBe(0);
  const { code, out } = await scene.say("admit", "later.bin", "--policy", expiring, "--at", "2036-01-01", "--json");
  expect(code).toBe(3);
  expect(out).toContain("POLICY_EXPIRED");
});

test("X80: manifests are read for their images; what names none is refused", async () => {
  scene.write(
    "deploy.yaml",
    `apiVersion: v1
kind: Service
metadata: { name: web }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  template:
    spec:
      initContainers: [{ name: init, image: "not an image" }]
      containers: [{ name: web, image: nginx }]
---
apiVersion: widgets.example/v1
kind: Widget
`,
  );
  const { code, out } = await scene.say("admit", "deploy.yaml", "--policy", policy, "--json");
  expect(code).toBe(3);
  expect(codesIn(out)).toEqual(["reference", "reference"]);
  expect(JSON.parse(out)).toMatchObject({
    verdicts: [
      { reference: "nginx", where: "Deployment/web container web", namespace: "shop" },
      { where: "Deployment/web init init" },
    ],
    passedOver: ["widgets.example/Widget: nobody said where it names images"],
  });
  scene.write("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: { name: web }\n");
  const none = await scene.say("admit", "service.yaml");
  expect(none.code).toBe(2);
  expect(none.err).toContain("INVENTORY_EMPTY");
});

test("X80: --sign signs what was decided, allowed and denied, as the factory's verification summary", async () => {
  const digest = scene.write("signed.bin", "signed");
  await scene.check(digest, true);
  scene.write("unchecked.bin", "unchecked");
  const words = ["--policy", policy, "--sign"];
  const { code, out } = await scene.say("admit", "signed.bin", digest, "unchecked.bin", ...words, "--json");
  expect(code).toBe(3);
  const { verdicts } = JSON.parse(out) as { verdicts: { signed: { bundle: Digest; content: unknown }[] }[] };
  expect(verdicts.map(({ signed }) => signed.length)).toEqual([1, 1, 1]);
  expect(verdicts[0]?.signed).toEqual(verdicts[1]?.signed);
  const trustRoot = readTrustRoot(await scene.factory.trustRoot());
  const { trustDomain, issuer } = scene.factory.names();
  const identity = `spiffe://${trustDomain}/attest`;
  const summaries = await Promise.all(
    [verdicts[0], verdicts[2]].map(async (verdict) => {
      const [signed] = verdict?.signed ?? [];
      const artifact = verdict === verdicts[0] ? digest : sha256("unchecked");
      const verified = verifyBundle(Buffer.from(JSON.stringify(signed?.content)), trustRoot, {
        ...{ artifact, identity, issuer },
      });
      expect(await scene.factory.content.has(signed?.bundle ?? "sha256:")).toBe(true);
      return verified.kind === "statement" ? readPredicate("verification-summary", verified.statement.predicate) : {};
    }),
  );
  const mark = (expected: object) => expect.objectContaining({ point: "deploy", ...expected });
  expect(summaries).toMatchObject([
    {
      verificationResult: "PASSED",
      resourceUri: `touchmark:artifact/${digest}`,
      verifiedLevels: ["TOUCHMARK_DEPLOYMENT_ADMITTED"],
      touchmark_decision: mark({ denials: [] }),
    },
    {
      verificationResult: "FAILED",
      verifiedLevels: [],
      touchmark_decision: mark({ denials: [{ code: "POLICY_ATTESTATION_MISSING" }] }),
    },
  ]);
  const shown = await scene.say("admit", "signed.bin", ...words, "--environment", "production");
  expect([shown.code, shown.out]).toEqual([
    0,
    expect.stringMatching(/decision sha256:[0-9a-f]{64} signed as spiffe:.*\/attest, log entry [0-9]+/),
  ]);
  const undecided = await scene.say("admit", "127.0.0.1:1/nothing:1", ...words);
  expect([undecided.code, undecided.err]).toEqual([3, expect.stringContaining("nothing is signed")]);
});

test("X80: wrong words are usage errors", async () => {
  const signing = [["--exec"], ["--dry-run"], ["--at", "2036-01-01"]].map((more) => [sha256("a"), "--sign", ...more]);
  for (const words of [
    ...signing,
    [],
    ["nonsense"],
    ["a", "--file", "x"],
    ["--exec"],
    [sha256("a"), "--within", "0"],
  ]) {
    const { code, err } = await scene.say("admit", ...words);
    expect([words, code, err]).toEqual([words, 2, expect.stringContaining("CLI_USAGE")]);
  }
});

test("X80: a rule in Rego is judged by the module of --module that it names, and denies without it", async () => {
  const fixture = "../../../policy/src/rego/fixture/release.wasm.gz";
  const module = new Uint8Array(gunzipSync(readFileSync(join(import.meta.dirname, fixture))));
  scene.write("release.wasm", module);
  const digest = scene.write("rego.bin", "rego");
  await scene.check(digest, true);
  const inRego = (entrypoint: string) => (words: string) =>
    words.replace(/expression: .*/, `rego: { module: "${sha256(module)}", entrypoint: ${entrypoint} }`);
  const words = ["admit", "rego.bin", "--policy", scene.policy("rego.yaml", inRego("release/passed"))];
  const admitted = await scene.say(...words, "--module", "release.wasm");
  expect(admitted).toMatchObject({ code: 0, err: "" });
  const missing = await scene.say(...words);
  expect(missing.code).toBe(3);
  expect(missing.out).toContain("POLICY_MODULE_MISSING");
  const failing = scene.policy("failing.yaml", inRego("release/refused"));
  const failed = await scene.say("admit", "rego.bin", "--policy", failing, "--module", "release.wasm");
  expect(failed.code).toBe(3);
  expect(failed.out).toContain("POLICY_RULE_FAILED");
  expect((await scene.say(...words, "--module", "absent.wasm")).code).toBe(2);
});
