import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import {
  type ClassicLayout,
  classicLinkFileName,
  classicSigner,
  writeClassicLayout,
  writeClassicLink,
} from "@touchmark/formats/in-toto";
import { missingForRuns, openScene, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "./fixture.ts";

const owner = classicSigner(generateKeyPairSync("ed25519").privateKey);
const builder = classicSigner(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const missing = missingForRuns();

let directory: string;
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-verify-layout-")));
  mkdirSync(join(directory, "links"));
  writeFileSync(join(directory, "app.txt"), "app\n");
  writeFileSync(join(directory, "other.txt"), "other\n");
  const link = {
    ...{ name: "build", command: ["make"], materials: {}, byproducts: {}, environment: {} },
    products: { "app.txt": { sha256: sha256("app\n").slice(7) } },
  };
  writeFileSync(
    join(directory, "links", classicLinkFileName("build", builder.key.keyid)),
    writeClassicLink(link, [builder]),
  );
  writeLayout("root.layout", {});
  const { keytype, scheme, public: value } = owner.key;
  writeFileSync(join(directory, "owner.json"), JSON.stringify({ keytype, scheme, keyval: { public: value } }));
  writeFileSync(join(directory, "builder.pem"), builder.key.public);
});
afterAll(() => rmSync(directory, { recursive: true }));

function writeLayout(name: string, change: Partial<ClassicLayout>): void {
  const layout: ClassicLayout = {
    expires: "2099-01-01T00:00:00Z",
    readme: "",
    keys: { [builder.key.keyid]: builder.key },
    steps: [
      {
        name: "build",
        command: ["{tool}"],
        materials: [],
        products: [
          { rule: "CREATE", pattern: "*.txt" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        threshold: 1,
        pubkeys: [builder.key.keyid],
      },
    ],
    inspections: [],
    ...change,
  };
  writeFileSync(join(directory, name), writeClassicLayout(layout, [owner]));
}

const verify = (...words: readonly string[]) => say(["verify", ...words], { directory });
const usual = ["--layout", "root.layout", "--layout-key", "owner.json", "--links", "links"];

test("X44: an artifact that was made as its layout demands is accepted, another refused, with every reason", async () => {
  const good = await verify("app.txt", ...usual);
  expect(good).toMatchObject({ code: 0, err: "" });
  expect(good.out).toContain(`accepted ${sha256("app\n")}`);
  expect(good.out).toContain('warning: step build ran ["make"], expected ["{tool}"]');
  expect((await verify("app.txt", ...usual, "--parameter", "tool=make")).out).not.toContain("warning");
  const bad = await verify("other.txt", ...usual);
  expect(bad).toMatchObject({ code: 3, out: "" });
  expect(bad.err).toContain("POLICY_SUBJECT_MISMATCH");
  expect(bad.err).toContain("what to do:");
});

test("X44: JSON has the code, the links that were looked at, and why they did not count", async () => {
  const good = JSON.parse((await verify("app.txt", ...usual, "--json")).out) as object;
  expect(good).toMatchObject({ verdict: "accepted", code: null, steps: [{ name: "build", satisfied: true }] });
  const nowhere = await verify("app.txt", "--layout", "root.layout", "--layout-key", "owner.json", "--json");
  expect(nowhere.code).toBe(3);
  expect(JSON.parse(nowhere.out)).toMatchObject({ verdict: "refused", code: "POLICY_STEP_EVIDENCE_MISSING" });
});

test("X44: time is that of --at; a layout that another key signed is refused before it is looked at", async () => {
  expect((await verify("app.txt", ...usual, "--at", "2099-01-01")).err).toContain("POLICY_LAYOUT_EXPIRED");
  const stranger = await verify(
    "app.txt",
    "--layout",
    "root.layout",
    "--layout-key",
    "builder.pem",
    "--links",
    "links",
  );
  expect(stranger.code).toBe(3);
  expect(stranger.err).toContain("INTOTO_SIGNATURE_MISSING");
});

test.each([
  [["--layout", "root.layout"], "expected --layout-key FILE"],
  [["--layout", "root.layout", "--layout-key", "app.txt"], "expected a public key"],
  [["--layout", "missing", "--layout-key", "owner.json"], "expected a layout"],
  [[...usual, "--layout-step", "deploy"], "LAYOUT_STEP_ABSENT"],
  [[...usual, "--parameter", "tool"], "expected --parameter NAME=VALUE"],
  [[...usual, "--parameter", "other=x"], "LAYOUT_PARAMETER"],
  [[...usual, "--at", "soon"], "expected --at"],
  [["--links", "links"], "needs --bundle, --evidence or --layout"],
  [[...usual, "--trust-root", "x"], "no meaning with --layout"],
  [["--layout", "app.txt", "--layout-key", "owner.json"], "no signed layout of in-toto"],
])("X44: what cannot be meant is said: %j", async (words, expected) => {
  const said = await verify("app.txt", ...words);
  expect(said.code).toBe(2);
  expect(said.err).toContain(expected);
});

test("X44: a file that is no layout of any kind is refused", async () => {
  const said = await verify("app.txt", "--layout", "app.txt");
  expect(said.code).toBe(3);
  expect(said.err).toContain("INTOTO_MALFORMED");
});

describe.skipIf(missing !== null)(`layouts of ours${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("X44: a layout of ours is followed by this factory's evidence, and its inspections run sealed", async () => {
    const pipeline = `
  steps:
    make: { run: 'cp app.txt "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;
    const project = scene.project("shop", pipeline, { "app.txt": "app of ours\n" });
    await scene.run(project);
    const { trustDomain } = scene.factory.names();
    const layout = (inspection: string) => `touchmark: layout/v1
name: shop
version: 1
expires: "2099-01-01T00:00:00Z"
functionaries:
  make: { identities: [{ identity: "spiffe://${trustDomain}/project/shop/pipeline/default/step/make" }] }
steps:
  - name: make
    functionaries: [make]
    materials: [{ rule: MATCH, pattern: "*", with: products, from: source }, { rule: DISALLOW, pattern: "*" }]
    products: [{ rule: CREATE, pattern: app.txt }, { rule: DISALLOW, pattern: "*" }]
inspections:
  - name: look
    command: [grep, ours, app.txt]
    materials: [{ rule: MATCH, pattern: app.txt, with: products, from: make }]
    rules: [{ id: whole, title: Nothing was added, expression: "${inspection}" }]
subjects: [{ step: make, products: [app.txt] }]
`;
    const artifact = join(project.directory, "app.txt");
    const file = join(directory, "ours.yaml");
    const more = { directory, environment: { ...process.env, TOUCHMARK_HOME: scene.home } };
    const before = process.env["TOUCHMARK_HOME"];
    process.env["TOUCHMARK_HOME"] = scene.home;
    try {
      writeFileSync(file, layout("inspection.exitCode == 0 && size(inspection.products) == 1"));
      const good = await say(["verify", artifact, "--layout", file], more);
      expect(`${good.code} ${good.err}`).toBe("0 ");
      writeFileSync(file, layout("size(inspection.products) == 2"));
      const bad = await say(["verify", artifact, "--layout", file, "--json"], more);
      expect(bad.code).toBe(3);
      expect(JSON.parse(bad.out)).toMatchObject({
        verdict: "refused",
        decision: { verdicts: [{ denials: [{ code: "POLICY_RULE_FAILED", rule: "whole" }] }] },
        inspections: [{ name: "look", exitCode: 0, printed: "app of ours\n" }],
      });
      const ite = (rule: string) => `expires: "2099-01-01T00:00:00Z"
functionaries:
  make:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      identity: "spiffe://${trustDomain}/project/shop/pipeline/default/step/make"
      issuer: "${scene.factory.names().issuer}"
steps:
  - name: make
    expectedMaterials: ["ALLOW source", "DISALLOW *"]
    expectedProducts: ["CREATE app.txt", "DISALLOW *"]
    expectedPredicates:
      - predicateType: https://in-toto.io/attestation/link/v0.3
        expectedAttributes: [{ rule: "${rule}" }]
        functionaries: [make]
subjects: [{ subject: [app.txt] }]
`;
      writeFileSync(file, ite("predicate.name == '{step}' && subject[0].name == 'output/make'"));
      const iteGood = await say(["verify", artifact, "--layout", file, "--parameter", "step=make"], more);
      expect(`${iteGood.code} ${iteGood.err}`).toBe("0 ");
      const iteBad = await say(["verify", artifact, "--layout", file, "--parameter", "step=other' || true || '"], more);
      expect(iteBad.code).toBe(3);
      expect(iteBad.err).toContain("POLICY_RULE_FAILED");
      const stranger = await say(["verify", join(directory, "other.txt"), "--layout", file], more);
      expect(stranger.code).toBe(3);
      expect(stranger.err).toContain("POLICY_STEP_EVIDENCE_MISSING");
    } finally {
      if (before === undefined) delete process.env["TOUCHMARK_HOME"];
      else process.env["TOUCHMARK_HOME"] = before;
    }
  });
});
