import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { attestArtifact } from "../attest.ts";
import { codeOf, missingForRuns, openScene, type Performed, type Scene, statementsOf } from "../fixture.ts";
import { verifyArtifact } from "../verify-artifact.ts";
import { giveAdvisories, giveRules, npmAdvisory } from "./advisories.fixture.ts";
import { CYCLONEDX_TYPE, VULNS_TYPE } from "./analysis-statements.ts";
import { rescanArtifacts } from "./rescan.ts";
import { sbomOfArtifact } from "./stored-sbom.ts";

const missing = missingForRuns();
const vendored = {
  "vendor/node_modules/pad/package.json": JSON.stringify({ name: "pad", version: "1.0.0", license: "MIT" }),
  "vendor/node_modules/pad/index.js": "module.exports = 1;\n",
};
const copying = `
    steps:
      pack: { run: cp -r vendor "$TOUCHMARK_OUTPUT/app", inputs: { source: /work/source } }
    artifacts:
      app: { from: pack, path: app, kind: directory }
`;

describe.skipIf(missing !== null)("analysis of a run", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());
  afterEach(() => {
    for (const name of ["scan.yaml", "advisories"]) {
      rmSync(join(scene.home, name), { recursive: true, force: true });
    }
  });

  const artifactOf = (done: Performed): Digest => {
    const digest = done.artifacts[0]?.digest;
    if (digest === undefined) throw new Error(`no artifact: ${JSON.stringify(done.error)}`);
    return digest;
  };
  const analysisOf = async (done: Performed) => (await statementsOf(scene, done.run, "analysis"))[0]?.predicate;

  test("A1: an artifact gets an SBOM, licences and the factory's own word, in one chain that verifies", async () => {
    const done = await scene.run(scene.project("plain", copying, vendored));
    expect(done.status).toBe("succeeded");
    expect(await analysisOf(done)).toMatchObject({
      artifact: "app",
      digest: artifactOf(done),
      sbom: { components: 2, losses: [] },
      vulnerabilities: { evaluated: false, reason: "no advisory source is configured" },
      licences: { unknown: 0 },
      unaccounted: [],
      gate: { verdict: "not-evaluated" },
    });
    const { chain } = await verifyArtifact(scene.factory, { digest: artifactOf(done) });
    expect(chain.analyses.map(({ artifact }) => artifact)).toEqual(["app"]);
    const { sbom } = await sbomOfArtifact(scene.factory, artifactOf(done));
    expect(sbom.components.map(({ purl }) => purl)).toContain("pkg:npm/pad@1.0.0");
    expect(done.events).toContainEqual(expect.objectContaining({ type: "analysed", artifact: "app", components: 1 }));
  });

  test("A2: analyse: false asks nothing, and nothing is signed", async () => {
    const done = await scene.run(scene.project("quiet", `    analyse: false\n${copying.slice(1)}`, vendored));
    expect(done.status).toBe("succeeded");
    expect(await analysisOf(done)).toBeUndefined();
  });

  test("A3: a component that is neither in the source nor fetched is unaccounted for, and refused where that is asked", async () => {
    const planting = `
    steps:
      pack:
        run: |
          mkdir -p "$TOUCHMARK_OUTPUT/app/node_modules/evil"
          echo '{"name":"evil","version":"6.6.6"}' > "$TOUCHMARK_OUTPUT/app/node_modules/evil/package.json"
        inputs: { source: /work/source }
    artifacts:
      app: { from: pack, path: app, kind: directory }
`;
    const noted = await scene.run(scene.project("planting", planting));
    expect(noted.status).toBe("succeeded");
    expect(await analysisOf(noted)).toMatchObject({ unaccounted: ["pkg:npm/evil@6.6.6"] });
    const strict = `    analyse: { gate: { unaccounted-components: refuse } }\n${planting.slice(1)}`;
    const refused = await scene.run(scene.project("planting-strict", strict));
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_COMPONENT_UNACCOUNTED" }, artifacts: [] });
    // What refused it is signed all the same.
    expect(await analysisOf(refused)).toMatchObject({ gate: { verdict: "refused" } });
  });

  test("A4: known vulnerabilities are signed in the field's own form, and refuse by the user's rules", async () => {
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-0001", "pad", "1.0.1")]);
    const noted = await scene.run(scene.project("known", copying, vendored));
    expect(noted.status).toBe("succeeded");
    const bundles = await scene.statements((await scene.factory.runs.get(noted.run)).bundles.map((row) => row.digest));
    const found = bundles.find((each) => each.predicateType === VULNS_TYPE);
    expect(found?.predicate).toMatchObject({
      scanner: {
        result: [{ id: "GHSA-test-0001", annotations: [{ component: "pkg:npm/pad@1.0.0", class: "critical" }] }],
      },
    });
    expect(await analysisOf(noted)).toMatchObject({ vulnerabilities: { evaluated: true, counts: { critical: 1 } } });
    giveRules(scene, "gate: { vulnerabilities: { refuse: high } }\n");
    const refused = await scene.run(scene.project("known-strict", copying, vendored));
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" } });
  });

  test("A5: a rule over vulnerabilities without advisory data refuses", async () => {
    giveRules(scene, "gate: { vulnerabilities: { refuse: critical } }\n");
    const refused = await scene.run(scene.project("blind", copying, vendored));
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_NOT_EVALUATED" } });
  });

  test("A6: rules that cannot be read end the run", async () => {
    giveRules(scene, "gate: { vulnerabilites: { refuse: high } }\n");
    expect(await codeOf(scene.run(scene.project("misspelt", copying, vendored)))).toBe("SCAN_CONFIG_INVALID");
  });

  test("A7: an SBOM that somebody else attested about the digest does not count", async () => {
    const done = await scene.run(
      scene.project("attested", `    analyse: false\n${copying.slice(1)}`, { ...vendored, "vendor/own": "1" }),
    );
    const lie = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components: [] };
    await attestArtifact(scene.factory, {
      artifact: { digest: artifactOf(done) },
      type: CYCLONEDX_TYPE,
      predicate: Buffer.from(JSON.stringify(lie)),
    });
    expect(await codeOf(sbomOfArtifact(scene.factory, artifactOf(done)))).toBe("EVIDENCE_MISSING");
  });

  test("A8: stored SBOMs are matched again when advisories of their packages change, and what is new is signed", async () => {
    expect(await codeOf(rescanArtifacts(scene.factory, { attest: true }))).toBe("ADVISORY_DATABASE_MISSING");
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-0002", "elsewhere", "9.0.0")]);
    const done = await scene.run(scene.project("watched", copying, { ...vendored, watched: "1" }));
    const look = async () =>
      (await rescanArtifacts(scene.factory, { attest: true })).find(({ run }) => run === done.run);
    expect(await look()).toMatchObject({ scanned: "whole", appeared: [], findings: [] });
    expect((await look())?.scanned).toBeUndefined();
    await giveAdvisories(scene, [
      npmAdvisory("GHSA-test-0002", "elsewhere", "9.0.0"),
      npmAdvisory("GHSA-test-0003", "pad", "2.0.0"),
    ]);
    const news = await look();
    expect(news).toMatchObject({ scanned: "part", appeared: [{ id: "GHSA-test-0003" }], gone: [] });
    const [signed] = await scene.statements([news?.bundle as Digest]);
    expect(signed).toMatchObject({
      predicateType: VULNS_TYPE,
      predicate: { scanner: { result: [{ id: "GHSA-test-0003" }] } },
    });
    giveRules(scene, "gate: { vulnerabilities: { refuse: high } }\n");
    expect(await look()).toMatchObject({ gate: { verdict: "refused" }, appeared: [] });
  });
});
