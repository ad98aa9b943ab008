import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Performed, type Scene, statementsOf } from "../fixture.ts";
import {
  clientScript,
  npmPackage,
  packageLock,
  type TestRegistry,
  testRegistry,
} from "../materials/registry.fixture.ts";
import { giveAdvisories, giveRules, npmAdvisory } from "./advisories.fixture.ts";

const missing = missingForRuns();
const pad = npmPackage("pad", "1.0.0", "module.exports = 1;\n");

describe.skipIf(missing !== null)("composition of what comes in", () => {
  let registry: TestRegistry;
  let scene: Scene;
  let count = 0;

  beforeAll(async () => {
    registry = await testRegistry();
    registry.answers.set("/pad/-/pad-1.0.0.tgz", pad);
    const materials = `touchmark: materials/v1\nupstreams:\n  npm: [{ name: own, url: "${registry.url}" }]\n`;
    scene = await openScene({ materials });
  });
  afterAll(async () => {
    await scene.close();
    await registry.close();
  });
  afterEach(() => {
    for (const name of ["scan.yaml", "advisories"]) rmSync(join(scene.home, name), { recursive: true, force: true });
  });

  const fetching = (rules = ""): Promise<Performed> =>
    scene.run(
      scene.project(
        `composed-${++count}`,
        `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}pad/-/pad-1.0.0.tgz', inputs: { source: /work/source }, network: fetch }
    build: { run: cat /work/deps/* > "$TOUCHMARK_OUTPUT/app", inputs: { fetch: /work/deps } }
  artifacts:
    app: { from: build, path: app, kind: file }
`,
        {
          "client.pl": clientScript,
          "package-lock.json": packageLock([["pad", "1.0.0", pad]]),
          ...(rules === "" ? {} : { rules }),
        },
      ),
    );
  const compositionOf = async (done: Performed) => (await statementsOf(scene, done.run, "composition"))[0]?.predicate;

  test("A11: what a fetch step brought is analysed and signed, with who vouches for how much of it", async () => {
    const blind = await compositionOf(await fetching());
    expect(blind).toMatchObject({
      step: "fetch",
      packages: [{ purl: "pkg:npm/pad@1.0.0", findings: [], provenance: false, supplierSbom: false }],
      shares: { packages: 1, provenance: 0, supplierSbom: 0 },
      vulnerabilities: { evaluated: false, reason: "no advisory source is configured" },
      gate: { verdict: "not-evaluated" },
    });
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-0011", "pad", "1.0.1")]);
    const knowing = await compositionOf(await fetching());
    expect(knowing).toMatchObject({
      packages: [{ findings: ["GHSA-test-0011 critical"] }],
      vulnerabilities: { evaluated: true, counts: { critical: 1 } },
    });
  });

  test("A11: rules over dependencies refuse before another step reads them", async () => {
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-0012", "pad", "1.0.1")]);
    giveRules(scene, "dependencies: { vulnerabilities: { refuse: high } }\n");
    const done = await fetching();
    expect(done).toMatchObject({
      status: "refused",
      steps: [
        { name: "fetch", status: "refused", error: { code: "SCAN_VULNERABILITY" } },
        { name: "build", status: "skipped" },
      ],
    });
    expect(await compositionOf(done)).toMatchObject({ gate: { verdict: "refused" } });
    giveRules(scene, "dependencies: { supplier-sbom: refuse }\n");
    expect(await fetching()).toMatchObject({ steps: [{ error: { code: "SCAN_SUPPLIER_SBOM_MISSING" } }, {}] });
  });
});
