import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeVex } from "@touchmark/advisories";
import { type Digest, digestHex, sha256 } from "@touchmark/core";
import { removeTree } from "@touchmark/store";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { attestArtifact } from "../attest.ts";
import { type Factory, openFactory } from "../factory.ts";
import { codeOf, missingForRuns, openScene, type Scene } from "../fixture.ts";
import { giveAdvisories, giveRules, npmAdvisory } from "./advisories.fixture.ts";
import { VULNS_TYPE } from "./analysis-statements.ts";
import { forgetVex, keepVex, keptVex, type VexScope, vexFor } from "./kept-vex.ts";
import { rescanArtifacts } from "./rescan.ts";

const at = "2026-01-01T00:00:00Z";
const bytes = writeVex(
  {
    ...{ author: "vendor", at },
    statements: [
      {
        ...{ vulnerability: ["GHSA-test-0013"], status: "not_affected", at },
        products: [{ ids: ["pkg:npm/pad@1.0.0"], subcomponents: [] }],
        justification: "vulnerable_code_not_in_execute_path",
      },
    ],
  },
  "openvex",
);
const document = sha256(bytes);
const scope = (more: Partial<VexScope> = {}): VexScope => ({
  ...{ approver: "Grace", reason: "read it", projects: [], artifacts: [], ...more },
});
const artifact = sha256("an artifact");
const now = new Date("2026-11-01T00:00:00Z");

let directory: string;
let factory: Factory;
beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-kept-vex-")));
  factory = await openFactory({ home: join(directory, "home"), create: true });
});
afterAll(async () => {
  await factory.close();
  removeTree(directory);
});
afterEach(() => rmSync(join(factory.home.path, "vex"), { recursive: true, force: true }));

const fileOf = (of: Factory, end = ".json"): string => join(of.home.path, "vex", `${digestHex(document)}${end}`);
const ignoredCodes = async () => (await keptVex(factory)).ignored.map(({ code }) => code);

test("A13: a document counts by a signed decision, and no more when it is forgotten", async () => {
  const kept = await keepVex(factory, bytes, scope());
  expect(kept).toMatchObject({ digest: document, decision: { document, approver: "Grace", author: "vendor" } });
  const read = await keptVex(factory);
  expect(read.kept).toMatchObject([{ digest: document, decision: { reason: "read it" } }]);
  expect(vexFor(read.kept, { now })).toMatchObject([{ author: "vendor", approver: "Grace" }]);
  expect([forgetVex(factory, document), forgetVex(factory, document)]).toEqual([true, false]);
  expect(await keptVex(factory)).toEqual({ kept: [], ignored: [] });
});

test("A13: a document that somebody laid there without a decision counts for nothing", async () => {
  mkdirSync(join(factory.home.path, "vex"));
  writeFileSync(fileOf(factory), bytes);
  expect(await ignoredCodes()).toEqual(["VEX_DECISION_MISSING"]);
  expect((await keptVex(factory)).kept).toEqual([]);
});

test("A13: a document that was changed after the decision counts for nothing", async () => {
  await keepVex(factory, bytes, scope());
  writeFileSync(fileOf(factory), Buffer.from(bytes).toString().replace("pad@1.0.0", "pad"));
  expect(await ignoredCodes()).toEqual(["VEX_DOCUMENT_CHANGED"]);
});

test("A13: a decision of another factory, or about another document, counts for nothing", async () => {
  const other = await openFactory({ home: join(directory, "other"), create: true });
  try {
    await keepVex(other, bytes, scope());
    mkdirSync(join(factory.home.path, "vex"));
    for (const end of [".json", ".sigstore.json"]) copyFileSync(fileOf(other, end), fileOf(factory, end));
    expect(await ignoredCodes()).toEqual(["CERTIFICATE_NO_PATH"]);
  } finally {
    await other.close();
  }
  const another = Buffer.from(bytes).toString().replace("pad@1.0.0", "pad@2.0.0");
  const { bytes: decision } = await keepVex(factory, Buffer.from(another), scope());
  writeFileSync(fileOf(factory), bytes);
  writeFileSync(fileOf(factory, ".sigstore.json"), decision);
  expect(await ignoredCodes()).toEqual(["SUBJECT_MISMATCH"]);
});

test("A13: a decision that says another document than its subject counts for nothing", async () => {
  const { decision } = await keepVex(factory, bytes, scope());
  const lie = { ...decision, document: sha256("another") };
  const { bytes: bundle } = await attestArtifact(factory, {
    artifact: { digest: document },
    type: "https://touchmark.dev/predicates/vex-decision/v1",
    predicate: Buffer.from(JSON.stringify(lie)),
  });
  writeFileSync(fileOf(factory, ".sigstore.json"), bundle);
  expect(await ignoredCodes()).toEqual(["VEX_DECISION_MISSING"]);
});

test("A13: what is no VEX is not kept, and nobody's decision is signed", async () => {
  expect(await codeOf(keepVex(factory, Buffer.from("{}"), scope()))).toBe("VEX_MALFORMED");
  expect(await keptVex(factory)).toEqual({ kept: [], ignored: [] });
});

test("A14: a decision counts for its projects and artifacts alone, and until it expires", async () => {
  const counts = async (given: Partial<VexScope>, about: { project?: string; artifact?: Digest }) => {
    await keepVex(factory, bytes, scope(given));
    const { kept } = await keptVex(factory);
    return vexFor(kept, { now, ...about }).length === 1;
  };
  expect(await counts({ projects: ["shop"] }, { project: "shop", artifact })).toBe(true);
  expect(await counts({ projects: ["shop"] }, { project: "shop-2", artifact })).toBe(false);
  expect(await counts({ projects: ["shop"] }, {})).toBe(false);
  expect(await counts({ artifacts: [artifact] }, { artifact })).toBe(true);
  expect(await counts({ artifacts: [artifact] }, { artifact: sha256("other") })).toBe(false);
  expect(await counts({ artifacts: [artifact] }, {})).toBe(false);
  expect(await counts({ artifacts: [artifact], projects: ["shop"] }, { artifact })).toBe(false);
  expect(await counts({ expires: "2026-11-01T00:00:01Z" }, {})).toBe(true);
  expect(await counts({ expires: "2026-11-01T00:00:00Z" }, {})).toBe(false);
});

describe.skipIf(missingForRuns() !== null)("decisions in runs", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("A15: a run and a later look at its artifact take what was decided, and say so; another project does not", async () => {
    const pipeline = `
    steps:
      pack: { run: cp -r vendor "$TOUCHMARK_OUTPUT/app", inputs: { source: /work/source } }
    artifacts:
      app: { from: pack, path: app, kind: directory }
`;
    const vendored = {
      "vendor/node_modules/pad/package.json": JSON.stringify({ name: "pad", version: "1.0.0", license: "MIT" }),
    };
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-0013", "pad", "1.0.1")]);
    giveRules(scene, "gate: { vulnerabilities: { refuse: high } }\n");
    const shop = scene.project("shop", pipeline, vendored);
    expect(await scene.run(shop)).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" } });

    await keepVex(scene.factory, bytes, scope({ projects: ["shop"] }));
    const done = await scene.run(shop);
    expect(done.status).toBe("succeeded");
    const bundles = (await scene.factory.runs.get(done.run)).bundles.map((row) => row.digest);
    const found = (await scene.statements(bundles)).find(({ predicateType }) => predicateType === VULNS_TYPE);
    const decisions = [{ status: "not_affected", by: "vendor, let in by Grace", document }];
    expect(found?.predicate).toMatchObject({ scanner: { result: [{ annotations: [{ decisions }] }] } });
    const other = scene.project("other", pipeline, vendored);
    expect(await scene.run(other)).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" } });

    const look = async () => (await rescanArtifacts(scene.factory, { attest: false }))[0];
    expect(await look()).toMatchObject({ findings: [{ decisions }], gate: { verdict: "passed" } });
    forgetVex(scene.factory, document);
    expect(await look()).toMatchObject({ findings: [{ decisions: [] }], gate: { verdict: "refused" } });
  });

  test("A15: a run says which documents lie there and do not count", async () => {
    mkdirSync(join(scene.home, "vex"), { recursive: true });
    writeFileSync(fileOf(scene.factory), bytes);
    rmSync(join(scene.home, "scan.yaml"), { force: true });
    const pipeline = `
    steps:
      pack: { run: echo 1 > "$TOUCHMARK_OUTPUT/app" }
    artifacts:
      app: { from: pack, path: app, kind: file }
`;
    const done = await scene.run(scene.project("noting", pipeline));
    const text = expect.stringContaining(`VEX document ${document} does not count`);
    expect(done.events).toContainEqual({ type: "note", text });
  });
});
