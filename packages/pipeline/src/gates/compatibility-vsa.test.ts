import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Scene } from "../fixture.ts";
import { evidenceHere } from "../policy/index.ts";
import { compatibilityVsa } from "./compatibility-vsa.ts";

const missing = missingForRuns();
const slsaVerifier = findProgram("slsa-verifier");
let scene: Scene;
let digest: Digest;

const pipeline = `
  steps:
    make: { run: 'echo vsa > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;

describe.skipIf(missing !== null)(`verification summaries${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    const done = await scene.run(scene.project("app", pipeline));
    digest = done.artifacts[0]?.digest ?? "sha256:";
  });
  afterAll(() => scene.close());

  test.skipIf(slsaVerifier === undefined)("GT7: slsa-verifier takes the summary of what was published", async () => {
    const vsa = await compatibilityVsa(scene.factory, { name: "app.txt", digest });
    const [envelope, key] = ["vsa.json", "vsa.pub.pem"].map((name) => join(scene.directory, name));
    writeFileSync(envelope ?? "", vsa.envelope);
    writeFileSync(key ?? "", vsa.publicKey);
    const verify = (more: { readonly subject?: string; readonly level?: string; readonly resource?: string } = {}) =>
      execFileSync(
        slsaVerifier ?? "",
        [
          "verify-vsa",
          ...["--subject-digest", more.subject ?? digest, "--attestation-path", envelope ?? ""],
          ...["--verifier-id", vsa.verifier, "--resource-uri", more.resource ?? vsa.resourceUri],
          ...["--verified-level", more.level ?? "SLSA_BUILD_LEVEL_1"],
          ...["--public-key-path", key ?? "", "--public-key-id", vsa.keyId],
        ],
        { stdio: "pipe" },
      );
    verify();
    verify({ level: "TOUCHMARK_CHAIN" });
    expect(() => verify({ subject: sha256("other") })).toThrow();
    expect(() => verify({ level: "SLSA_BUILD_LEVEL_3" })).toThrow();
    expect(() => verify({ resource: "touchmark:elsewhere" })).toThrow();
  });

  test("GT7: our own verification never counts it", async () => {
    const vsa = await compatibilityVsa(scene.factory, { name: "app.txt", digest });
    const trustRoot = readTrustRoot(await scene.factory.trustRoot());
    expect(() => verifyBundle(vsa.envelope, trustRoot, { artifact: digest, key: vsa.publicKey })).toThrow();
    const before = (await evidenceHere(scene.factory, digest)).statements.length;
    await scene.factory.content.put(vsa.envelope);
    expect((await evidenceHere(scene.factory, digest)).statements).toHaveLength(before);
  });

  test("GT7: what no gate let out has no summary", async () => {
    const other = compatibilityVsa(scene.factory, { name: "other", digest: sha256("other") });
    await expect(other).rejects.toThrow(expect.objectContaining({ code: "GATE_DECISION_MISSING" }));
  });
});
