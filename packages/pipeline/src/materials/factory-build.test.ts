import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { builderId } from "@touchmark/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportArtifact } from "../export.ts";
import { missingForRuns, openScene, type Performed, type Scene } from "../fixture.ts";
import { explainMaterial } from "./explain.ts";
import { clientScript, npmPackage, packageLock, type TestRegistry, testRegistry } from "./registry.fixture.ts";

const missing = missingForRuns();
const part = npmPackage("part", "2.0.0", "module.exports = 2;\n");
const tarball = "/pad/-/pad-1.0.0.tgz";

describe.skipIf(missing !== null)("packages of other factories", () => {
  let registry: TestRegistry;
  let maker: Scene;
  let user: Scene;
  let made: Performed;
  let pad: Uint8Array;

  beforeAll(async () => {
    registry = await testRegistry();
    const upstreams = `touchmark: materials/v1\nupstreams:\n  npm: [{ name: own, url: "${registry.url}" }]\n`;
    maker = await openScene({ materials: upstreams });
    registry.answers.set("/part/-/part-2.0.0.tgz", part);
    // A package of one factory, made of a package that it fetched, is published with the evidence of its export.
    const encoded = Buffer.from(npmPackage("pad", "1.0.0", "module.exports = 1;\n")).toString("base64");
    made = await maker.run(
      maker.project(
        "pad",
        `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}part/-/part-2.0.0.tgz', inputs: { source: /work/source }, network: fetch }
    pack: { run: 'base64 -d pad.b64 > "$TOUCHMARK_OUTPUT/pad.tgz"; cat /work/deps/* > /dev/null', inputs: { source: /work/source, fetch: /work/deps } }
  artifacts:
    pad: { from: pack, path: pad.tgz, kind: file }
`,
        {
          "client.pl": clientScript,
          "pad.b64": encoded,
          "package-lock.json": packageLock([["part", "2.0.0", part]]),
        },
      ),
    );
    expect([made.status, made.steps.map((step) => step.error?.message)]).toEqual(["succeeded", [undefined, undefined]]);
    const report = await exportArtifact(
      maker.factory,
      made.artifacts[0]?.digest as Digest,
      join(maker.directory, "out"),
    );
    pad = readFileSync(report.artifact);
    registry.answers.set(tarball, pad).set(`${tarball}.touchmark.json`, readFileSync(report.packageEvidence));
    const trust = `trust:\n  touchmark-provenance: [maker-root.json, maker.yaml]\n`;
    user = await openScene({ materials: `${upstreams}${trust}` });
    writeFileSync(join(user.home, "maker-root.json"), await maker.factory.trustRoot());
    const { trustDomain, issuer } = maker.factory.names();
    const signer = { packages: "pkg:npm/pad", identity: builderId(trustDomain), issuer };
    writeFileSync(
      join(user.home, "maker.yaml"),
      `touchmark: evidence-trust/v1\nsigners: [${JSON.stringify(signer)}]\n`,
    );
  });
  afterAll(async () => {
    await maker?.close();
    await user?.close();
    await registry?.close();
  });

  test("R23: a package of a trusted factory is explained with what it was built of", async () => {
    const done = await user.run(
      user.project(
        "user",
        `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}${tarball.slice(1)}', inputs: { source: /work/source }, network: fetch }
  artifacts:
    pad: { from: fetch, path: pad-1.0.0.tgz, kind: file }
`,
        { "client.pl": clientScript, "package-lock.json": packageLock([["pad", "1.0.0", pad]]) },
      ),
    );
    expect([done.status, done.steps[0]?.error?.message]).toEqual(["succeeded", undefined]);
    const [found] = await explainMaterial(user.factory, "pad@1.0.0", done.run);
    const vouching = { kind: "touchmark-provenance", outcome: "verified" };
    expect(found?.material.evidence).toEqual([expect.objectContaining(vouching)]);
    const { trustDomain } = maker.factory.names();
    expect(found?.builtOf).toMatchObject({ build: { signer: builderId(trustDomain) } });
    const materials = found?.builtOf !== undefined && "build" in found.builtOf ? found.builtOf.build.materials : [];
    expect(materials.map((each) => each.uri)).toContain("pkg:npm/part@2.0.0");
    // Whom nobody trusts any more says nothing.
    writeFileSync(
      join(user.home, "maker.yaml"),
      "touchmark: evidence-trust/v1\nsigners:\n  - { packages: pkg:npm/pad, identity: someone-else, issuer: elsewhere }\n",
    );
    const [doubted] = await explainMaterial(user.factory, "pad@1.0.0", done.run);
    expect(doubted?.builtOf).toEqual({ unknown: expect.stringMatching(/^UPSTREAM_/) });
    writeFileSync(join(user.home, "materials.yaml"), "touchmark: materials/v1\nupstreams: {}\n");
    const [untrusting] = await explainMaterial(user.factory, "pad@1.0.0", done.run);
    expect(untrusting?.builtOf).toEqual({ unknown: "no factory is trusted any more" });
  });
});
