import { rmSync } from "node:fs";
import { join } from "node:path";
import { readPredicate } from "@touchmark/formats/predicates";
import {
  clientScript,
  giveAdvisories,
  giveRules,
  missingForRuns,
  npmAdvisory,
  npmPackage,
  openScene,
  type Performed,
  packageLock,
  type Scene,
  type SignedStatement,
  statementsOf,
  type TestRegistry,
  testRegistry,
} from "@touchmark/pipeline/fixture";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const pad = npmPackage("pad", "1.0.0", "module.exports = 1;\n");

describe.skipIf(missingForRuns() !== null)("what is known of software that comes in", () => {
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

  const build = (): Promise<Performed> => {
    const fetch = `perl client.pl ${registry.url}pad/-/pad-1.0.0.tgz`;
    const pipeline = `
    steps:
      fetch: { run: '${fetch}', inputs: { source: /work/source }, network: fetch }
      build: { run: 'cat /work/deps/* > "$TOUCHMARK_OUTPUT/app"', inputs: { fetch: /work/deps } }
    artifacts:
      app: { from: build, path: app, kind: file }
`;
    const files = { "client.pl": clientScript, "package-lock.json": packageLock([["pad", "1.0.0", pad]]) };
    return scene.run(scene.project(`fetching-${++count}`, pipeline, files));
  };
  const composition = async (run: Performed) => {
    const [statement, ...more] = await statementsOf(scene, run.run, "composition");
    expect(more).toEqual([]);
    return readPredicate("composition", statement?.predicate);
  };

  test("run-sca-on-ingested-software: what comes in is analysed and signed before a step builds with it", async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-2001", "pad", "1.0.1")]);
    const run = await build();
    expect(run.status).toBe("succeeded");
    const found = await composition(run);
    expect(found).toMatchObject({
      step: "fetch",
      packages: [{ purl: "pkg:npm/pad@1.0.0", findings: ["CVE-2026-2001 critical"] }],
      vulnerabilities: { evaluated: true, database: expect.stringMatching(/^sha256:/) },
    });
    // In the order in which they were signed and logged.
    const signed = (await scene.factory.runs.get(run.run)).bundles.map((row) => row.digest);
    const [statement] = await statementsOf(scene, run.run, "composition");
    const links = await statementsOf(scene, run.run, "link");
    const place = (each: SignedStatement | undefined): number =>
      each === undefined ? -1 : signed.indexOf(each.bundle);
    expect(links).toHaveLength(2);
    expect(place(statement)).toBeGreaterThan(0);
    expect(place(statement)).toBeLessThan(place(links.find((each) => each.predicate["name"] === "build")));
  });

  test("EQ11, EQ12: rules over what comes in refuse it before another step reads it, and the verdict is signed", async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-2002", "pad", "1.0.1")]);
    for (const [rules, code] of [
      ["vulnerabilities: { refuse: high }", "SCAN_VULNERABILITY"],
      ["licences: { deny: [MIT] }", "SCAN_LICENCE_DENIED"],
    ] as const) {
      giveRules(scene, `dependencies: { ${rules} }\n`);
      const run = await build();
      expect(run).toMatchObject({
        status: "refused",
        steps: [
          { name: "fetch", error: { code } },
          { name: "build", status: "skipped" },
        ],
      });
      expect(await composition(run)).toMatchObject({ gate: { verdict: "refused" } });
    }
  });

  test("require-supplier-sbom, RA-DEP-07: who brings a bill of materials or provenance is counted, and can be demanded", async () => {
    const shown = await composition(await build());
    expect(shown.shares).toMatchObject({ packages: 1, provenance: 0, supplierSbom: 0 });
    giveRules(scene, "dependencies: { supplier-sbom: refuse }\n");
    const run = await build();
    expect(run.steps[0]?.error?.code).toBe("SCAN_SUPPLIER_SBOM_MISSING");
    expect(run.steps[1]?.status).toBe("skipped");
  });
});
